"""Bounds how far a dataset's cut-off may move at once, by monotonic time (I13).

A cut-off is the append time before which a dataset's events may expire. It begins at the oldest
segment and follows the retention, at most a day for each hour that the process runs. A step of more
than `CLOCK_STEP_NS` needs a clock that agrees, or an operator's confirmation: the machine's clock
may have leapt, the installation may have been off for long, or its retention was shortened.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from common import limits
from snapshot.retention.cutoffs import HOUR_NS


@dataclass(frozen=True, slots=True)
class CutoffRequest:
    """The cut-offs considered for one dataset. All are append times in unix ns.

    oldest_ns: append time of the oldest segment.
    wanted_ns: the cut-off of the retention by trusted time.
    by_clock_ns: the cut-off of the retention by the machine's clock.
    confirmed_ns: the cut-off that an operator has confirmed.
    """

    oldest_ns: int
    wanted_ns: int
    by_clock_ns: int
    confirmed_ns: int = 0


@dataclass(frozen=True, slots=True)
class CutoffDecision:
    """A cut-off, and the size of a step that is not allowed yet.

    cutoff_ns: events appended before it may expire (unix ns).
    waits_ns: size of the step that waits for an agreeing clock or a confirmation; 0: no wait.
    """

    cutoff_ns: int
    waits_ns: int = 0


class CutoffSteps:
    """The cut-offs of one partition. Pure; updates follow each other."""

    def __init__(self, steady_ns: int) -> None:
        self._updated_ns = steady_ns
        self._reached: dict[str, int] = {}

    def update(
        self,
        requests: Mapping[str, CutoffRequest],
        steady_ns: int,
        *,
        agreed: bool,
        blocked: bool = False,
    ) -> dict[str, CutoffDecision]:
        """The cut-offs now. blocked: a clock differs, so only what was confirmed may expire."""
        passed_ns = max(0, steady_ns - self._updated_ns)
        self._updated_ns = steady_ns
        found = {
            name: self._decide(name, request, passed_ns, agreed=agreed, blocked=blocked)
            for name, request in requests.items()
        }
        self._reached = {name: self._reached[name] for name in requests}
        return found

    def _decide(
        self, name: str, request: CutoffRequest, passed_ns: int, *, agreed: bool, blocked: bool
    ) -> CutoffDecision:
        # no event is older than the oldest segment, so a step begins there
        confirmed_ns = min(request.confirmed_ns, request.by_clock_ns)
        reached_ns = max(self._reached.get(name, 0), request.oldest_ns, confirmed_ns)
        step_ns = request.wanted_ns - reached_ns
        waits_ns = 0
        if step_ns > 0:
            # a step that grew while this process ran without an update is not a leap
            if blocked or (step_ns > limits.CLOCK_STEP_NS + passed_ns and not agreed):
                waits_ns = step_ns
            else:
                reached_ns += min(step_ns, passed_ns * limits.CLOCK_STEP_RATE)
        self._reached[name] = reached_ns
        cutoff_ns = max(min(reached_ns, request.wanted_ns), confirmed_ns)
        if (
            request.by_clock_ns - request.wanted_ns > limits.CLOCK_STEP_NS
        ):  # the machine's clock is not trusted
            waits_ns = max(waits_ns, request.by_clock_ns - reached_ns)
        return CutoffDecision(whole_hours(cutoff_ns), waits_ns)


def whole_hours(ns: int) -> int:
    """The full hour at or before: cut-offs in hours bound the number of documents."""
    return ns - ns % HOUR_NS
