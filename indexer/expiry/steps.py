"""How far each dataset's cut-off may move now: in steps bounded by monotonic time (I13).

A cut-off begins at the oldest segment and follows what retention wants, at most a day for each
hour that the process runs. A step of more than `CLOCK_STEP_NS` needs a clock that agrees, or an
operator's word: the machine's clock may have leapt, the installation may have been off for long,
or its retention was shortened.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from common import limits
from snapshot.retention.cutoffs import HOUR_NS


@dataclass(frozen=True, slots=True)
class Wish:
    """One dataset. All are append times in unix ns.

    oldest_ns: of its oldest segment. wanted_ns: the cut-off of its retention by trusted time;
    by_clock_ns: the same by the machine's clock. word_ns: what an operator has confirmed.
    """

    oldest_ns: int
    wanted_ns: int
    by_clock_ns: int
    word_ns: int = 0


@dataclass(frozen=True, slots=True)
class Decided:
    """cutoff_ns: what was appended before it may expire. waits_ns: the size of the step that
    waits for a witness or a word; 0: none does.
    """

    cutoff_ns: int
    waits_ns: int = 0


class Steps:
    """The cut-offs of one partition. Pure; one look after the other."""

    def __init__(self, steady_ns: int) -> None:
        self._looked_ns = steady_ns
        self._reached: dict[str, int] = {}

    def look(
        self, wishes: Mapping[str, Wish], steady_ns: int, *, agreed: bool, blocked: bool = False
    ) -> dict[str, Decided]:
        """The cut-offs now. blocked: a clock disagrees; only what was confirmed may expire."""
        passed_ns = max(0, steady_ns - self._looked_ns)
        self._looked_ns = steady_ns
        found = {
            name: self._decide(name, wish, passed_ns, agreed=agreed, blocked=blocked)
            for name, wish in wishes.items()
        }
        self._reached = {name: self._reached[name] for name in wishes}
        return found

    def _decide(
        self, name: str, wish: Wish, passed_ns: int, *, agreed: bool, blocked: bool
    ) -> Decided:
        # nothing lies before the oldest segment, so a step begins there
        word_ns = min(wish.word_ns, wish.by_clock_ns)
        reached_ns = max(self._reached.get(name, 0), wish.oldest_ns, word_ns)
        step_ns = wish.wanted_ns - reached_ns
        waits_ns = 0
        if step_ns > 0:
            # what grew while this process ran and could not look is no leap
            if blocked or (step_ns > limits.CLOCK_STEP_NS + passed_ns and not agreed):
                waits_ns = step_ns
            else:
                reached_ns += min(step_ns, passed_ns * limits.CLOCK_STEP_RATE)
        self._reached[name] = reached_ns
        cutoff_ns = max(min(reached_ns, wish.wanted_ns), word_ns)
        if wish.by_clock_ns - wish.wanted_ns > limits.CLOCK_STEP_NS:  # the clock is not believed
            waits_ns = max(waits_ns, wish.by_clock_ns - reached_ns)
        return Decided(whole_hours(cutoff_ns), waits_ns)


def whole_hours(ns: int) -> int:
    """The full hour at or before: cut-offs in hours bound the number of documents."""
    return ns - ns % HOUR_NS
