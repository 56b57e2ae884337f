"""The answer to a question, before it becomes JSON."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in the vendor's shape; its series are `query.results.totals.series.EncodedRows`.

    coverage: the rows it includes, by partition.
    types: by field that the query names, the letters of its types.
    groups: sums over all groups (`query.results.totals.group_sums`); None without breakdowns.
    compared: of the earlier range that it is compared with (`query.results.compare`).
    """

    data: dict[str, Any]
    coverage: dict[str, Any]
    notes: list[str]
    types: dict[str, str]
    groups: dict[str, Any] | None = None
    compared: "Compared | None" = None


@dataclass(frozen=True, slots=True)
class Compared:
    """An earlier answer, beside the present one.

    offset_s: how much earlier its range begins.
    range: that range (`query.plan.planner.QueryRequest.told_range`).
    answer: its rows are of the groups that the present answer lists, in that order, then of the
        first groups that occur only in the earlier range.
    only_now, only_before: the listed groups that occur in one of the two ranges alone.
    """

    offset_s: int
    range: dict[str, int]
    answer: Answer
    only_now: list[dict[str, Any]]
    only_before: list[dict[str, Any]]


Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class PlanResult(Generic[Result]):
    """The merged shares of a plan.

    coverage: the rows they include, by partition.
    types: by field that the plan names, the letters of its types.
    """

    result: Result
    coverage: dict[str, Any]
    notes: list[str]
    types: dict[str, str]
