"""Columns of small segments in memory, so that a thousand pieces do not cost a thousand files.

To open a file and read its footer costs DuckDB and Arrow 0.1 to 0.2 ms, whatever is in it. So the
columns that were asked of a small segment stay in memory, within a bound, and a question reads all
small segments as one table. A segment never changes, so that nothing held becomes wrong.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from common.errors import DamagedObject
from query.cancellation import check_cancelled
from query.share.view.view import SegmentView
from segment.columns import ColumnKey
from segment.columns.key import RATE, TIME

# Segments of at most so many rows are read from memory when they are asked again. One of so many
# wide rows takes as long to decode as to open.
SMALL_ROWS_MAX: Final = 1_024
HELD_BYTES_MAX: Final = 64 * 1024 * 1024  # of the columns in memory
# A column of more bytes stays in its file: a text of 60 kB in each of 1,000 rows, if it is the same
# one, takes 60 kB there and 60 MB here.
COLUMN_BYTES_MAX: Final = 1024 * 1024
_READ_BYTES_MAX: Final = 16 * 1024 * 1024  # that several columns may take that are read at once
_SEGMENT_BYTES: Final = 600  # of the objects that hold a segment without columns, approximately
_COLUMN_BYTES: Final = 300
_VALUE_BYTES: Final = 16
SYSTEM: Final = {TIME: pa.int64(), RATE: pa.int64()}
_SYSTEM_BYTES: Final = 16  # of a row


@dataclass(frozen=True, slots=True)
class _Held:
    """Columns of a segment by physical name, and the bytes of each.

    large: names of columns that are too large to be held.
    """

    columns: dict[str, pa.Array]
    sizes: dict[str, int]
    large: frozenset[str]

    @property
    def held_bytes(self) -> int:
        """Bytes of all of it."""
        known = len(self.columns) + len(self.large)
        return _SEGMENT_BYTES + known * _COLUMN_BYTES + sum(self.sizes.values())


_NOTHING: Final = _Held({}, {}, frozenset())


class SmallTable(NamedTuple):
    """Rows of small segments; None if there are none.

    others: indices of the segments whose rows are not in it: they would take too much memory.
    """

    rows: pa.Table | None
    others: list[int]


class SmallSegments:
    """The columns held. Safe to use from several threads."""

    def __init__(self, bytes_max: int = HELD_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._segments: OrderedDict[str, _Held] = OrderedDict()
        self._lock = threading.Lock()
        self.bytes_held = 0

    def fit(self, segments: Iterable[SegmentView], columns: int) -> bool:
        """Whether so many columns of the small ones of these take no more than half of the room.

        Else they would push each other out before the next question.
        """
        sizes = [s.rows for s in segments if s.rows <= SMALL_ROWS_MAX]
        each = len(sizes) * _COLUMN_BYTES + sum(sizes) * _VALUE_BYTES
        return 2 * each * (columns + len(SYSTEM)) <= self._bytes_max

    def table(self, segments: Sequence[SegmentView], keys: Sequence[ColumnKey]) -> SmallTable:
        """The rows of the segments: time, rate and these columns, by physical name, in one chunk.

        A column that a segment lacks is null there. The table has at most half of the bytes that
        may be held, so that what is held stays until the next question. Raises DamagedObject.
        """
        types = {**SYSTEM, **{key.physical: key.type.arrow for key in keys}}
        by_name: dict[str, list[pa.Array]] = {name: [] for name in types}
        others: list[int] = []
        room = self._bytes_max // 2
        for at, segment in enumerate(segments):
            check_cancelled()
            own = [key.physical for key in keys if key in segment.columns]
            held = self._with_columns(segment, own, types)
            if held.large and not held.large.isdisjoint(own):
                others.append(at)
                continue
            sizes = held.sizes
            size = sum([sizes[name] for name in own], _SYSTEM_BYTES * segment.rows)
            if size > room:
                others += range(at, len(segments))
                break
            room -= size
            for name, arrays in by_name.items():
                column = held.columns.get(name)
                if column is None:
                    column = pa.nulls(segment.rows, types[name])
                arrays.append(column)
        if len(others) == len(segments):
            return SmallTable(None, others)
        joined = [pa.concat_arrays(arrays) for arrays in by_name.values()]
        return SmallTable(pa.table(joined, names=list(by_name)), others)

    def _with_columns(
        self, segment: SegmentView, own: Sequence[str], types: Mapping[str, pa.DataType]
    ) -> _Held:
        """What is held of a segment, with at least time, rate and these columns."""
        name = segment.object_hash
        with self._lock:
            held = self._segments.get(name, _NOTHING)
            if held is not _NOTHING:
                self._segments.move_to_end(name)
        columns, large = held.columns, held.large
        missing = [one for one in (*SYSTEM, *own) if one not in columns and one not in large]
        if not missing:
            return held
        found = _read(segment, {one: types[one] for one in missing})
        kept = {one: column for one, column in found.items() if column is not None}
        held = _Held(
            {**columns, **kept},
            {**held.sizes, **{one: column.nbytes for one, column in kept.items()}},
            large.union(found.keys() - kept.keys()),
        )
        with self._lock:
            self._keep(name, held)
        return held

    def _keep(self, name: str, held: _Held) -> None:
        before = self._segments.pop(name, None)
        if before is not None:
            self.bytes_held -= before.held_bytes
        self._segments[name] = held
        self.bytes_held += held.held_bytes
        while self.bytes_held > self._bytes_max:
            _, evicted = self._segments.popitem(last=False)
            self.bytes_held -= evicted.held_bytes


def _read(segment: SegmentView, types: Mapping[str, pa.DataType]) -> dict[str, pa.Array | None]:
    """Columns of a segment's file by physical name; None: too large. Raises DamagedObject."""
    found: dict[str, pa.Array | None] = {}
    try:
        with pq.ParquetFile(segment.path, pre_buffer=False) as file:
            if file.metadata.num_rows != segment.rows:
                rows = file.metadata.num_rows
                raise DamagedObject(f"segment {segment.path.name} has {rows} rows")
            names = list(types)
            together = _bytes_most(file, names) <= _READ_BYTES_MAX
            for some in [names] if together else [[name] for name in names]:
                groups = range(file.num_row_groups)
                table = file.read_row_groups(groups, columns=some, use_threads=False)
                for name in some:
                    column = table.column(name).combine_chunks().cast(types[name])
                    found[name] = column if column.nbytes <= COLUMN_BYTES_MAX else None
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise DamagedObject(f"segment {segment.path.name} cannot be read") from error
    return found


def _bytes_most(file: pq.ParquetFile, names: Sequence[str]) -> int:
    """The most bytes that the columns can take in memory: each value is within its column."""
    groups = [file.metadata.row_group(at) for at in range(file.num_row_groups)]
    most = sum(int(group.total_byte_size * group.num_rows) for group in groups)  # of all columns
    if most <= _READ_BYTES_MAX:
        return most
    at = [file.schema_arrow.get_field_index(name) for name in names]
    return sum(
        int(group.column(i).total_uncompressed_size * group.num_rows)
        for group in groups
        for i in at
    )
