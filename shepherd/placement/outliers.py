"""What is wrong with one broker or partition compared to its peers. Pure.

A peer is stuck when others acknowledge what began after its oldest open append; failing when its
appends fail while others are acknowledged; slow when its latency is a multiple of the usual. When
all are stuck, failing or slow, nobody is: that is the cluster, and walking away does not help.
"""

from collections.abc import Collection
from dataclasses import dataclass

from shepherd.placement.append_stats import AppendStats

SLOW_TIMES = 4  # of the usual p90
SLOW_MIN_NS = 150_000_000  # nobody is avoided for less
WEIGHT_MIN = 20.0  # appends remembered before a quantile says anything
_MUCH_QUICKER_TIMES = 2
_FAILURES_MAX = 3  # weighed, without an acknowledgement between them


@dataclass(frozen=True, slots=True)
class Peers:
    """Some ledgers, and the lower median of their p90 (0: fewer than two have enough appends to
    tell). Waiting counts from `resumed_ns` on, when the last stall of all of them ended.
    """

    ledgers: Collection[AppendStats]
    usual_ns: int
    patience_ns: int
    resumed_ns: int

    def trouble(self, own: AppendStats, now_ns: int) -> str:
        """What is wrong with one of them, in words; empty: nothing."""
        oldest_ns = own.oldest_fresh_ns()
        if oldest_ns is not None and own.acked_start_ns <= oldest_ns:
            waited_ns = now_ns - max(oldest_ns, self.resumed_ns)
            if waited_ns > self.patience_ns and any(
                overtakes(other, oldest_ns, waited_ns, now_ns)
                for other in self.ledgers
                if other is not own
            ):
                return f"no acknowledgement for {waited_ns / 1e6:.0f} ms while others answer"
        if own.failures >= _FAILURES_MAX and any(
            other.acked_start_ns > own.failing_since_ns for other in self.ledgers
        ):
            return "appends fail while others are acknowledged"
        if self.usual_ns and own.latency.weight(now_ns) >= WEIGHT_MIN:
            own_ns = own.latency.quantile(0.9, now_ns)
            if own_ns > max(SLOW_MIN_NS, SLOW_TIMES * self.usual_ns):
                return f"p90 of {own_ns / 1e6:.0f} ms where {self.usual_ns / 1e6:.0f} ms is usual"
        return ""


def overtakes(other: AppendStats, began_ns: int, waited_ns: int, now_ns: int) -> bool:
    """Whether another acknowledged what began after an append that still waits, and is itself
    much quicker now (else all have just become slow).
    """
    if other.acked_start_ns <= began_ns:
        return False
    return waited_ns > _MUCH_QUICKER_TIMES * other.current_ns(now_ns)


def compare(
    ledgers: Collection[AppendStats], patience_ns: int, resumed_ns: int, now_ns: int
) -> Peers:
    """What is usual among these."""
    known = sorted(
        ledger.latency.quantile(0.9, now_ns)
        for ledger in ledgers
        if ledger.latency.weight(now_ns) >= WEIGHT_MIN
    )
    usual_ns = known[(len(known) - 1) // 2] if len(known) > 1 else 0
    return Peers(ledgers, usual_ns, patience_ns, resumed_ns)
