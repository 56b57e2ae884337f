"""Where other spans of a trace are looked for, and what their absence may mean."""

from dataclasses import dataclass
from typing import Any, Final

from common.process.fair.requester import Requester
from query.plan.parts.spans import SpanQuery
from query.plan.plan import Plan
from query.plan.relations import About, RelatedConditions

_TIME_MIN_NS: Final = -(2**63)
_TIME_MAX_NS: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Around:
    """A range, and how far around it other spans are looked for.

    overlapping: whether also events are read that only last into the range.
    """

    start_ns: int
    end_ns: int
    margin_ns: int
    requester: Requester
    overlapping: bool = False

    def plan(self, spans: SpanQuery, *, at_least: dict[int, int], wait_ms: int, log: str) -> Plan:
        """The plan of an exchange about spans; see `Plan` for the others."""
        start_ns, end_ns = with_margin(self.start_ns, self.end_ns, self.margin_ns)
        return Plan(
            dataset="",
            start_ns=start_ns,
            end_ns=end_ns,
            needs=(),
            log=log,
            at_least=at_least,
            wait_ms=wait_ms,
            spans=spans,
            overlapping=self.overlapping,
            env=self.requester.env,
            key=self.requester.key,
        )


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
