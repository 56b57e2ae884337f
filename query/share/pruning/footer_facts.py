"""What the footers of segments say about the columns of filters, kept in memory within a bound.

A footer is opened once for each field that filters name; a segment never changes, so that nothing
held becomes wrong. To open one costs about what DuckDB pays for a file, which is then left out.
Of a bloom filter only its place is kept: one block of it is read for each text that is looked up,
which takes 20 us, while DuckDB opens the file and reads all of the filter.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from common.errors import DamagedObject
from query.plan.calculated import stored_filters
from query.plan.parts.conditions import FilterOp, filter_fields
from query.plan.plan import Plan
from query.share.pruning.facts import Bound, ColumnFacts, SourceFacts
from query.share.pruning.may_match import may_match
from query.share.view.view import SegmentView
from segment.columns import ColumnKey
from segment.parquet.bloom import PlacedFilter, find_filter

# The facts of 25,000 segments about two fields each.
HELD_BYTES_MAX: Final = 32 * 1024 * 1024
_SEGMENT_BYTES: Final = 400  # of the objects that hold a segment without facts, approximately
_COLUMN_BYTES: Final = 400  # of a column's, with bounds of some bytes
_FILTER_BYTES: Final = 500  # of the place of a column's bloom filter, with its path
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
        filters = stored_filters(plan)
        if not filters:
            return True
        fields = filter_fields(filters)
        keys = [key for key in segment.columns if key.field in fields]
        columns = dict(self._columns(segment, keys)) if keys else {}
        for key in segment.overflow_columns:
            if key.field in fields:
                columns[key] = _NOTHING
        try:
            return may_match(filters, plan.any_filter, SourceFacts(segment.rows, columns))
        except OSError as error:  # of a bloom filter
            raise _unreadable(segment) from error

    def of_columns(self, segment: SegmentView, keys: Sequence[ColumnKey]) -> SourceFacts:
        """What is known of those of these columns that a segment has. Raises DamagedObject."""
        own = [key for key in keys if key in segment.columns]
        columns = dict(self._columns(segment, own)) if own else {}
        columns |= {key: _NOTHING for key in keys if key in segment.overflow_columns}
        return SourceFacts(segment.rows, columns)

    def are_looked_up(self, plan: Plan, segment: SegmentView) -> bool:
        """Whether rows must have one of some texts of a column with a bloom filter, as rows of a
        trace have: then few of the segment will match. Raises DamagedObject.
        """
        if plan.any_filter and len(plan.filters) > 1:
            return False
        fields = {one.field for one in stored_filters(plan) if one.op in (FilterOp.EQ, FilterOp.IN)}
        keys = [key for key in segment.columns if key.field in fields]
        facts = self._columns(segment, keys) if keys else {}
        return any(facts[key].may_hold is not None for key in keys)

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
        filters = sum(column.may_hold is not None for column in facts.values())
        size = _SEGMENT_BYTES + len(facts) * _COLUMN_BYTES + filters * _FILTER_BYTES
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
            wanted[name]: _of_column(metadata, column, segment)
            for column, name in enumerate(names)
            if name in wanted
        }
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(segment) from error


def _unreadable(segment: SegmentView) -> DamagedObject:
    return DamagedObject(f"segment {segment.path.name} cannot be read")


def _of_column(metadata: pq.FileMetaData, column: int, segment: SegmentView) -> ColumnFacts:
    """The facts of a column, with its bloom filter if it has one for all of its values."""
    found = _of_chunks(metadata, column)
    if metadata.num_row_groups != 1:
        return found
    chunk = metadata.row_group(0).column(column)
    if chunk.bloom_filter_offset is None or chunk.bloom_filter_length is None:
        return found
    placed = find_filter(str(segment.path), chunk.bloom_filter_offset, chunk.bloom_filter_length)
    return found if placed is None else replace(found, may_hold=partial(_may_hold, placed))


def _may_hold(placed: PlacedFilter, text: str) -> bool:
    return placed.may_hold(text.encode("utf-8", "surrogatepass"))


def _of_chunks(metadata: pq.FileMetaData, column: int) -> ColumnFacts:
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
