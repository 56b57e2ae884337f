"""The protocol of rerouting over several logs, against every order of events (I2, I3, I7).

The machine has a few logs, shepherds that write to them and are told the truth, nothing or a
timeout, records that land late, clocks that leap ahead and are set back, twins that lag, crash and
resume from manifests, messages that are repeated, and queries whose shares end anywhere.
Folding, searching, answering and settling are the real code. Promises: a complete answer counts
each acknowledged batch that its positions include once, and none twice; once everything has settled
each acknowledged batch counts once.
"""

from dataclasses import dataclass, field
from unittest import mock

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from common import limits
from common.model.log_time import ClockNote, clock_record
from common.model.record import (
    Kind,
    LogRecord,
    Marker,
    Record,
    encode_headers,
    heartbeat_record,
    marker_record,
)
from common.model.reroute import EpochOffset, Void, decision_record, void_record
from indexer.rerouting.batch_lookup import batches_of, decision_for, look_up_in_window
from indexer.state.cut import Cut
from indexer.state.partition_state import HOUR_NS, Action, PartitionState
from indexer.state.reroutes import ReroutesView, questions_of
from query.share.view.rerouted import (
    Share,
    UndecidedBatch,
    batch_lookups,
    batches_that_count,
    lagging_shares,
)
from snapshot.documents.batch_lists import BatchLists, ListsMissing
from snapshot.documents.carried_state import carried_state_from
from snapshot.documents.manifest import Manifest, unpack_batches
from snapshot.documents.same_content import same_content
from tests.indexer.harness import record
from tests.indexer.state.test_partition_state import FIRST_HOUR, as_manifest

LOGS = 3
VOID_MARKERS = 4  # as 24 in earnest: how much later than its void a copy may land
MINUTE_NS = 60 * 10**9
LATE_NS = 20 * MINUTE_NS  # how late a conditional copy may land: no link keeps it for longer


@dataclass
class Late:
    """A record whose writer gave up on it. markers: of its log when it was sent, at sent_ns."""

    partition: int
    item: Record
    markers: int
    sent_ns: int


@dataclass
class Batch:
    """What its writers know. acked: where copies were acknowledged. client: it may be repeated."""

    number: int
    client: bool
    order: tuple[int, ...]
    markers: tuple[int, ...]
    acked: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class OneLog:
    """A log and what is published of it."""

    number: int
    records: list[LogRecord] = field(default_factory=list)
    manifests: list[Manifest] = field(default_factory=list)
    markers: int = 0
    hour: int = -1

    def append(self, item: Record, now_ns: int) -> int:
        offset = len(self.records)
        headers = encode_headers(item)
        self.records.append(LogRecord(self.number, offset, now_ns, headers, item.value))
        return offset


class Twin:
    """An indexer of one log, as it resumes from what is published."""

    def __init__(self, log: OneLog) -> None:
        self.log = log
        dropped = [d.position for m in log.manifests for d in m.conditionals_dropped]
        self.state = PartitionState(carried_state_from(reversed(log.manifests)), dropped=dropped)
        self.rows = [entry for m in log.manifests for entry in unpack_batches(m.batches)]
        self.cuts: list[Cut] = []
        self.voids: list[Void] = []

    def advance(self, records: int) -> None:
        for message in self.log.records[self.state.next_offset :][:records]:
            step = self.state.apply(message)
            if step.action is Action.ROWS and step.record is not None:
                self.rows.append((step.record.batch, message.offset))
            if step.void is not None:
                self.voids.append(step.void)
            if step.cut is not None:
                self.cuts.append(step.cut)

    def publish(self) -> None:
        for cut in self.cuts:
            published = {m.next_offset: m for m in self.log.manifests}
            newest = self.log.manifests[-1] if self.log.manifests else None
            mine = as_manifest(cut, newest.key if newest else None)
            if cut.next_offset in published:
                assert not same_content(mine, published[cut.next_offset])
            else:
                self.log.manifests.append(mine)
        self.cuts = []

    @property
    def lists(self) -> BatchLists:
        by_key = {manifest.key: manifest for manifest in self.log.manifests}
        return BatchLists(by_key.__getitem__, list(by_key), ())

    def holds(self, batches: dict[bytes, int], end: EpochOffset) -> set[str]:
        """As the indexer answers a query. Raises ListsMissing."""
        known, search = look_up_in_window(self.state, self.lists.end, batches)
        known |= self.lists.find(search)
        dropped = self.state.reroutes.view.dropped
        return {
            batch.hex()
            for batch, copy in known.items()
            if copy is not None and copy < end and copy not in dropped
        }


