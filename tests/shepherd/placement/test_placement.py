"""Leaving slow brokers and partitions, under a virtual clock with simulated brokers (design, 5)."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from common.model.position import Position
from common.model.record import Record, encode_event_line, events_record
from shepherd.delivery.delivery import Delivery
from shepherd.delivery.prober import Prober
from shepherd.placement.placement import PartitionSelector, Tried
from shepherd.placement.rendezvous import rendezvous_order
from tests.shepherd.placement.virtual import SECOND, Broker, BrokersLog, LoopClock, run_virtual

RATE_PER_S = 50


def a_record(batch: bytes = bytes(16), dataset: str = "d", size: int = 60_000) -> Record:
    pad = random.Random(batch).randbytes(size).hex().encode()  # does not compress away
    line = encode_event_line(1, 1, b'{"a":"%b"}' % pad)
    return events_record(
        team="t", env="e", dataset=dataset, batch=batch, depth=0, via="", lines=[line]
    )


RECORD = a_record()


@dataclass
class House:
    """A shepherd's placement before three simulated brokers, under a steady load."""

    conditionals_max: int = 10_000
    partitions: int = 12
    seed: int = 1
    waits_ns: list[tuple[int, int]] = field(default_factory=list)
    failures: list[object] = field(default_factory=list)
    acked: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = random.Random(self.seed)
        self.log = BrokersLog(self.partitions, rng, {name: Broker() for name in "abc"})
        self.placement = PartitionSelector(self.partitions, self.log.leader, rng, 0)
        self.rng = rng

    @property
    def health(self):  # type: ignore[no-untyped-def]
        return self.placement.health

    async def run(self, script: Callable[["House"], Awaitable[None]]) -> None:
        self.clock = LoopClock()
        self.delivery = Delivery(self.log, self.placement, self.clock, 4.5, self.conditionals_max)  # type: ignore[arg-type]  # what placing needs of a log
        probing = Prober(self.log, self.placement, self.delivery, self.clock)  # type: ignore[arg-type]  # as above
        keeping = asyncio.create_task(probing.keep())
        await script(self)
        keeping.cancel()
        await self.delivery.close()

    async def load(self, seconds: float, rate_per_s: float = RATE_PER_S) -> None:
        """Deliver records at a steady rate, and wait for all of them."""
        tasks = []
        for _ in range(int(seconds * rate_per_s)):
            batch = self.rng.randbytes(16)
            tasks.append(asyncio.create_task(self.deliver(batch)))
            await asyncio.sleep(1 / rate_per_s)
        await asyncio.gather(*tasks)

    async def deliver(self, batch: bytes, named: bool = False) -> Position | None:
        began_ns = self.clock.monotonic_ns()
        record = Record(RECORD.kind, RECORD.value, batch, "t", "e", "d", 1)
        outcome = await self.delivery.deliver(record, named=named)
        self.waits_ns.append((began_ns, self.clock.monotonic_ns() - began_ns))
        if isinstance(outcome, Position):
            self.acked.append(batch)
            return outcome
        self.failures.append(outcome)
        return None

    def sent_to(self, since_ns: int, until_ns: int = 2**62) -> Counter[str]:
        """Customers' records by broker."""
        return Counter(
            self.log.leader(partition)
            for at_ns, partition, kind in self.log.sent
            if kind == "events" and since_ns <= at_ns < until_ns
        )

    def probes(self, since_ns: int) -> int:
        return sum(kind == "heartbeat" and at >= since_ns for at, _, kind in self.log.sent)

    def waited_max_s(self, since_ns: int = 0) -> float:
        return max(wait for began, wait in self.waits_ns if began >= since_ns) / 1e9

    def places(self) -> dict[bytes, dict[int, tuple[int, ...]]]:
        """Of each batch the partitions that hold it, and what its first copy there names."""
        places: dict[bytes, dict[int, tuple[int, ...]]] = {}
        for landed in self.log.landed:
            if landed.record.batch:
                at = places.setdefault(landed.record.batch, {})
                at.setdefault(landed.partition, landed.record.unless)
        return places

    def counted(self) -> Counter[bytes]:
        """How often each batch counts by the rules of design section 6, when all that was sent has
        landed before the questions are settled.
        """
        return Counter(
            batch
            for batch, at in self.places().items()
            for unless in at.values()
            if not any(partition in at for partition in unless)
        )

    def check_once(self) -> None:
        """Each acknowledged batch counts once; of any two copies one names the other, so that it
        does whenever the questions are settled.
        """
        counted = self.counted()
        for at in self.places().values():
            for one, two in itertools.combinations(at, 2):
                assert one in at[two] or two in at[one]
        assert [batch for batch in self.acked if counted[batch] != 1] == []
        assert max(counted.values()) == 1


