"""What a request says of the columns that its metrics fill: type, unit, temporality, description.

These facts are no part of events: `facts_queue` brings them to metadata.
"""

from collections.abc import Mapping
from typing import Final

from common import limits
from shepherd.otlp.metrics.values import Kind, Metric, Temporality

FactsByHash = Mapping[int, Metric]
"""Facts of columns by their hash in this process. The name of each is its column's."""

_COUNT: Final = ".count"


def facts_by_hash(columns: Mapping[str, Metric]) -> FactsByHash:
    """The facts of some columns. columns: the metric that fills each, by the column's name.

    Columns of longer names than a user could describe have none.
    """
    found = {}
    for column, metric in columns.items():
        if len(column) <= limits.COLUMN_TEXT_CHARS_MAX:
            facts = _facts_of_column(column, metric)
            found[hash(facts)] = facts
    return found


def _facts_of_column(column: str, metric: Metric) -> Metric:
    """A count has no unit, and one since the start never falls."""
    is_count = metric.kind not in (Kind.GAUGE, Kind.SUM) and column == f"{metric.name}{_COUNT}"
    return metric._replace(
        name=column,
        unit="" if is_count else _cut(metric.unit, limits.COLUMN_TEXT_CHARS_MAX),
        description=_cut(metric.description, limits.COLUMN_FACTS_TEXT_CHARS_MAX),
        monotonic=metric.monotonic or (is_count and metric.temporality is not Temporality.NONE),
    )


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else text[: chars - 1] + "\N{HORIZONTAL ELLIPSIS}"
