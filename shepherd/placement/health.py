"""Health of brokers and partitions: outlier detection against their peers, ejection, backpressure.

Pure: every method takes the time, nothing waits. A broker or partition is compared with its peers
(`shepherd.placement.outliers`). At most a third of the brokers is ejected, and single partitions
only while at most a third of them cannot be used. Beyond that (`too_many_outliers`) nothing more is
ejected and the shepherd pushes back (I11).
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from shepherd.placement.append_stats import UNKNOWN_WEIGHT, AppendStats, Ticket
from shepherd.placement.ejection import Ejection, EjectionHistory
from shepherd.placement.latency import DecayingQuantiles
from shepherd.placement.outliers import (
    SLOW_MIN_NS,
    SLOW_TIMES,
    WEIGHT_MIN,
    Peers,
    compare,
    outpaces,
)

HEDGE_AFTER_MIN_NS = 400_000_000  # hiccups of a busy machine are shorter
HEDGE_AFTER_MAX_NS = 1_000_000_000  # a stuck broker is left within two seconds, with time to spare
_HEDGE_AFTER_TIMES = 3  # of the usual p99
_ALL_SLOW_NS = 10**9  # a median beyond this: the whole cluster is slow
_STALL_SHOWN_NS = 10**9  # without an acknowledgement: the log is stuck
_BROKER_FORGOTTEN_NS = 3600 * 10**9  # without a partition: no longer part of the cluster
_ALL_HALF_LIFE_NS = 20 * 10**9


@dataclass(slots=True)
class Target:
    """A broker or a partition: its append statistics, and its ejection while it is ejected."""

    stats: AppendStats
    ejection: Ejection | None = None
    history: EjectionHistory = field(default_factory=EjectionHistory)
    seen_ns: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """A broker or partition was ejected (`reason`), or is in use again (empty reason).

    kind: "broker" or "partition".
    """

    kind: str
    name: str
    reason: str


class Health:
    """Health of one log in one shepherd's view. `leader` returns a partition's broker without I/O.

    too_many_outliers: reason why more should be ejected than the limit allows; empty if not.
    backpressure: reason why the whole log cannot take more; empty if it can.
    """

    def __init__(self, partitions: int, leader: Callable[[int], str], now_ns: int) -> None:
        self.leader = leader
        self._now_ns = now_ns
        self._ids = itertools.count()
        self.partitions = [Target(AppendStats(now_ns)) for _ in range(partitions)]
        self.brokers: dict[str, Target] = {}
        self.all = DecayingQuantiles(_ALL_HALF_LIFE_NS, now_ns)
        self._open: dict[int, Ticket] = {}
        self._last_ack_ns = now_ns
        self._resumed_ns = now_ns  # waiting times count from the end of the last stall of the log
        self._changes: list[Change] = []
        self._sibling_probed_ns: dict[str, int] = {}
        self._siblings: list[int] = []
        self.too_many_outliers = ""
        self.backpressure = ""

    def grow(self, partitions: int, now_ns: int) -> None:
        """The log has more partitions now."""
        more = partitions - len(self.partitions)
        self.partitions += [Target(AppendStats(now_ns)) for _ in range(more)]

    # --- reports ----------------------------------------------------------------------------

    def began(self, partition: int, size: int, now_ns: int) -> Ticket:
        """Report that an append is sent; its end is reported with the returned ticket."""
        ticket = Ticket(next(self._ids), partition, self.leader(partition), size, now_ns)
        self._open[ticket.id] = ticket
        for target in self._targets(ticket, now_ns):
            target.stats.began(ticket)
        return ticket

    def acknowledged(self, ticket: Ticket, now_ns: int) -> None:
        """Report that the append is durable."""
        if self.stalled_ns(now_ns) > HEDGE_AFTER_MIN_NS:
            self._resumed_ns = now_ns
        self._open.pop(ticket.id, None)
        self._last_ack_ns = max(self._last_ack_ns, now_ns)
        self.all.add(now_ns - ticket.started_ns, now_ns)
        for target in self._targets(ticket, now_ns):
            target.stats.acknowledged(ticket, now_ns)

    def refused(self, ticket: Ticket, now_ns: int) -> None:
        """Report that the record is certainly not in the log."""
        self._failed(ticket, now_ns, 1)

    def outcome_unknown(self, ticket: Ticket, now_ns: int) -> None:
        """Report that the record may be in the log or not."""
        self._failed(ticket, now_ns, UNKNOWN_WEIGHT)

    def withdrawn(self, ticket: Ticket, now_ns: int) -> None:
        """Report that the append ended for a local reason (a full buffer, a stop)."""
        self._open.pop(ticket.id, None)
        for target in self._targets(ticket, now_ns):
            target.stats.withdrawn(ticket)

    def probed(self, ticket: Ticket, good: bool, now_ns: int) -> None:
        """Report the end of a probe of an ejected target; its append is reported like others."""
        good = good and now_ns - ticket.started_ns <= self._slow_ns(now_ns)
        for kind, name, target in (
            ("broker", ticket.broker, self.brokers.get(ticket.broker)),
            ("partition", str(ticket.partition), self.partitions[ticket.partition]),
        ):
            if target and target.ejection and target.ejection.answered(good, now_ns):
                self._readmit(kind, name, target, now_ns)

    # --- decisions --------------------------------------------------------------------------

    def usable(self, partition: int) -> bool:
        """Whether neither the partition nor the broker that leads it now is ejected."""
        return self.usable_at(partition, self.leader(partition))

    def usable_at(self, partition: int, leader: str) -> bool:
        """As `usable`, for a caller that knows the leader already."""
        if self.partitions[partition].ejection is not None:
            return False
        broker = self.brokers.get(leader)
        return broker is None or broker.ejection is None

    @property
    def brokers_in_use(self) -> int:
        """How many brokers are not ejected."""
        return sum(target.ejection is None for name, target in self.brokers.items() if name)

    def hedge_after_ns(self, now_ns: int) -> int:
        """How long an append may take before a copy elsewhere is considered."""
        usual_ns = self.all.quantile(0.99, now_ns)
        return max(HEDGE_AFTER_MIN_NS, min(HEDGE_AFTER_MAX_NS, _HEDGE_AFTER_TIMES * usual_ns))

    def should_hedge(self, ticket: Ticket, now_ns: int) -> bool:
        """Whether a copy in another partition would probably be durable before this append."""
        if ticket.id not in self._open or not self._other_broker_usable(ticket):
            return False
        waited_ns = now_ns - max(ticket.started_ns, self._resumed_ns)
        if not self.usable(ticket.partition) and waited_ns > HEDGE_AFTER_MIN_NS:
            return True
        if waited_ns <= self.hedge_after_ns(now_ns):
            return False
        if self._is_outpaced(ticket, waited_ns, now_ns):
            return True
        return waited_ns > 2 * self.hedge_after_ns(now_ns) and not self._all_stuck(now_ns)

    def stalled_ns(self, now_ns: int) -> int:
        """For how long an append was open at every moment and none was acknowledged."""
        for ticket in self._open.values():
            return max(0, now_ns - max(ticket.started_ns, self._last_ack_ns))
        return 0

    def probes_due(self, now_ns: int) -> list[int]:
        """Partitions to send a heartbeat to now; each is under way from now on."""
        found, self._siblings = self._siblings, []
        for name, target in self.brokers.items():
            if target.ejection and target.ejection.due(now_ns) and (led := self._led(name)):
                target.ejection.sent(now_ns)
                found.append(led[(target.ejection.good + target.ejection.bad) % len(led)])
        for partition, target in enumerate(self.partitions):
            if target.ejection and target.ejection.due(now_ns):
                target.ejection.sent(now_ns)
                found.append(partition)
        return sorted(set(found))

    def evaluate(self, now_ns: int) -> list[Change]:
        """Compare every broker and partition with its peers, and update `backpressure`; returns
        what changed since the last call.
        """
        if now_ns - self._now_ns > HEDGE_AFTER_MIN_NS:  # a pause: acks may be queued
            self._resumed_ns = now_ns
        self._now_ns = now_ns
        self.too_many_outliers = ""
        self._forget(now_ns)
        self._evaluate_brokers(now_ns)
        self._evaluate_partitions(now_ns)
        self.backpressure = self._backpressure_reason(now_ns)
        changes, self._changes = self._changes, []
        return changes

    # --- comparing --------------------------------------------------------------------------

    def _evaluate_brokers(self, now_ns: int) -> None:
        named = {name: target for name, target in self.brokers.items() if name}
        peers = self._peers([target.stats for target in named.values()], now_ns)
        found = []
        for name, target in named.items():
            if target.ejection is None and (reason := peers.outlier_reason(target.stats, now_ns)):
                if self._one_partition_only(name):
                    self._probe_sibling(name, now_ns)
                    continue
                found.append((target.stats.oldest_fresh_ns() or now_ns, name, reason))
        room = len(named) // 3 - sum(t.ejection is not None for t in named.values())
        for _, name, reason in sorted(found):  # stuck longest first
            if room <= 0:
                if len(named) > 1:
                    self.too_many_outliers = (
                        f"more than a third of the brokers do badly, {name}: {reason}"
                    )
                return
            self._eject("broker", name, named[name], name, reason)
            room -= 1

    def _evaluate_partitions(self, now_ns: int) -> None:
        peers = self._peers([target.stats for target in self.partitions], now_ns)
        found = []
        unusable = 0
        for partition, target in enumerate(self.partitions):
            broker = self.leader(partition)
            if target.ejection is not None and target.ejection.broker != broker:
                self._readmit("partition", str(partition), target, now_ns)  # new leader
            if not self.usable(partition):
                unusable += 1
            elif reason := peers.outlier_reason(target.stats, now_ns):
                found.append((target.stats.oldest_fresh_ns() or now_ns, partition, reason))
        room = len(self.partitions) // 3 - unusable
        for _, partition, reason in sorted(found):
            if room <= 0:
                self.too_many_outliers = self.too_many_outliers or (
                    f"more than a third of the partitions do badly, {partition}: {reason}"
                )
                return
            target = self.partitions[partition]
            self._eject("partition", str(partition), target, self.leader(partition), reason)
            room -= 1

    def _peers(self, all_stats: list[AppendStats], now_ns: int) -> Peers:
        return compare(all_stats, self.hedge_after_ns(now_ns), self._resumed_ns, now_ns)

    def _slow_ns(self, now_ns: int) -> int:
        """The longest time that a good probe may take."""
        return max(SLOW_MIN_NS, SLOW_TIMES * self.all.quantile(0.9, now_ns))

    def _one_partition_only(self, broker: str) -> bool:
        """Whether just one of the several partitions that the broker leads shows the trouble."""
        led = [self.partitions[p].stats for p in self._led(broker)]
        troubled = sum(stats.oldest_fresh_ns() is not None or stats.failures > 0 for stats in led)
        return len(led) > 1 and troubled <= 1

    def _probe_sibling(self, broker: str, now_ns: int) -> None:
        """Probe another of the broker's partitions: it shows whether the broker is at fault, or
        only one of its partitions.
        """
        if now_ns - self._sibling_probed_ns.get(broker, -HEDGE_AFTER_MAX_NS) >= HEDGE_AFTER_MAX_NS:
            self._sibling_probed_ns[broker] = now_ns
            quiet = [p for p in self._led(broker) if not self.partitions[p].stats.open_appends]
            self._siblings += quiet[:1]

    def _led(self, broker: str) -> list[int]:
        return [p for p in range(len(self.partitions)) if self.leader(p) == broker]

    def _backpressure_reason(self, now_ns: int) -> str:
        """Reason why the whole cluster cannot take more; empty if it can."""
        if (stalled_ns := self.stalled_ns(now_ns)) > _STALL_SHOWN_NS:
            return f"nothing was acknowledged for {stalled_ns / 1e9:.1f} s"
        usual_ns = self.all.quantile(0.5, now_ns)
        if usual_ns > _ALL_SLOW_NS and self.all.weight(now_ns) >= WEIGHT_MIN:
            return f"every broker is slow: half of the appends take over {usual_ns / 1e9:.1f} s"
        return self.too_many_outliers

    def _other_broker_usable(self, ticket: Ticket) -> bool:
        """Whether another broker than the append's leads a partition that may be used."""
        return any(
            self.leader(p) != ticket.broker and self.usable(p) for p in range(len(self.partitions))
        )

    def _is_outpaced(self, ticket: Ticket, waited_ns: int, now_ns: int) -> bool:
        """Whether another broker acknowledges later appends clearly sooner."""
        return any(
            outpaces(target.stats, ticket.started_ns, waited_ns, now_ns)
            for name, target in self.brokers.items()
            if name != ticket.broker
        )

    def _all_stuck(self, now_ns: int) -> bool:
        """Whether several brokers have open appends and none of them acknowledges any."""
        hedge_after_ns = self.hedge_after_ns(now_ns)
        waiting = [t.stats for t in self.brokers.values() if t.stats.open_appends]
        return len(waiting) > 1 and all(
            now_ns - (stats.oldest_ns or 0) > hedge_after_ns
            and stats.acked_start_ns <= (stats.oldest_ns or 0)
            for stats in waiting
        )

    # --- bookkeeping ------------------------------------------------------------------------

    def _targets(self, ticket: Ticket, now_ns: int) -> tuple[Target, Target]:
        broker = self.brokers.get(ticket.broker)
        if broker is None:
            broker = self.brokers[ticket.broker] = Target(AppendStats(now_ns))
        broker.seen_ns = now_ns
        return self.partitions[ticket.partition], broker

    def _failed(self, ticket: Ticket, now_ns: int, weight: int) -> None:
        self._open.pop(ticket.id, None)
        for target in self._targets(ticket, now_ns):
            target.stats.failed(ticket, now_ns, weight)

    def _eject(self, kind: str, name: str, target: Target, broker: str, reason: str) -> None:
        strikes = target.history.strike(self._now_ns)
        target.ejection = Ejection(reason, self._now_ns, broker, strikes)
        self._changes.append(Change(kind, name, reason))

    def _readmit(self, kind: str, name: str, target: Target, now_ns: int) -> None:
        target.ejection = None
        target.history.returned_ns = now_ns
        target.stats.forget_failures(now_ns)
        self._changes.append(Change(kind, name, ""))
        if kind == "broker":  # its partitions suffered from it
            for partition, led in enumerate(self.partitions):
                if self.leader(partition) == name:
                    led.stats.forget_failures(now_ns)
                    if led.ejection is not None:
                        self._readmit("partition", str(partition), led, now_ns)

    def _forget(self, now_ns: int) -> None:
        """Forget brokers that have led no partition for a long time."""
        leaders = {self.leader(p) for p in range(len(self.partitions))}
        for name in leaders - self.brokers.keys():
            if name:
                self.brokers[name] = Target(AppendStats(now_ns))
        for name in leaders & self.brokers.keys():
            self.brokers[name].seen_ns = now_ns
        for name, target in list(self.brokers.items()):
            if now_ns - target.seen_ns > _BROKER_FORGOTTEN_NS and not target.stats.open_appends:
                del self.brokers[name]