def test_healthy_brokers_get_equal_shares() -> None:
    house = House()

    async def script(house: House) -> None:
        await house.load(40)

    run_virtual(house.run(script))
    shares = house.sent_to(0)
    assert not house.failures
    assert all(0.25 < shares[name] / 2000 < 0.42 for name in "abc")
    assert house.probes(0) == 0


def test_black_holed_broker_is_left_within_a_second_and_nothing_fails() -> None:
    house = House()

    async def script(house: House) -> None:
        await house.load(10)
        house.log.brokers["b"].hole = True
        await house.load(30)
        assert [n for n, t in house.health.brokers.items() if t.probation] == ["b"]
        house.log.brokers["b"].hole = False
        await house.load(30)

    run_virtual(house.run(script))
    assert not house.failures
    assert house.waited_max_s() < 2
    assert house.sent_to(11 * SECOND, 40 * SECOND)["b"] == 0
    assert house.waited_max_s(since_ns=11 * SECOND) < 0.1
    assert 5 <= house.probes(0) < 30
    assert house.sent_to(50 * SECOND)["b"] > 200  # of a thousand: its share again
    house.check_once()


def test_slow_broker_is_left_and_returns_when_it_is_fast_again() -> None:
    house = House()

    async def script(house: House) -> None:
        await house.load(20)
        house.log.brokers["c"].latency_s = 0.35
        await house.load(40)
        house.log.brokers["c"].latency_s = 0.005
        await house.load(30)

    run_virtual(house.run(script))
    assert not house.failures
    late = house.sent_to(35 * SECOND, 60 * SECOND)
    assert late["c"] < 0.05 * sum(late.values())
    assert house.sent_to(75 * SECOND)["c"] > 150
    house.check_once()


def test_slow_cluster_is_not_taken_for_slow_brokers() -> None:
    house = House()

    async def script(house: House) -> None:
        await house.load(20)
        for broker in house.log.brokers.values():
            broker.latency_s = 1.3
        await house.load(30)
        assert "slow" in house.health.pressure
        assert not [n for n, t in house.health.brokers.items() if t.probation]
        for broker in house.log.brokers.values():
            broker.latency_s = 0.005
        await house.load(60)
        assert house.health.pressure == ""

    run_virtual(house.run(script))
    assert not house.failures
    house.check_once()


def test_frozen_cluster_is_waited_for_without_copies_and_told() -> None:
    house = House()

    async def script(house: House) -> None:
        await house.load(10)
        house.log.frozen = True
        asyncio.get_running_loop().call_later(2.2, setattr, house.log, "frozen", False)
        loading = asyncio.create_task(house.load(2.1))
        await asyncio.sleep(2)
        assert "nothing was acknowledged" in house.health.pressure
        await loading
        await asyncio.sleep(0.3)
        assert house.health.pressure == ""

    run_virtual(house.run(script))
    assert not house.failures
    assert not any(landed.record.unless for landed in house.log.landed)
    assert not [n for n, t in house.health.brokers.items() if t.probation]
    house.check_once()


def test_two_stuck_brokers_of_three_are_not_both_left() -> None:
    house = House()

    async def script(house: House) -> None:
        await house.load(10)
        house.log.brokers["a"].hole = house.log.brokers["b"].hole = True
        await house.load(10)
        assert sum(bool(t.probation) for t in house.health.brokers.values()) == 1
        assert "more than a third" in house.health.pressure
        house.log.brokers["a"].hole = house.log.brokers["b"].hole = False
        await house.load(30)
        assert house.health.pressure == ""

    run_virtual(house.run(script))
    assert not house.failures
    house.check_once()


