"""The compiled shredder: equal to the reference in every column, row, error and digest (I3).

What the kernel does not prove to be an event it hands over, that line alone, to the reference: it
says what is wrong with it, or reads what the kernel has no room for. Handed lines are counted.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from common import limits
from common.columns import ColumnBlock, ColumnKey, FieldType, SparseColumn, concat, select
from common.scan.kernel.build import SENTINEL_BYTES, Bytes, Words
from indexer.shred.event import Fields
from indexer.shred.interface import SetAside, Shredded, ShredInput
from indexer.shred.kernel import memory as m
from indexer.shred.kernel.columns import lay_out, write_cells
from indexer.shred.kernel.events import BOOL
from indexer.shred.kernel.keys import empty_names
from indexer.shred.kernel.lines import read_lines, too_many_handed
from indexer.shred.kernel.memory import Memory, make_memory
from indexer.shred.kernel.patch import with_rows
from indexer.shred.kernel.rest import Rest, read_rest
from indexer.shred.reference import BadLine, ReferenceShredder

TYPES = (FieldType.BOOL, FieldType.FLOAT, FieldType.INT, FieldType.JSON, FieldType.STRING)

_IDLE_MAX = 4  # memories kept for the next call: more calls at once are rare


class _Call:
    """One call's state. bad: why a record is set aside, by its index in the call."""

    def __init__(self, records: Sequence[ShredInput]) -> None:
        self.records = records
        self.offset = np.array([one.offset for one in records], np.int64)
        self.append_ns = np.array([one.append_ns for one in records], np.int64)
        self.bad: dict[int, str] = {}
        self.blocks: list[tuple[ColumnBlock, Words]] = []  # and rows' records
        self.rest: list[Rest] = []

    def shredded(self) -> Shredded:
        blocks = [block for block, _ in self.blocks]
        if self.bad:
            bad = list(self.bad)
            blocks = [select(block, ~np.isin(record, bad)) for block, record in self.blocks]
            blocks = [block for block in blocks if block.rows]
        aside = tuple(SetAside(self.records[i].offset, why) for i, why in sorted(self.bad.items()))
        return Shredded(concat(blocks), aside)


class KernelShredder:
    """Shreds in compiled code. Any number of threads may use it; each call has a memory of its own.

    seeds: two secret 64-bit integers, so that no sender can choose names that meet in a table.
    """

    name = "kernel"

    def __init__(
        self,
        seeds: tuple[int, int],
        *,
        handed_over: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._seeds = seeds
        self._reference = ReferenceShredder()
        self._handed_over = handed_over
        self._idle: deque[Memory] = deque(maxlen=_IDLE_MAX)

    def shred(self, records: Sequence[ShredInput]) -> Shredded:
        """Columns of the records' events, in order. Deterministic; never raises for bad input."""
        call = _Call(records)
        memory = self._take()
        empty_names(memory.words)
        for group in _groups(records, call.bad):
            if call.rest:
                call.rest.extend(Rest(index) for index in group)
            else:
                self._shred_group(call, group, memory)
        self._idle.append(memory)
        if call.rest:
            call.blocks.append(read_rest(self._reference, records, call.rest, call.bad))
            self._handed_over(call.blocks[-1][0].rows)
        return call.shredded()

    def intact(self) -> bool:
        """Whether nothing was written beside a table of the memory that is idle now."""
        return all(memory.intact() for memory in self._idle)

    def _take(self) -> Memory:
        try:
            return self._idle.pop()
        except IndexError:
            return make_memory(*self._seeds)

    def _shred_group(self, call: _Call, group: list[int], memory: Memory) -> None:
        buffer, starts, ends = _joined([call.records[index].lines for index in group], memory.text)
        depths = np.array([call.records[index].depth for index in group], np.int64)
        counts = memory.words
        counts[m.RECORD], counts[m.AT], counts[m.PLACE] = 0, -1, 0
        done = False
        while not done:
            if counts[m.NODES] > m.NAMES_KEPT or counts[m.ARENA] > m.ARENA_KEPT:
                empty_names(memory.words)
            done = read_lines(buffer, starts, ends, depths, memory.words, memory.arena)
            fields = self._read_handed(call, group, buffer, memory)
            self._add_block(call, group, buffer, memory, fields)
            now = int(counts[m.RECORD])
            if not done and group[now] in call.bad:  # nothing more of it is wanted
                now += 1
                counts[m.RECORD], counts[m.AT], counts[m.PLACE] = now, -1, 0
            sizes = (m.HANDED, m.ROWS, m.HANDED_BYTES, m.BYTES)
            if now < len(group) and too_many_handed(*(int(counts[size]) for size in sizes)):
                begin = max(0, int(counts[m.AT] - starts[now]))
                call.rest.append(Rest(group[now], begin, int(counts[m.PLACE])))
                call.rest.extend(Rest(index) for index in group[now + 1 :])
                return

    def _read_handed(
        self, call: _Call, group: list[int], buffer: Bytes, memory: Memory
    ) -> list[tuple[int, Fields]]:
        """What the reference reads in the lines handed over: (row, fields) each."""
        handed = int(memory.words[m.HANDED])
        lines = memory.words[m.HANDED_LINE :][: handed * m.HANDED_WORDS].reshape(-1, m.HANDED_WORDS)
        found: list[tuple[int, Fields]] = []
        for row, at, begin, end in lines.tolist():
            if (index := group[at]) in call.bad:
                continue
            try:
                time_ns, rate, fields = self._reference.read_line(
                    buffer[begin:end].tobytes(), call.records[index].depth
                )
            except ValueError as error:
                call.bad[index] = str(BadLine(f"event {memory.words[m.ROW_PLACE + row]}: {error}"))
                continue
            memory.words[m.TIME + row], memory.words[m.RATE + row] = time_ns, rate
            found.append((row, fields))
        if handed:
            self._handed_over(handed)
        return found

    def _add_block(
        self,
        call: _Call,
        group: list[int],
        buffer: Bytes,
        memory: Memory,
        fields: list[tuple[int, Fields]],
    ) -> None:
        rows = int(memory.words[m.ROWS])
        record = np.array(group)[memory.rows(m.ROW_RECORD, rows)]
        append_ns = call.append_ns[record]
        time_ns = memory.rows(m.TIME, rows).copy()
        columns: Mapping[ColumnKey, SparseColumn] = _columns(buffer, memory)
        if fields:
            columns = with_rows(columns, fields)
        block = ColumnBlock(
            time_ns=time_ns,
            rate=memory.rows(m.RATE, rows).copy(),
            offset=call.offset[record],
            place=memory.rows(m.ROW_PLACE, rows).astype(np.int32),
            far=(time_ns < append_ns - limits.TIME_PAST_BOUND_NS_V1)
            | (time_ns > append_ns + limits.TIME_FUTURE_BOUND_NS_V1),
            columns=columns,
        )
        call.blocks.append((block, record))


def _groups(records: Sequence[ShredInput], bad: dict[int, str]) -> Iterator[list[int]]:
    """Indexes of records that are scanned together; those without a last line end are bad."""
    group: list[int] = []
    size = 0
    for index, record in enumerate(records):
        if not record.lines.endswith(b"\n"):
            bad[index] = str(BadLine("the last line does not end"))
            continue
        if group and size + len(record.lines) > m.TEXT_BYTES:
            yield group
            group, size = [], 0
        group.append(index)
        size += len(record.lines)
    if group:
        yield group


def _joined(texts: list[bytes], reused: Bytes) -> tuple[Bytes, Words, Words]:
    """The texts one after the other with their padding, and where each begins and ends.

    Copied into memory that is there already: a new buffer's pages would cost more than the copy.
    """
    ends = np.cumsum(np.array([len(text) for text in texts], np.int64))
    size = int(ends[-1]) + SENTINEL_BYTES
    buffer = reused[:size] if size <= len(reused) else np.empty(size, np.uint8)
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1]))
    for text, start, end in zip(texts, starts.tolist(), ends.tolist(), strict=True):
        buffer[start:end] = np.frombuffer(text, np.uint8)
    buffer[-SENTINEL_BYTES:] = 0
    return buffer, starts, ends


