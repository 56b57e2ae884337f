"""Outlier detection: compares one broker or partition with its peers. Pure.

A peer is stuck when others acknowledge appends that began after its oldest open one; failing when
its appends fail while others are acknowledged; slow when its latency is a multiple of the usual.
When all are stuck, failing or slow, none is an outlier: the whole cluster has a fault, and other
partitions are no better.
"""

from collections.abc import Collection
from dataclasses import dataclass

from shepherd.placement.append_stats import AppendStats

SLOW_TIMES = 4  # of the usual p90
SLOW_MIN_NS = 150_000_000  # latencies below this never eject
WEIGHT_MIN = 20.0  # appends remembered before a quantile is meaningful
_MUCH_QUICKER_TIMES = 2
_FAILURES_MAX = 3  # weighted, without an acknowledgement between them


@dataclass(frozen=True, slots=True)
class Peers:
    """Statistics of brokers, or of partitions, to compare each with.

    usual_ns: lower median of their p90; 0 if fewer than two have enough appends.
    hedge_after_ns: how long an append may take before it counts as stuck.
    resumed_ns: when the last stall of all of them ended; waiting counts from then on.
    """

    peers: Collection[AppendStats]
    usual_ns: int
    hedge_after_ns: int
    resumed_ns: int

    def outlier_reason(self, own: AppendStats, now_ns: int) -> str:
        """Reason why the peer with these statistics is an outlier; empty if it is none."""
        oldest_ns = own.oldest_fresh_ns()
        if oldest_ns is not None and own.acked_start_ns <= oldest_ns:
            waited_ns = now_ns - max(oldest_ns, self.resumed_ns)
            if waited_ns > self.hedge_after_ns and any(
                outpaces(other, oldest_ns, waited_ns, now_ns)
                for other in self.peers
                if other is not own
            ):
                return f"no acknowledgement for {waited_ns / 1e6:.0f} ms while others answer"
        if own.failures >= _FAILURES_MAX and any(
            other.acked_start_ns > own.failing_since_ns for other in self.peers
        ):
            return "appends fail while others are acknowledged"
        if self.usual_ns and own.latency.weight(now_ns) >= WEIGHT_MIN:
            own_ns = own.latency.quantile(0.9, now_ns)
            if own_ns > max(SLOW_MIN_NS, SLOW_TIMES * self.usual_ns):
                return f"p90 of {own_ns / 1e6:.0f} ms where {self.usual_ns / 1e6:.0f} ms is usual"
        return ""


def outpaces(other: AppendStats, began_ns: int, waited_ns: int, now_ns: int) -> bool:
    """Whether `other` acknowledged an append that began after one that is still open, and is
    much quicker now. If it is not, all have just become slow.
    """
    if other.acked_start_ns <= began_ns:
        return False
    return waited_ns > _MUCH_QUICKER_TIMES * other.current_ns(now_ns)


def compare(
    peers: Collection[AppendStats], hedge_after_ns: int, resumed_ns: int, now_ns: int
) -> Peers:
    """Peers with their usual p90."""
    known = sorted(
        stats.latency.quantile(0.9, now_ns)
        for stats in peers
        if stats.latency.weight(now_ns) >= WEIGHT_MIN
    )
    usual_ns = known[(len(known) - 1) // 2] if len(known) > 1 else 0
    return Peers(peers, usual_ns, hedge_after_ns, resumed_ns)