def test_one_stuck_partition_is_left_without_its_broker() -> None:
    house = House()

    async def script(house: House) -> None:
        await house.load(10)
        stuck = rendezvous_order(b"d", 12)[0]
        house.log.stuck = {stuck}
        await house.load(10, rate_per_s=20)
        assert [p for p, t in enumerate(house.health.partitions) if t.probation] == [stuck]
        house.log.stuck = set()
        await house.load(10)
        assert not any(t.probation for t in house.health.partitions)

    run_virtual(house.run(script))
    assert not house.failures
    shares = house.sent_to(0)
    assert min(shares.values()) > 0.2 * sum(shares.values())
    house.check_once()


def test_partition_that_another_broker_leads_now_is_used_at_once() -> None:
    house = House(partitions=3)

    async def script(house: House) -> None:
        await house.load(10)
        house.log.brokers["b"].hole = True
        await house.load(5)
        house.log.moved[1] = "c"
        began_ns = house.clock.monotonic_ns()
        await house.load(4)
        used = Counter(p for at, p, kind in house.log.sent if kind == "events" and at >= began_ns)
        assert used[1] > 40

    run_virtual(house.run(script))
    assert not house.failures
    house.check_once()


def test_flapping_broker_is_trusted_later_each_time() -> None:
    house = House()
    returns: list[float] = []

    async def script(house: House) -> None:
        await house.load(5)
        for _ in range(4):
            house.log.brokers["a"].hole = True
            await house.load(4)
            house.log.brokers["a"].hole = False
            began_s = asyncio.get_running_loop().time()
            while house.health.brokers["a"].probation:
                await house.load(0.5)
            returns.append(asyncio.get_running_loop().time() - began_s)

    run_virtual(house.run(script))
    assert not house.failures
    assert returns == sorted(returns)
    assert returns[0] < 7
    assert returns[-1] > 3 * returns[0]
    house.check_once()


def test_quiet_shepherd_does_not_need_traffic_to_find_another_partition() -> None:
    house = House()

    async def script(house: House) -> None:
        house.log.brokers["a"].hole = True
        await house.load(60, rate_per_s=0.5)

    run_virtual(house.run(script))
    assert not house.failures
    assert house.waited_max_s() < 3
    house.check_once()


def test_refused_record_is_written_elsewhere_unconditionally() -> None:
    house = House(conditionals_max=0)

    async def script(house: House) -> None:
        house.log.brokers["a"].refuses = True
        await house.load(10)

    run_virtual(house.run(script))
    assert not house.failures
    assert not any(landed.record.unless for landed in house.log.landed)
    assert {landed.record.via.split(":")[0] for landed in house.log.landed} >= {"random", "refused"}
    house.check_once()


def test_beyond_the_cap_of_open_questions_an_unknown_fate_is_an_error_and_no_copy() -> None:
    house = House(conditionals_max=20)

    async def script(house: House) -> None:
        await house.load(5, rate_per_s=200)
        house.log.brokers["a"].hole = True
        await house.load(5, rate_per_s=200)
        house.log.brokers["a"].hole = False
        await house.load(5)

    run_virtual(house.run(script))
    assert 0 < len(house.failures) < 100
    assert house.waited_max_s() < 5
    assert sum(bool(x.record.unless) for x in house.log.landed) == 20
    house.check_once()


def test_named_batch_names_every_earlier_partition_of_its_order() -> None:
    house = House()
    batch = b"a client's batch"

    async def script(house: House) -> None:
        order = rendezvous_order(batch, 12)
        assert (await house.deliver(batch, named=True)).partition == order[0]  # type: ignore[union-attr]  # acknowledged
        house.log.brokers[house.log.leader(order[0])].hole = True
        await house.load(3)
        position = await house.deliver(batch, named=True)
        assert position is not None
        (copy,) = [x for x in house.log.landed if x.record.batch == batch and x.record.unless]
        assert copy.record.unless == order[: order.index(position.partition)]
        assert copy.record.via == f"reroute:{','.join(map(str, copy.record.unless))}"

    run_virtual(house.run(script))
    assert house.counted()[batch] == 1


