"""The compiled shredder: equal to the reference in every column, row, error and digest (I3).

A line that the kernel does not prove to be an event is a fallback line: the reference reads that
line alone. It finds the error, or reads an event that the kernel has no room for. Fallback lines
are counted.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import numpy as np
import pyarrow as pa

from common import limits
from common.kernels.compile import Bytes, Int64s
from common.model.record_value import other_count
from indexer.shred.compiled.patch import with_rows
from indexer.shred.compiled.remainder import Remainder, read_remainders
from indexer.shred.compiled.texts import Texts, decompress, join_lines
from indexer.shred.event import Fields
from indexer.shred.interface import Accepted, Quarantined, Shredded, ShredInput
from indexer.shred.kernel import memory as m
from indexer.shred.kernel.columns import lay_out, write_cells
from indexer.shred.kernel.events import BOOL
from indexer.shred.kernel.keys import empty_names
from indexer.shred.kernel.lines import (
    DONE,
    FULL_PASS,
    PAUSED,
    begin_pass,
    read_lines,
    too_many_fallbacks,
)
from indexer.shred.kernel.memory import Memory, make_memory
from indexer.shred.reference import BadLine, ReferenceShredder
from segment.columns import ColumnBlock, ColumnKey, FieldType, SparseColumn, select
from segment.columns.gather import is_sparse
from segment.columns.packed import PackedColumns, unpacked

TYPES = (FieldType.BOOL, FieldType.FLOAT, FieldType.INT, FieldType.JSON, FieldType.STRING)

_LINE_END = 10
_SYSTEM_BYTES = 3 * 8 + 4 + 1  # of a row: time, rate, offset, index in record, late or early
# A pass with too many fallback lines and at most this many rows is read by the reference again: its
# block would cost more than that (in a call of 600 fallback events: a seventh).
_ROWS_AGAIN = 4 * m.FALLBACKS_FEW
_TIGHT_FROM = 256  # columns from which they are packed again, without the kernel's gaps
_CALLS_MAX = 4  # calls at once, each with a memory of its own: more need more cores


class _Call:
    """The state of one call. bad: index of a record in the call -> why it is quarantined."""

    def __init__(self, offset: list[int], append_ns: list[int], depth: list[int]) -> None:
        self.offset = np.array(offset, np.int64)
        self.append_ns = np.array(append_ns, np.int64)
        self.depth = np.array(depth, np.int64)
        self.bad: dict[int, str] = {}
        self.blocks: list[tuple[ColumnBlock, Int64s]] = []  # with the record of each row
        self.reference_only = False  # the kernel reads no more of this call

    def remainder_of(self, texts: Texts, number: int, begin: int = 0, events: int = 0) -> Remainder:
        """The lines of a record from byte `begin` on, for the reference."""
        index = int(texts.records[number])
        offset, append_ns = int(self.offset[index]), int(self.append_ns[index])
        lines = texts.lines(number)[begin:]
        return Remainder(index, offset, append_ns, int(self.depth[index]), lines, events)

    def shredded(self) -> Shredded:
        blocks = [block for block, _ in self.blocks]
        if self.bad:
            bad = list(self.bad)
            blocks = [select(block, ~np.isin(record, bad)) for block, record in self.blocks]
        quarantined = tuple(
            Quarantined(int(self.offset[i]), why) for i, why in sorted(self.bad.items())
        )
        return Shredded(tuple(block for block in blocks if block.rows), quarantined)


class KernelShredder:
    """Shreds in compiled code. Safe to use from threads; each call has a memory of its own.

    seeds: two secret 64-bit integers, so that senders cannot choose names that collide in a table.
    """

    name = "kernel"

    def __init__(
        self,
        seeds: tuple[int, int],
        *,
        on_fallback: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._seeds = seeds
        self._reference = ReferenceShredder()
        self._on_fallback = on_fallback
        self._idle: deque[Memory] = deque()  # at most _CALLS_MAX
        self._turns = threading.BoundedSemaphore(_CALLS_MAX)
        self._spare = 0  # memories that no call has used since `give_back`

    def shred(self, records: Sequence[ShredInput]) -> Shredded:
        """Columns of the records' events, in order. Deterministic; never raises for bad input."""
        call = _Call(
            [one.offset for one in records],
            [one.append_ns for one in records],
            [one.depth for one in records],
        )
        with self._memory() as memory:
            for texts in join_lines([one.lines for one in records], memory.text):
                self._shred_texts(call, texts, memory)
        return call.shredded()

    def shred_values(self, records: Sequence[Accepted]) -> Shredded:
        """As `Shredder.shred_values`."""
        headers = [one.record for one in records]
        call = _Call(
            [one.offset for one in records],
            [one.append_ns for one in records],
            [one.depth for one in headers],
        )
        events = np.array([one.n for one in headers], np.int64)
        with self._memory() as memory:
            values = [one.value for one in headers]
            for texts in decompress(values, memory.text, call.bad):
                found = self._shred_texts(call, texts, memory)
                _check_counts(call, texts, found, events[texts.records])
        return call.shredded()

    def intact(self) -> bool:
        """Whether nothing was written outside the tables of the idle memories."""
        return all(memory.intact() for memory in self._idle)

    def give_back(self) -> None:
        """Free memories that no call has used since the previous `give_back`: each is 60 MB."""
        for _ in range(self._spare):
            with suppress(IndexError):  # a call that began meanwhile uses it
                self._idle.popleft()
        self._spare = len(self._idle)

    @contextmanager
    def _memory(self) -> Iterator[Memory]:
        """Memory for one call, as soon as one is free; that of a failed call is not reused."""
        with self._turns:
            try:
                memory = self._idle.pop()
            except IndexError:
                memory = make_memory(*self._seeds)
            self._spare = min(self._spare, len(self._idle))
            empty_names(memory.words)
            yield memory
            self._idle.append(memory)

    def _shred_texts(self, call: _Call, texts: Texts, memory: Memory) -> Int64s:
        """Add the rows of all readable records. Returns the number of lines that the kernel read of
        each record; -1 if it did not read the record to its end.
        """
        found = np.full(len(texts.records), -1)
        ended = (texts.ends > texts.starts) & (texts.buffer[texts.ends - 1] == _LINE_END)
        whole = np.arange(len(texts.records))
        if not ended.all():
            for index in texts.records[~ended].tolist():
                call.bad[index] = str(BadLine("the last line does not end"))
            whole = whole[ended]
        chosen = texts.only(whole) if len(whole) < len(found) else texts
        remainders: list[Remainder] = []
        if call.reference_only:
            remainders = [call.remainder_of(chosen, number) for number in range(len(whole))]
        elif len(whole):
            found[whole], remainders = self._read(call, chosen, memory)
        if remainders:
            call.reference_only = True
            call.blocks.append(read_remainders(self._reference, remainders, call.bad))
            self._on_fallback(call.blocks[-1][0].rows)
        return found

    def _read(self, call: _Call, texts: Texts, memory: Memory) -> tuple[Int64s, list[Remainder]]:
        """As `_shred_texts`, and the remainders for the reference after too many fallbacks."""
        depths = call.depth[texts.records]
        last = len(texts.records)
        found = np.zeros(last, np.int64)
        counts = memory.words
        counts[m.RECORD], counts[m.AT], counts[m.INDEX_IN_RECORD] = 0, -1, 0
        skipped: list[int] = []
        why = FULL_PASS
        while why != DONE:
            if why == FULL_PASS:
                if counts[m.NODES] > m.NAMES_KEPT or counts[m.ARENA] > m.ARENA_KEPT:
                    empty_names(memory.words)
                began = int(counts[m.RECORD]), int(counts[m.AT]), int(counts[m.INDEX_IN_RECORD])
                begin_pass(memory.words)
                fields: list[tuple[int, Fields]] = []
                fallbacks_read = 0
            why = read_lines(
                texts.buffer, texts.starts, texts.ends, depths, memory.words, memory.arena
            )
            too_many = too_many_fallbacks(
                *(int(counts[size]) for size in (m.FALLBACKS, m.ROWS, m.FALLBACK_BYTES, m.BYTES))
            )
            if too_many and why != DONE and counts[m.ROWS] <= _ROWS_AGAIN:
                return self._leave_to_reference(call, texts, found, *began)
            fields += self._read_fallbacks(call, texts, memory, fallbacks_read)
            fallbacks_read = int(counts[m.FALLBACKS])
            now = int(counts[m.RECORD])
            if now < last and int(texts.records[now]) in call.bad:  # skip its rest
                skipped.append(now)
                now += 1
                counts[m.RECORD], counts[m.AT], counts[m.INDEX_IN_RECORD] = now, -1, 0
            if why == PAUSED:
                continue
            self._add_block(call, texts, memory, fields)
            found += np.bincount(memory.rows(m.ROW_RECORD, int(counts[m.ROWS])), minlength=last)
            if now < last and too_many:
                return self._leave_to_reference(
                    call, texts, found, now, int(counts[m.AT]), int(counts[m.INDEX_IN_RECORD])
                )
        found[skipped] = -1
        return found, []

    def _leave_to_reference(
        self, call: _Call, texts: Texts, found: Int64s, now: int, at: int, events: int
    ) -> tuple[Int64s, list[Remainder]]:
        """The result of `_read` when the reference reads all lines from `at` in record `now` on.

        at: negative for the start of the record. events: number of its events before `at`.
        """
        positions = [(now, max(0, int(at - texts.starts[now])), events)]
        positions.extend((after, 0, 0) for after in range(now + 1, len(texts.records)))
        bad = call.bad.keys()
        found[now:] = -1
        return found, [
            call.remainder_of(texts, *one) for one in positions if texts.records[one[0]] not in bad
        ]

    def _read_fallbacks(
        self, call: _Call, texts: Texts, memory: Memory, first: int
    ) -> list[tuple[int, Fields]]:
        """Read the fallback lines from `first` on with the reference: (row, fields) of each."""
        fallbacks = int(memory.words[m.FALLBACKS])
        lines = memory.words[m.FALLBACK_LINE :][: fallbacks * m.FALLBACK_WORDS].reshape(
            -1, m.FALLBACK_WORDS
        )
        found: list[tuple[int, Fields]] = []
        for row, at, begin, end in lines[first:].tolist():
            if (index := int(texts.records[at])) in call.bad:
                continue
            try:
                time_ns, rate, fields = self._reference.read_line(
                    texts.buffer[begin:end].tobytes(), int(call.depth[index])
                )
            except ValueError as error:
                call.bad[index] = str(BadLine(f"event {memory.words[m.ROW_INDEX + row]}: {error}"))
                continue
            memory.words[m.TIME + row], memory.words[m.RATE + row] = time_ns, rate
            found.append((row, fields))
        if fallbacks > first:
            self._on_fallback(fallbacks - first)
        return found

    def _add_block(
        self, call: _Call, texts: Texts, memory: Memory, fields: list[tuple[int, Fields]]
    ) -> None:
        rows = int(memory.words[m.ROWS])
        record = texts.records[memory.rows(m.ROW_RECORD, rows)]
        append_ns = call.append_ns[record]
        time_ns = memory.rows(m.TIME, rows).copy()
        made, output_bytes = _columns(texts.buffer, memory)
        block = ColumnBlock(
            time_ns=time_ns,
            rate=memory.rows(m.RATE, rows).copy(),
            offset=call.offset[record],
            index_in_record=memory.rows(m.ROW_INDEX, rows).astype(np.int32),
            late_or_early=(time_ns < append_ns - limits.TIME_PAST_BOUND_NS_V1)
            | (time_ns > append_ns + limits.TIME_FUTURE_BOUND_NS_V1),
            columns=with_rows(made, fields) if fields else made,
            held_bytes=-1 if fields else output_bytes + rows * _SYSTEM_BYTES,
        )
        call.blocks.append((block, record))