@dataclass
class Query:
    """Shares that were taken, perhaps some time ago."""

    shares: dict[int, Share]
    twins: dict[int, Twin]


def share_of(view: ReroutesView, end: int) -> Share:
    waiting = [
        UndecidedBatch(c.batch, (c.epoch_number, c.offset), c.append_ns, c.unless)
        for c in view.open.values()
    ]
    return Share(EpochOffset(1, end), waiting, view.relies_on)


outcomes = st.sampled_from(["acked", "lost answer", "late", "refused"])
logs = st.integers(0, LOGS - 1)
steps = st.integers(1, 8)


class Rerouting(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ns = FIRST_HOUR * HOUR_NS
        self.logs = [OneLog(n) for n in range(LOGS)]
        self.twins = [[Twin(log), Twin(log)] for log in self.logs]
        self.batches: list[Batch] = []
        self.late: list[Late] = []
        self.queries: list[Query] = []
        self.leaps_ns = [0] * LOGS

    @initialize(skews=st.tuples(*[st.integers(-3, 3)] * LOGS), patient=st.booleans())
    def clocks(self, skews: tuple[int, ...], patient: bool) -> None:
        self.skews = skews
        self.patient = patient

    def append(self, partition: int, item: Record) -> int:
        self.now_ns += 1
        records = self.logs[partition].records
        clock = self.clock_ns(partition)
        last = records[-1].append_ns if records else 0
        goes_back = item.kind is Kind.CLOCK and clock < last - limits.CLOCK_STEP_NS_V2
        return self.logs[partition].append(item, clock if goes_back else max(clock, last))

    def clock_ns(self, partition: int) -> int:
        """What the clock shows by which the log's records are stamped."""
        return self.now_ns + self.skews[partition] * MINUTE_NS + self.leaps_ns[partition]

    # --- shepherds ------------------------------------------------------------------------------
    def write(self, batch: Batch, order: list[tuple[int, str]]) -> None:
        """One request. order: partitions that are tried, and what the writer learns of each."""
        unknown: list[int] = []
        for partition, outcome in order:
            unless = tuple(unknown)
            if batch.client:
                unless = batch.order[: batch.order.index(partition)]
            item = record([batch.number], batch=batch.number, unless=unless)
            if outcome == "acked":
                batch.acked.append((partition, self.append(partition, item)))
                return
            if outcome == "lost answer":
                batch.acked.append((partition, self.append(partition, item)))
            elif outcome == "late":
                markers = self.logs[partition].markers
                if batch.client:  # the window counts from the first copy
                    markers = batch.markers[partition]
                self.late.append(Late(partition, item, markers, self.now_ns))
            if outcome != "refused":
                unknown.append(partition)

    @rule(
        client=st.booleans(),
        order=st.permutations(range(LOGS)),
        tried=st.lists(outcomes, min_size=1, max_size=LOGS),
        skipped=st.sets(logs, max_size=1),
    )
    def send(self, client: bool, order: list[int], tried: list[str], skipped: set[int]) -> None:
        markers = tuple(log.markers for log in self.logs)
        batch = Batch(len(self.batches) + 1, client, tuple(order), markers)
        self.batches.append(batch)
        healthy = [p for p in order if p not in skipped]
        self.write(batch, list(zip(healthy, tried, strict=False)))

    @precondition(lambda self: any(self.repeatable()))
    @rule(
        data=st.data(),
        tried=st.lists(outcomes, min_size=1, max_size=LOGS),
        skipped=st.sets(logs, max_size=2),
    )
    def repeat(self, data: st.DataObject, tried: list[str], skipped: set[int]) -> None:
        batch = data.draw(st.sampled_from(list(self.repeatable())))
        healthy = [p for p in batch.order if p not in skipped]
        self.write(batch, list(zip(healthy, tried, strict=False)))

    def repeatable(self) -> list[Batch]:
        """A client may repeat a batch within the window of each partition."""
        return [
            batch
            for batch in self.batches
            if batch.client
            and all(
                log.markers - before < limits.BATCH_WINDOW_HOUR_MARKERS
                for log, before in zip(self.logs, batch.markers, strict=True)
            )
        ]

    @precondition(lambda self: self.late)
    @rule(data=st.data(), lands=st.booleans())
    def late_record(self, data: st.DataObject, lands: bool) -> None:
        late = data.draw(st.sampled_from(self.late))
        self.late.remove(late)
        if lands:
            self.land(late)

    def land(self, late: Late) -> None:
        """Its writer may have gone, or still wait for it and acknowledge it."""
        offset = self.append(late.partition, late.item)
        if late.item.kind is Kind.EVENTS:
            batch = self.batches[int.from_bytes(late.item.batch, "big") - 1]
            batch.acked.append((late.partition, offset))

    def expire_late(self, partition: int) -> None:
        """What has not landed for so long never will."""
        markers = self.logs[partition].markers
        clients = {b.number.to_bytes(16, "big") for b in self.batches if b.client}

        def alive(late: Late) -> bool:
            allowed = VOID_MARKERS
            if late.item.batch in clients:
                allowed = limits.BATCH_WINDOW_HOUR_MARKERS
            if late.item.unless and self.now_ns - late.sent_ns > LATE_NS:
                return False
            return late.partition != partition or markers - late.markers < allowed

        self.late = [late for late in self.late if alive(late)]

    # --- what stands in the logs besides --------------------------------------------------------
    @rule(partitions=st.sets(logs, min_size=1))
    def hour(self, partitions: set[int]) -> None:
        self.now_ns += HOUR_NS
        for partition in sorted(partitions):
            log = self.logs[partition]
            last_ns = log.records[-1].append_ns if log.records else 0
            hour = max(self.clock_ns(partition), last_ns) // HOUR_NS - 1
            log.markers += hour > log.hour
            log.hour = max(log.hour, hour)
            self.expire_late(partition)
            self.append(partition, marker_record(Marker(hour=hour)))

    @rule(partition=logs, hours=st.sampled_from([0, 0, 3, 70 * 24]))
    def leap(self, partition: int, hours: int) -> None:
        """A clock is wrong from now on, or right again."""
        self.leaps_ns[partition] = hours * HOUR_NS

    @rule(partition=logs)
    def set_back(self, partition: int) -> None:
        """What an indexer does where the log's time is ahead of its clock."""
        log = self.logs[partition]
        last_ns = log.records[-1].append_ns if log.records else 0
        offset = self.append(partition, clock_record(ClockNote(0, 0, "test")))
        if log.records[offset].append_ns < last_ns:
            log.hour = log.records[offset].append_ns // HOUR_NS - 1

    @rule(minutes=st.integers(1, 20))
    def wait(self, minutes: int) -> None:
        self.now_ns += minutes * MINUTE_NS
        self.expire_late(0)

    @rule(partition=logs, cut=st.booleans())
    def control(self, partition: int, cut: bool) -> None:
        self.append(partition, marker_record(Marker(None)) if cut else heartbeat_record())

    # --- indexers -------------------------------------------------------------------------------
    @rule(partition=logs, twin=st.integers(0, 1), records=steps)
    def index(self, partition: int, twin: int, records: int) -> None:
        self.twins[partition][twin].advance(records)

    @rule(partition=logs, twin=st.integers(0, 1))
    def publish(self, partition: int, twin: int) -> None:
        self.twins[partition][twin].publish()

    @rule(partition=logs, twin=st.integers(0, 1))
    def crash(self, partition: int, twin: int) -> None:
        self.twins[partition][twin] = Twin(self.logs[partition])

    @rule(partition=logs, twin=st.integers(0, 1))
    def work(self, partition: int, twin: int) -> None:
        """What an indexer does when nothing holds it up."""
        self.twins[partition][twin].advance(10**6)
        self.twins[partition][twin].publish()
        self.answer(partition, twin, late=False)
        self.ask(partition, twin, late=False)

    @rule(partition=logs, twin=st.integers(0, 1), late=st.booleans())
    def ask(self, partition: int, twin: int, late: bool) -> None:
        waiting = self.twins[partition][twin].state.reroutes.open.values()
        for other, questions in questions_of(waiting).items():
            self.tell(other, void_record(Void(partition, tuple(questions))), late)

    @rule(partition=logs, twin=st.integers(0, 1), late=st.booleans())
    def answer(self, partition: int, twin: int, late: bool) -> None:
        """A void that cannot be answered now is forgotten: the asker repeats it."""
        one = self.twins[partition][twin]
        voids, one.voids = one.voids, []
        for void in voids:
            try:
                known, search = look_up_in_window(one.state, one.lists.end, batches_of(void))
                found = one.lists.find(search)
            except ListsMissing:
                continue
            copies = known | {batch: found.get(batch) for batch in search}
            self.tell(void.asker, decision_record(decision_for(void, copies, partition)), late)

    def tell(self, partition: int, item: Record, late: bool) -> None:
        if late:
            markers = self.logs[partition].markers
            self.late.append(Late(partition, item, markers, self.now_ns))
        else:
            self.append(partition, item)

    # --- queries --------------------------------------------------------------------------------
    @rule(choice=st.tuples(*[st.sampled_from([0, 1, 0, 1, None])] * LOGS))
    def take_shares(self, choice: tuple[int | None, ...]) -> None:
        twins = {p: self.twins[p][t] for p, t in enumerate(choice) if t is not None}
        shares = {
            p: share_of(twin.state.reroutes.view, twin.state.next_offset)
            for p, twin in twins.items()
        }
        self.queries = [*self.queries[-2:], Query(shares, twins)]

    @precondition(lambda self: self.queries)
    @rule()
    def settle_queries(self) -> None:
        queries, self.queries = self.queries, []
        for query in queries:
            self.settle(query)

    def settle(self, query: Query) -> None:
        shares, twins = query.shares, query.twins
        if lagging_shares(shares):
            return  # asked again, or said to be incomplete
        try:
            held = {
                p: twins[p].holds(
                    {bytes.fromhex(a.batch): a.append_ns for a in asked}, shares[p].end
                )
                for p, asked in batch_lookups(shares).items()
            }
        except ListsMissing:
            return  # said to be incomplete
        chosen = batches_that_count(shares, held)
        times: dict[int, int] = {}
        for p, twin in twins.items():
            mine = {EpochOffset(*place) for place in chosen.get(p, ())}
            left_out = {EpochOffset(*item.position) for item in shares[p].undecided} - mine
            view = twin.state.reroutes.view
            hidden = ({*view.dropped, *view.open} | left_out) - mine
            for batch, offset in twin.rows:
                if EpochOffset(1, offset) < shares[p].end and EpochOffset(1, offset) not in hidden:
                    number = int.from_bytes(batch, "big")
                    times[number] = times.get(number, 0) + 1
        assert all(count == 1 for count in times.values()), times
        if len(shares) == LOGS:
            for one in self.batches:
                included = any(shares[p].end > EpochOffset(1, offset) for p, offset in one.acked)
                assert not included or times.get(one.number) == 1, one

    def settle_questions(self) -> None:
        for settling in (self.ask, self.answer):
            for partition, twins in enumerate(self.twins):
                for number, twin in enumerate(twins):
                    twin.advance(10**6)
                    twin.publish()
                    settling(partition, number, late=False)

    # --- the end --------------------------------------------------------------------------------
    def teardown(self) -> None:
        if self.patient:  # questions are settled first, and then everything lands
            self.settle_questions()
        for late in self.late:
            self.land(late)
        self.settle_questions()
        for one, other in self.twins:
            one.advance(10**6)
            other.advance(10**6)
            assert one.state.carried_state() == other.state.carried_state()
            assert one.state.reroutes.view == other.state.reroutes.view
            assert not one.state.reroutes.open
        self.take_shares((0,) * LOGS)
        assert not lagging_shares(self.queries[-1].shares)
        self.settle_queries()


def test_every_order_of_events_counts_each_batch_once() -> None:
    with (
        mock.patch.object(limits, "CUT_ROWS_MAX_V1", 5),
        mock.patch.object(limits, "CUT_CONTROL_RECORDS_MAX_V1", 12),
        mock.patch.object(limits, "VOID_HOUR_MARKERS_V1", VOID_MARKERS),
    ):
        run_state_machine_as_test(
            Rerouting,
            settings=settings(
                max_examples=120,
                stateful_step_count=60,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