def test_named_batch_repeated_through_a_shepherd_that_avoids_its_first_partition_counts_once() -> (
    None
):
    house, other = House(), House(seed=2)
    other.log = house.log
    other.placement = PartitionSelector(12, house.log.leader, other.rng, 0)
    batches = [n.to_bytes(16, "big") for n in range(60)]

    async def second(other: House) -> None:
        house.log.brokers["b"].hole = True
        await other.load(3)
        house.log.brokers["b"].hole = False
        for batch in batches:
            assert await other.deliver(batch, named=True)

    async def script(house: House) -> None:
        for batch in batches:
            assert await house.deliver(batch, named=True)
        await other.run(second)

    run_virtual(house.run(script))
    counted = house.counted()
    assert [batch for batch in batches if counted[batch] != 1] == []
    assert sum(bool(x.record.unless) for x in house.log.landed) > 10
    house.check_once()


def test_named_batches_keep_to_the_first_partitions_that_the_settings_say() -> None:
    log = House().log
    before = PartitionSelector(12, log.leader, random.Random(1), 0)
    after = PartitionSelector(24, log.leader, random.Random(1), 0, named_partitions=12)
    for n in range(50):
        batch = n.to_bytes(16, "big")
        assert before.choose_named(batch, Tried()) == after.choose_named(batch, Tried())


FAULTS = st.lists(
    st.tuples(
        st.sampled_from(["hole", "slow", "refuses", "stuck", "frozen", "moved", "well"]),
        st.sampled_from("abc"),
        st.floats(0.1, 4.0),
    ),
    max_size=8,
)


@settings(max_examples=15)
@given(FAULTS, st.integers(0, 2**32))
def test_whatever_brokers_do_no_batch_counts_twice_and_nobody_waits_for_long(
    faults: list[tuple[str, str, float]], seed: int
) -> None:
    house = House(seed=seed)

    async def script(house: House) -> None:
        loading = asyncio.create_task(house.load(20, rate_per_s=30))
        naming = asyncio.create_task(name_some(house))
        for fault, name, seconds in faults:
            break_one(house.log, fault, name)
            await asyncio.sleep(seconds)
        for name in "abc":
            break_one(house.log, "well", name)
        await asyncio.gather(loading, naming)
        await asyncio.sleep(6)

    run_virtual(house.run(script))
    house.check_once()
    assert house.waited_max_s() < 4.7


async def name_some(house: House) -> None:
    """Named batches, each sent twice as a client does that did not hear the answer."""
    for n in range(100):
        batch = n.to_bytes(16, "big")
        await asyncio.gather(house.deliver(batch, named=True), asyncio.sleep(0.1))
        await house.deliver(batch, named=True)


def break_one(log: BrokersLog, fault: str, name: str) -> None:
    """Let one thing go wrong in addition, or everything of one broker go well again."""
    broker = log.brokers[name]
    if fault == "well":
        log.brokers[name] = Broker()
        broker.hole = False
        log.frozen, log.stuck = False, set()
    elif fault == "frozen":
        log.frozen = True
    elif fault == "stuck":
        log.stuck.add(ord(name) % 12)
    elif fault == "moved":
        log.moved[ord(name) % 12] = "a"
    elif fault == "slow":
        broker.latency_s = 0.7
    else:
        setattr(broker, fault, True)


def test_added_partitions_are_used_while_running() -> None:
    house = House()

    async def script(house: House) -> None:
        await house.load(5)
        house.log.partitions = 24
        await asyncio.sleep(31)
        assert house.placement.partitions == 24
        for n in range(200):
            await house.deliver(n.to_bytes(16, "big"), named=True)

    run_virtual(house.run(script))
    assert {p for _, p, kind in house.log.sent if kind == "events"} >= set(range(12, 24))


@given(
    st.sets(st.integers(0, 11)), st.sets(st.integers(0, 11)), st.binary(min_size=16, max_size=16)
)
def test_no_choice_repeats_a_partition_and_every_unknown_one_is_named(
    refused: set[int], unknown: set[int], batch: bytes
) -> None:
    placement = House().placement
    tried = Tried(tuple(refused - unknown), tuple(unknown))
    again = placement.choose_again("d", tried, 0)
    named = placement.choose_named(batch, tried)
    if len(refused | unknown) == 12:
        assert again is None
        assert named is None
        return
    assert again is not None
    assert again.partition not in tried.all
    assert set(again.unless) == unknown
    assert named is not None
    assert named.partition not in tried.all
    order = rendezvous_order(batch, 12)
    assert named.unless == order[: order.index(named.partition)]
