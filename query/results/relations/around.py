"""Where other spans of a trace are looked for, and what their absence may mean."""

from typing import Any, Final

from query.plan.relations import About, RelatedConditions

_TIME_MIN_NS: Final = -(2**63)
_TIME_MAX_NS: Final = 2**63 - 1


def with_margin(start_ns: int, end_ns: int, margin_ns: int) -> tuple[int, int]:
    """The range in which a trace's other spans are looked for."""
    return max(_TIME_MIN_NS, start_ns - margin_ns), min(_TIME_MAX_NS, end_ns + margin_ns)


def note_on_none(coverage: dict[str, Any], conditions: RelatedConditions, what: str) -> list[str]:
    """A note where the span that `none.` would have found may not be covered.

    what: what the answer may have wrongly.
    """
    if coverage["complete"] or About.NONE not in conditions.by_span:
        return []
    return [
        f"not everything is covered: {what} although a span that is missing meets a condition of"
        " `none.`"
    ]
