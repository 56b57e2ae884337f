"""What a fault did to the senders, from when each of their requests was answered."""

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tests.system.load import Ack

BIN_S = 0.25
DIP_BELOW = 0.5  # of the usual rate: a bin with less counts as dip


@dataclass(frozen=True, slots=True)
class Figures:
    """Times in seconds. `dip_s`: time after the fault with less than half of the usual rate."""

    usual_rate: float
    usual_p50_ms: float
    usual_p99_ms: float
    longest_wait_s: float
    longest_gap_s: float
    dip_s: float

    def line(self) -> str:
        """For people."""
        return (
            f"{self.usual_rate:.0f} events/s before the fault (ack p50 {self.usual_p50_ms:.0f} ms, "
            f"p99 {self.usual_p99_ms:.0f} ms); after it: longest ack wait "
            f"{self.longest_wait_s:.2f} s, longest time without any ack {self.longest_gap_s:.2f} s,"
            f" {self.dip_s:.2f} s below half the usual rate"
        )


def measure(acks: Sequence[Ack], begin_s: float, fault_s: float, end_s: float) -> Figures:
    """Compare the time from `begin_s` to `fault_s` with the time from `fault_s` to `end_s`."""
    before = [ack for ack in acks if begin_s <= ack.at_s < fault_s]
    after = sorted((a for a in acks if fault_s <= a.at_s < end_s), key=lambda ack: ack.at_s)
    usual = sum(ack.events for ack in before) / max(fault_s - begin_s, BIN_S)
    counts = [0] * max(1, int((end_s - fault_s) / BIN_S))
    for ack in after:
        place = int((ack.at_s - fault_s) / BIN_S)
        if place < len(counts):
            counts[place] += ack.events
    times = [fault_s, *(ack.at_s for ack in after), end_s]
    waits = sorted(ack.wait_s for ack in before) or [0.0]
    return Figures(
        usual_rate=usual,
        usual_p50_ms=1e3 * statistics.median(waits),
        usual_p99_ms=1e3 * waits[int(0.99 * (len(waits) - 1))],
        longest_wait_s=max((ack.wait_s for ack in after), default=0.0),
        longest_gap_s=max(b - a for a, b in itertools.pairwise(times)),
        dip_s=BIN_S * sum(count < DIP_BELOW * usual * BIN_S for count in counts),
    )
