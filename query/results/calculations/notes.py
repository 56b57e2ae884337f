"""What an answer says about calculations whose definition a person cannot guess."""

from query.plan.operations import RATES
from query.plan.planner import QueryRequest, totals_plan

_SECOND_NS = 10**9


def notes_on_calculations(query: QueryRequest) -> list[str]:
    """Each note once."""
    ops = {calculation.op for calculation in query.spec.calculations}
    notes = []
    wanted = totals_plan(query, at_least={}, wait_ms=0).open_spans
    if wanted is not None:
        before = _length(wanted.before_ns // _SECOND_NS)
        notes.append(
            "CONCURRENCY is the most spans that were open at once, looked at 16 times in each step:"
            f" what is shorter may be missed; spans that began more than {before} before the range"
            " are not counted"
        )
    if ops & set(RATES):
        notes.append(
            "a rate is the change since the step before, per second; after a fall a counter began"
            " anew at 0; results have the mean of the range"
        )
    return notes


def _length(seconds: int) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds % size == 0 and seconds > size:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"
