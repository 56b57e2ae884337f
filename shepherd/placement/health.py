"""Which brokers and partitions answer as the others do, and which are avoided for now.

Pure: every method takes the time, nothing waits. Judgements compare
(`shepherd.placement.outliers`). Never
more than a third of the brokers is avoided, and partitions are avoided one by one only while no
more than a third of them is; what is beyond that is `crowded`, and the shepherd pushes back (I11).
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from shepherd.placement.append_stats import LOST_WEIGHT, AppendStats, Ticket
from shepherd.placement.ejection import Ejection, Record
from shepherd.placement.latency import DecayingQuantiles
from shepherd.placement.outliers import (
    SLOW_MIN_NS,
    SLOW_TIMES,
    WEIGHT_MIN,
    Peers,
    compare,
    overtakes,
)

PATIENCE_MIN_NS = 400_000_000  # hiccups of a busy machine are shorter
PATIENCE_MAX_NS = 1_000_000_000  # a stuck broker is left within two seconds, with time to spare
_PATIENCE_TIMES = 3  # of the usual p99
_ALL_SLOW_NS = 10**9  # a median beyond this: the whole cluster is slow
_STALL_SHOWN_NS = 10**9  # nothing acknowledged for this long is told
_BROKER_FORGOTTEN_NS = 3600 * 10**9  # leads nothing for this long: no longer part of the cluster
_ALL_HALF_LIFE_NS = 20 * 10**9


@dataclass(slots=True)
class Target:
    """A broker or a partition: what it did, and whether it is avoided."""

    ledger: AppendStats
    probation: Ejection | None = None
    record: Record = field(default_factory=Record)
    seen_ns: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody is avoided from now on (`reason`), or again in use (empty reason)."""

    kind: str
    name: str
    reason: str