def _check_counts(call: _Call, texts: Texts, found: Int64s, events: Int64s) -> None:
    """Quarantine records that hold another number of events than their headers state.

    The kernel's count is right where it read a record to its end; the other records, which are
    few, are counted here.
    """
    for number in np.flatnonzero(found != events).tolist():
        lines = texts.lines(number).count(b"\n")
        if lines != events[number]:
            call.bad[int(texts.records[number])] = str(other_count(lines, int(events[number])))


def _columns(buffer: Bytes, memory: Memory) -> tuple[Mapping[ColumnKey, SparseColumn], int]:
    """(the cells of this pass as columns in the order of their keys, bytes of these columns).

    In memory of Arrow's pool, which reuses freed pages: fresh pages from the system cost
    0.25 of 0.9 CPU seconds per million wide events.
    """
    columns, size = lay_out(memory.words)
    whole = pa.allocate_buffer(size)
    output = np.frombuffer(whole, np.uint8)
    write_cells(buffer, memory.words, columns, output)
    laid = memory.words[m.LAID :][: columns * m.LAID_WORDS].reshape(-1, m.LAID_WORDS).T
    fields, kinds = laid[m.LAID_COLUMN] >> 3, laid[m.LAID_COLUMN] & 7
    names = _names(fields, memory)
    order = sorted(range(columns), key=names.__getitem__)  # stable: types are in order
    keys = [
        ColumnKey(names[at], TYPES[kind])
        for at, kind in zip(order, kinds[order].tolist(), strict=True)
    ]
    sizes = laid[m.LAID_CELLS][order]
    begins = np.where(kinds == BOOL, laid[m.LAID_VALUES] << 3, laid[m.LAID_VALUES] >> 3)[order]
    row_begins = (laid[m.LAID_ROWS] >> 2)[order]
    if not is_sparse(columns, int(memory.words[m.CELLS]), int(memory.words[m.ROWS])):
        return unpacked(keys, whole, sizes, begins, row_begins), size
    packed = PackedColumns(keys, whole, sizes, begins, row_begins)
    return (packed if columns < _TIGHT_FROM else packed.tight()), size


def _names(fields: Int64s, memory: Memory) -> list[str]:
    """The full names of these fields; the arena is copied once, not once per name."""
    texts = memory.words[m.FIELD :][: m.FIELD_WORDS * m.NAMES_MAX].reshape(-1, m.FIELD_WORDS)
    starts = texts[fields, m.FIELD_TEXT]
    ends = starts + texts[fields, m.FIELD_SIZE]
    text = memory.arena[: int(ends.max(initial=0))].tobytes()
    spans = zip(starts.tolist(), ends.tolist(), strict=True)
    return [text[start:end].decode() for start, end in spans]
