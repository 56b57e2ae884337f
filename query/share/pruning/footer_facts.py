"""What the footers of segments say about the columns of filters, kept in memory within a bound.

A footer is opened once for each field that filters name; a segment never changes, so that nothing
held becomes wrong. To open one costs about what DuckDB pays for a file, which is then left out.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from common.errors import DamagedObject
from query.plan.plan import Plan, filter_fields
from query.share.pruning.facts import Bound, ColumnFacts, SourceFacts
from query.share.pruning.may_match import may_match
from query.share.view import SegmentView
from segment.columns import ColumnKey, FieldType

# The facts of 25,000 segments about two fields each.
HELD_BYTES_MAX: Final = 32 * 1024 * 1024
_SEGMENT_BYTES: Final = 400  # of the objects that hold a segment without facts, approximately
_COLUMN_BYTES: Final = 400  # of a column's, with bounds of some bytes
_NOTHING: Final = ColumnFacts()  # is known, of a column inside the overflow column

_Facts = dict[ColumnKey, ColumnFacts]


class FooterFacts:
    """The facts held. Safe to use from several threads."""

    def __init__(self, bytes_max: int = HELD_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._segments: OrderedDict[str, tuple[_Facts, int]] = OrderedDict()
        self._lock = threading.Lock()
        self.bytes_held = 0

    def may_match(self, plan: Plan, segment: SegmentView) -> bool:
        """Whether a row of the segment may match the filters of a plan. Raises DamagedObject."""
        if not plan.filters:
            return True
        fields = filter_fields(plan.filters)
        keys = [key for key in segment.columns if key.field in fields]
        columns = dict(self._columns(segment, keys)) if keys else {}
        for key in segment.overflow_columns:
            if key.field in fields:
                columns[key] = _NOTHING
        return may_match(plan.filters, plan.any_filter, SourceFacts(segment.rows, columns))

    def _columns(self, segment: SegmentView, keys: Sequence[ColumnKey]) -> _Facts:
        """The facts of at least these columns of a segment."""
        name = segment.object_hash
        with self._lock:
            held = self._segments.get(name)
            if held is not None:
                self._segments.move_to_end(name)
        known = {} if held is None else held[0]
        missing = [key for key in keys if key not in known]
        if not missing:
            return known
        found = {**known, **_read(segment, missing)}
        with self._lock:
            self._keep(name, found)
        return found

    def _keep(self, name: str, facts: _Facts) -> None:
        size = _SEGMENT_BYTES + len(facts) * _COLUMN_BYTES
        before = self._segments.pop(name, None)
        self._segments[name] = facts, size
        self.bytes_held += size - (0 if before is None else before[1])
        while self.bytes_held > self._bytes_max:
            _, (_, evicted) = self._segments.popitem(last=False)
            self.bytes_held -= evicted


def _read(segment: SegmentView, keys: Iterable[ColumnKey]) -> _Facts:
    """The facts of these columns in a segment's footer. Raises DamagedObject."""
    wanted = {key.physical: key for key in keys}
    try:
        metadata = pq.read_metadata(segment.path)
        names = metadata.schema.names
        return {
            wanted[name]: _of_chunks(metadata, column, wanted[name].type)
            for column, name in enumerate(names)
            if name in wanted
        }
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DamagedObject(f"segment {segment.path.name} cannot be read") from error


def _of_chunks(metadata: pq.FileMetaData, column: int, field_type: FieldType) -> ColumnFacts:
    """The facts of all chunks of a column."""
    values: int | None = 0
    lows: list[Bound] = []
    highs: list[Bound] = []
    for group in range(metadata.num_row_groups):
        chunk = metadata.row_group(group).column(column)
        found = chunk.statistics
        if found is None or not found.has_null_count:
            values = None
        elif values is not None:
            values += chunk.num_values - found.null_count
        if found is not None and found.has_min_max:
            lows.append(found.min_raw)
            highs.append(found.max_raw)
    if len(lows) < metadata.num_row_groups or not lows:
        return ColumnFacts(values)
    return ColumnFacts(values, min(lows), max(highs))