class Health:
    """Of one log, as one shepherd sees it. `leader` tells a partition's broker without I/O."""

    def __init__(self, partitions: int, leader: Callable[[int], str], now_ns: int) -> None:
        self.leader = leader
        self._now_ns = now_ns
        self._ids = itertools.count()
        self.partitions = [Target(AppendStats(now_ns)) for _ in range(partitions)]
        self.brokers: dict[str, Target] = {}
        self.all = DecayingQuantiles(_ALL_HALF_LIFE_NS, now_ns)
        self._open: dict[int, Ticket] = {}
        self._last_ack_ns = now_ns
        self._resumed_ns = now_ns  # what waited through a stall of all is given time again
        self._changes: list[Change] = []
        self._asked_ns: dict[str, int] = {}
        self._siblings: list[int] = []
        self.crowded = ""
        self.pressure = ""

    def grow(self, partitions: int, now_ns: int) -> None:
        """The log has more partitions now."""
        more = partitions - len(self.partitions)
        self.partitions += [Target(AppendStats(now_ns)) for _ in range(more)]

    # --- what happens -----------------------------------------------------------------------

    def began(self, partition: int, size: int, now_ns: int) -> Ticket:
        """An append is sent; tell how it ends with the ticket."""
        ticket = Ticket(next(self._ids), partition, self.leader(partition), size, now_ns)
        self._open[ticket.id] = ticket
        for target in self._targets(ticket, now_ns):
            target.ledger.began(ticket)
        return ticket

    def acknowledged(self, ticket: Ticket, now_ns: int) -> None:
        """It is durable."""
        if self.stalled_ns(now_ns) > PATIENCE_MIN_NS:
            self._resumed_ns = now_ns
        self._open.pop(ticket.id, None)
        self._last_ack_ns = max(self._last_ack_ns, now_ns)
        self.all.add(now_ns - ticket.started_ns, now_ns)
        for target in self._targets(ticket, now_ns):
            target.ledger.acknowledged(ticket, now_ns)

    def refused(self, ticket: Ticket, now_ns: int) -> None:
        """It is certainly not in the log."""
        self._failed(ticket, now_ns, 1)

    def lost(self, ticket: Ticket, now_ns: int) -> None:
        """Its fate is unknown."""
        self._failed(ticket, now_ns, LOST_WEIGHT)

    def withdrawn(self, ticket: Ticket, now_ns: int) -> None:
        """It ended for a reason of our own (a full buffer, a stop)."""
        self._open.pop(ticket.id, None)
        for target in self._targets(ticket, now_ns):
            target.ledger.withdrawn(ticket)

    def probed(self, ticket: Ticket, good: bool, now_ns: int) -> None:
        """A probe of an avoided broker or partition came back (its append is told as any)."""
        good = good and now_ns - ticket.started_ns <= self._slow_ns(now_ns)
        for kind, name, target in (
            ("broker", ticket.broker, self.brokers.get(ticket.broker)),
            ("partition", str(ticket.partition), self.partitions[ticket.partition]),
        ):
            if target and target.probation and target.probation.answered(good, now_ns):
                self._return(kind, name, target, now_ns)

    # --- what to do -------------------------------------------------------------------------

    def usable(self, partition: int) -> bool:
        """Neither the partition nor the broker that leads it now is avoided."""
        return self.usable_at(partition, self.leader(partition))

    def usable_at(self, partition: int, leader: str) -> bool:
        """As `usable`, for who has asked for the leader already."""
        if self.partitions[partition].probation is not None:
            return False
        broker = self.brokers.get(leader)
        return broker is None or broker.probation is None

    @property
    def brokers_in_use(self) -> int:
        """Brokers that are not avoided."""
        return sum(target.probation is None for name, target in self.brokers.items() if name)

    def patience_ns(self, now_ns: int) -> int:
        """How long an append may take before it is looked at with suspicion."""
        usual_ns = self.all.quantile(0.99, now_ns)
        return max(PATIENCE_MIN_NS, min(PATIENCE_MAX_NS, _PATIENCE_TIMES * usual_ns))

    def doubtful(self, ticket: Ticket, now_ns: int) -> bool:
        """Whether a copy elsewhere promises more than waiting on for this append."""
        if ticket.id not in self._open or not self._elsewhere(ticket):
            return False
        waited_ns = now_ns - max(ticket.started_ns, self._resumed_ns)
        if not self.usable(ticket.partition) and waited_ns > PATIENCE_MIN_NS:
            return True
        if waited_ns <= self.patience_ns(now_ns):
            return False
        if self._overtaken(ticket, waited_ns, now_ns):
            return True
        return waited_ns > 2 * self.patience_ns(now_ns) and not self._all_stuck(now_ns)

    def stalled_ns(self, now_ns: int) -> int:
        """How long nothing was acknowledged although something was open all the time."""
        for ticket in self._open.values():
            return max(0, now_ns - max(ticket.started_ns, self._last_ack_ns))
        return 0

    def probes_due(self, now_ns: int) -> list[int]:
        """Partitions to send a heartbeat to now; each is under way from now on."""
        found, self._siblings = self._siblings, []
        for name, target in self.brokers.items():
            if target.probation and target.probation.due(now_ns) and (led := self._led(name)):
                target.probation.sent(now_ns)
                found.append(led[(target.probation.good + target.probation.bad) % len(led)])
        for partition, target in enumerate(self.partitions):
            if target.probation and target.probation.due(now_ns):
                target.probation.sent(now_ns)
                found.append(partition)
        return sorted(set(found))

    def look(self, now_ns: int) -> list[Change]:
        """Judge everyone, and the whole (`pressure`: why it takes no more than it does, in words);
        returns what changed since the last look.
        """
        if now_ns - self._now_ns > PATIENCE_MIN_NS:  # we stood still ourselves: answers may wait
            self._resumed_ns = now_ns
        self._now_ns = now_ns
        self.crowded = ""
        self._forget(now_ns)
        self._judge_brokers(now_ns)
        self._judge_partitions(now_ns)
        self.pressure = self._pressed(now_ns)
        changes, self._changes = self._changes, []
        return changes

    # --- judging ----------------------------------------------------------------------------

    def _judge_brokers(self, now_ns: int) -> None:
        named = {name: target for name, target in self.brokers.items() if name}
        peers = self._peers([target.ledger for target in named.values()], now_ns)
        found = []
        for name, target in named.items():
            if target.probation is None and (reason := peers.trouble(target.ledger, now_ns)):
                if self._one_partition_only(name):
                    self._ask_sibling(name, now_ns)
                    continue
                found.append((target.ledger.oldest_fresh_ns() or now_ns, name, reason))
        room = len(named) // 3 - sum(t.probation is not None for t in named.values())
        for _, name, reason in sorted(found):  # who is stuck longest first
            if room <= 0:
                if len(named) > 1:
                    self.crowded = f"more than a third of the brokers do badly, {name}: {reason}"
                return
            self._avoid("broker", name, named[name], name, reason)
            room -= 1

    def _judge_partitions(self, now_ns: int) -> None:
        peers = self._peers([target.ledger for target in self.partitions], now_ns)
        found = []
        unusable = 0
        for partition, target in enumerate(self.partitions):
            broker = self.leader(partition)
            if target.probation is not None and target.probation.broker != broker:
                self._return("partition", str(partition), target, now_ns)  # another leads it now
            if not self.usable(partition):
                unusable += 1
            elif reason := peers.trouble(target.ledger, now_ns):
                found.append((target.ledger.oldest_fresh_ns() or now_ns, partition, reason))
        room = len(self.partitions) // 3 - unusable
        for _, partition, reason in sorted(found):
            if room <= 0:
                self.crowded = self.crowded or (
                    f"more than a third of the partitions do badly, {partition}: {reason}"
                )
                return
            target = self.partitions[partition]
            self._avoid("partition", str(partition), target, self.leader(partition), reason)
            room -= 1

    def _peers(self, ledgers: list[AppendStats], now_ns: int) -> Peers:
        return compare(ledgers, self.patience_ns(now_ns), self._resumed_ns, now_ns)

    def _slow_ns(self, now_ns: int) -> int:
        """A probe that takes longer is no good one."""
        return max(SLOW_MIN_NS, SLOW_TIMES * self.all.quantile(0.9, now_ns))

    def _one_partition_only(self, broker: str) -> bool:
        """Whether just one of the several partitions that the broker leads shows the trouble."""
        led = [self.partitions[p].ledger for p in self._led(broker)]
        troubled = sum(
            ledger.oldest_fresh_ns() is not None or ledger.failures > 0 for ledger in led
        )
        return len(led) > 1 and troubled <= 1

    def _ask_sibling(self, broker: str, now_ns: int) -> None:
        """A heartbeat to another of its partitions tells the broker's trouble from one
        partition's.
        """
        if now_ns - self._asked_ns.get(broker, -PATIENCE_MAX_NS) >= PATIENCE_MAX_NS:
            self._asked_ns[broker] = now_ns
            quiet = [p for p in self._led(broker) if not self.partitions[p].ledger.open_appends]
            self._siblings += quiet[:1]

    def _led(self, broker: str) -> list[int]:
        return [p for p in range(len(self.partitions)) if self.leader(p) == broker]

    def _pressed(self, now_ns: int) -> str:
        """Why the whole cluster cannot take more than it does, in words; empty: it can."""
        if (stalled_ns := self.stalled_ns(now_ns)) > _STALL_SHOWN_NS:
            return f"nothing was acknowledged for {stalled_ns / 1e9:.1f} s"
        usual_ns = self.all.quantile(0.5, now_ns)
        if usual_ns > _ALL_SLOW_NS and self.all.weight(now_ns) >= WEIGHT_MIN:
            return f"every broker is slow: half of the appends take over {usual_ns / 1e9:.1f} s"
        return self.crowded

    def _elsewhere(self, ticket: Ticket) -> bool:
        """Whether another broker than the append's leads anything."""
        return any(
            self.leader(p) != ticket.broker and self.usable(p) for p in range(len(self.partitions))
        )

    def _overtaken(self, ticket: Ticket, waited_ns: int, now_ns: int) -> bool:
        """Whether another broker does clearly better with what was sent after it."""
        return any(
            overtakes(target.ledger, ticket.started_ns, waited_ns, now_ns)
            for name, target in self.brokers.items()
            if name != ticket.broker
        )

    def _all_stuck(self, now_ns: int) -> bool:
        """Whether several brokers have open appends and none of them gets anywhere."""
        patience_ns = self.patience_ns(now_ns)
        waiting = [t.ledger for t in self.brokers.values() if t.ledger.open_appends]
        return len(waiting) > 1 and all(
            now_ns - (ledger.oldest_ns or 0) > patience_ns
            and ledger.acked_start_ns <= (ledger.oldest_ns or 0)
            for ledger in waiting
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
            target.ledger.failed(ticket, now_ns, weight)

    def _avoid(self, kind: str, name: str, target: Target, broker: str, reason: str) -> None:
        strikes = target.record.strike(self._now_ns)
        target.probation = Ejection(reason, self._now_ns, broker, strikes)
        self._changes.append(Change(kind, name, reason))

    def _return(self, kind: str, name: str, target: Target, now_ns: int) -> None:
        target.probation = None
        target.record.returned_ns = now_ns
        target.ledger.forgive(now_ns)
        self._changes.append(Change(kind, name, ""))
        if kind == "broker":  # its partitions suffered from it
            for partition, led in enumerate(self.partitions):
                if self.leader(partition) == name:
                    led.ledger.forgive(now_ns)
                    if led.probation is not None:
                        self._return("partition", str(partition), led, now_ns)

    def _forget(self, now_ns: int) -> None:
        """Brokers that lead nothing any more stop counting as part of the cluster."""
        leaders = {self.leader(p) for p in range(len(self.partitions))}
        for name in leaders - self.brokers.keys():
            if name:
                self.brokers[name] = Target(AppendStats(now_ns))
        for name in leaders & self.brokers.keys():
            self.brokers[name].seen_ns = now_ns
        for name, target in list(self.brokers.items()):
            if now_ns - target.seen_ns > _BROKER_FORGOTTEN_NS and not target.ledger.open_appends:
                del self.brokers[name]
