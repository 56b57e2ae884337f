"""Columns of small segments in memory, so that a thousand pieces do not cost a thousand files.

To open a file and read its footer costs DuckDB and Arrow 0.1 to 0.2 ms, whatever is in it. So the
columns that were asked of a small segment stay in memory, within a bound, and a question reads all
small segments as one table. A segment never changes, so that nothing held becomes wrong.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from common.errors import DamagedObject
from query.share.view import SegmentView
from segment.columns import ColumnKey
from segment.columns.key import RATE, TIME

# Segments of at most so many rows are read from memory when they are asked again. One of so many
# wide rows takes as long to decode as to open.
SMALL_ROWS_MAX: Final = 1_024
HELD_BYTES_MAX: Final = 64 * 1024 * 1024  # of the columns in memory
_SEGMENT_BYTES: Final = 600  # of the objects that hold a segment without columns, approximately
_COLUMN_BYTES: Final = 300
_VALUE_BYTES: Final = 16
SYSTEM: Final = {TIME: pa.int64(), RATE: pa.int64()}


@dataclass(slots=True)
class _Held:
    """Columns of a segment by physical name."""

    columns: dict[str, pa.Array] = field(default_factory=dict)
    held_bytes: int = _SEGMENT_BYTES


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

    def table(self, segments: Sequence[SegmentView], keys: Sequence[ColumnKey]) -> pa.Table:
        """The rows of the segments: time, rate and these columns, by physical name, in one chunk.

        A column that a segment lacks is null there. Raises DamagedObject.
        """
        types = {**SYSTEM, **{key.physical: key.type.arrow for key in keys}}
        by_name: dict[str, list[pa.Array]] = {name: [] for name in types}
        for segment in segments:
            own = {key.physical for key in keys if key in segment.columns}
            columns = self._columns(segment, {name: types[name] for name in (*SYSTEM, *own)})
            for name, arrays in by_name.items():
                column = columns.get(name)
                if column is None:
                    column = pa.nulls(segment.rows, types[name])
                arrays.append(column)
        joined = [pa.concat_arrays(arrays) for arrays in by_name.values()]
        return pa.table(joined, names=list(by_name))

    def _columns(
        self, segment: SegmentView, types: Mapping[str, pa.DataType]
    ) -> dict[str, pa.Array]:
        """At least these columns of a segment, of these types."""
        name = segment.object_hash
        with self._lock:
            held = self._segments.get(name)
            if held is not None:
                self._segments.move_to_end(name)
            known = {} if held is None else held.columns
        missing = {name: one for name, one in types.items() if name not in known}
        if not missing:
            return known
        found = {**known, **_read(segment, missing)}
        with self._lock:
            self._keep(name, found)
        return found

    def _keep(self, name: str, columns: dict[str, pa.Array]) -> None:
        size = _SEGMENT_BYTES + sum(_COLUMN_BYTES + one.nbytes for one in columns.values())
        before = self._segments.pop(name, None)
        if before is not None:
            self.bytes_held -= before.held_bytes
        self._segments[name] = _Held(columns, size)
        self.bytes_held += size
        while self.bytes_held > self._bytes_max:
            _, evicted = self._segments.popitem(last=False)
            self.bytes_held -= evicted.held_bytes


def _read(segment: SegmentView, types: Mapping[str, pa.DataType]) -> dict[str, pa.Array]:
    """Columns of a segment's file by physical name. Raises DamagedObject."""
    try:
        with pq.ParquetFile(segment.path, pre_buffer=False) as file:
            groups = range(file.num_row_groups)
            table = file.read_row_groups(groups, columns=list(types), use_threads=False)
        found = {name: table.column(name).combine_chunks().cast(one) for name, one in types.items()}
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise DamagedObject(f"segment {segment.path.name} cannot be read") from error
    if table.num_rows != segment.rows:
        raise DamagedObject(f"segment {segment.path.name} has {table.num_rows} rows")
    return found
