"""What a segment's summary says about the columns of filters."""

from collections.abc import Iterable, Sequence

from query.plan.parts.conditions import Filter, filter_fields
from query.share.pruning.facts import ColumnFacts, SourceFacts
from query.share.pruning.may_match import may_match
from segment.columns import ColumnKey, FieldType
from segment.summary.summary import ColumnSummary, SegmentSummary


def summary_may_match(
    summary: SegmentSummary, filters: Sequence[Filter], *, any_filter: bool
) -> bool:
    """Whether a row of the segment may match. True if not all of its columns are summarized.

    Raises NoSummary.
    """
    if not filters or not summary.complete:
        return True
    return may_match(filters, any_filter, _facts(summary, filter_fields(filters)))


def _facts(summary: SegmentSummary, fields: Iterable[str]) -> SourceFacts:
    columns: dict[ColumnKey, ColumnFacts] = {}
    for field in fields:
        for field_type in FieldType:
            key = ColumnKey(field, field_type)
            column = summary.column(key)
            if column is not None:
                columns[key] = column_facts(column)
    return SourceFacts(summary.rows, columns, summary.may_hold)


def column_facts(column: ColumnSummary) -> ColumnFacts:
    """What the summary of a column says."""
    return ColumnFacts(
        values=column.rows,
        low=column.low,
        high=None if column.has_nan else column.high,  # NaN is greater than every number
        distinct=tuple(value for value, _ in column.values) if column.values_complete else None,
        prefixes=frozenset(column.prefixes) if column.prefixes_complete else None,
        prefix_bytes=column.prefix_bytes,
    )
