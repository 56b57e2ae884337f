"""Columns of small segments in memory, so that a thousand pieces do not cost a thousand files.

To open a file and read its footer costs DuckDB and Arrow 0.1 to 0.2 ms, whatever is in it. So the
columns that were asked of a small segment stay in memory, within a bound, and a question reads all
small segments as one table. A segment never changes, so that nothing held becomes wrong.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from common.errors import DamagedObject
from query.cancellation import check_cancelled
from query.share.view import SegmentView
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


@dataclass(slots=True)
class _Held:
    """Columns of a segment by physical name; None: the column is too large to be held."""

    columns: dict[str, pa.Array | None] = field(default_factory=dict)
    held_bytes: int = _SEGMENT_BYTES


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
            own = {key.physical for key in keys if key in segment.columns}
            wanted = {name: types[name] for name in (*SYSTEM, *own)}
            columns = self._columns(segment, wanted)
            size = sum(COLUMN_BYTES_MAX if c is None else c.nbytes for c in columns.values())
            if size > room:
                others += range(at, len(segments))
                break
            if None in columns.values():
                others.append(at)
                continue
            room -= size
            for name, arrays in by_name.items():
                column = columns.get(name)
                if column is None:
                    column = pa.nulls(segment.rows, types[name])
                arrays.append(column)
        if len(others) == len(segments):
            return SmallTable(None, others)
        joined = [pa.concat_arrays(arrays) for arrays in by_name.values()]
        return SmallTable(pa.table(joined, names=list(by_name)), others)

    def _columns(
        self, segment: SegmentView, types: Mapping[str, pa.DataType]
    ) -> dict[str, pa.Array | None]:
        """These columns of a segment, of these types."""
        name = segment.object_hash
        with self._lock:
            held = self._segments.get(name)
            if held is not None:
                self._segments.move_to_end(name)
            known = {} if held is None else held.columns
        missing = {name: one for name, one in types.items() if name not in known}
        if missing:
            known = {**known, **_read(segment, missing)}
            with self._lock:
                self._keep(name, known)
        return {name: known[name] for name in types}

    def _keep(self, name: str, columns: dict[str, pa.Array | None]) -> None:
        values = sum(0 if one is None else one.nbytes for one in columns.values())
        size = _SEGMENT_BYTES + len(columns) * _COLUMN_BYTES + values
        before = self._segments.pop(name, None)
        if before is not None:
            self.bytes_held -= before.held_bytes
        self._segments[name] = _Held(columns, size)
        self.bytes_held += size
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
    most, metadata = 0, file.metadata
    at = [file.schema_arrow.get_field_index(name) for name in names]
    for group in (metadata.row_group(i) for i in range(metadata.num_row_groups)):
        most += sum(group.column(i).total_uncompressed_size for i in at) * group.num_rows
    return most