def _columns(buffer: Bytes, memory: Memory) -> dict[ColumnKey, SparseColumn]:
    """The cells of this pass as columns, in the order of their keys.

    In memory of Arrow's pool, which hands freed pages out again: fresh pages from the system cost
    0.25 of 0.9 CPU seconds per million wide events.
    """
    columns, size = lay_out(memory.words)
    whole = pa.allocate_buffer(size)
    output = np.frombuffer(whole, np.uint8)
    write_cells(buffer, memory.words, columns, output)
    laid = memory.words[m.LAID :][: columns * m.LAID_WORDS].reshape(-1, m.LAID_WORDS).T
    fields, kinds = laid[m.LAID_COLUMN] >> 3, laid[m.LAID_COLUMN] & 7
    names = _names(fields, memory)
    arrays = [_whole(field_type, whole) for field_type in TYPES]
    rows = output.view(np.uint32)
    first_value = np.where(kinds == BOOL, laid[m.LAID_VALUES] << 3, laid[m.LAID_VALUES] >> 3)
    places = list(
        zip(
            names,
            kinds.tolist(),
            laid[m.LAID_CELLS].tolist(),
            first_value.tolist(),
            (laid[m.LAID_ROWS] >> 2).tolist(),
            strict=True,
        )
    )
    found: dict[ColumnKey, SparseColumn] = {}
    for place in sorted(range(columns), key=names.__getitem__):  # stable: types are in order
        name, kind, cells, value, row = places[place]
        column = SparseColumn(rows[row : row + cells], arrays[kind].slice(value, cells))
        found[ColumnKey(name, TYPES[kind])] = column
    return found


def _whole(field_type: FieldType, whole: pa.Buffer) -> pa.Array:
    """The output as if all of it were values of one type: only slices of it mean something."""
    if field_type is FieldType.BOOL:
        return pa.Array.from_buffers(field_type.arrow, whole.size * 8, [None, whole], 0)
    if field_type in (FieldType.INT, FieldType.FLOAT):
        return pa.Array.from_buffers(field_type.arrow, whole.size // 8, [None, whole], 0)
    return pa.Array.from_buffers(field_type.arrow, whole.size // 8 - 1, [None, whole, whole], 0)


def _names(fields: Words, memory: Memory) -> list[str]:
    """The full names of these fields; the arena is copied once, not once per name."""
    texts = memory.words[m.FIELD :][: m.FIELD_WORDS * m.NAMES_MAX].reshape(-1, m.FIELD_WORDS)
    starts = texts[fields, m.FIELD_TEXT]
    ends = starts + texts[fields, m.FIELD_SIZE]
    text = memory.arena[: int(ends.max(initial=0))].tobytes()
    places = zip(starts.tolist(), ends.tolist(), strict=True)
    return [text[start:end].decode() for start, end in places]
