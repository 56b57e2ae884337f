"""Leaving slow brokers and partitions, under a virtual clock with simulated brokers (design, 5)."""

import asyncio
import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from shepherd.placement.rendezvous import rendezvous_order
from shepherd.placement.selector import PartitionSelector, Tried
from tests.shepherd.placement.harness import Harness
from tests.shepherd.placement.virtual import SECOND, Broker, BrokersLog, run_virtual


def test_healthy_brokers_get_equal_shares() -> None:
    harness = Harness()

    async def script(harness: Harness) -> None:
        await harness.load(40)

    run_virtual(harness.run(script))
    shares = harness.sent_to(0)
    assert not harness.failures
    assert all(0.25 < shares[name] / 2000 < 0.42 for name in "abc")
    assert harness.probes(0) == 0


def test_black_holed_broker_is_left_within_a_second_and_nothing_fails() -> None:
    harness = Harness()

    async def script(harness: Harness) -> None:
        await harness.load(10)
        harness.log.brokers["b"].hole = True
        await harness.load(30)
        assert [n for n, t in harness.health.brokers.items() if t.ejection] == ["b"]
        harness.log.brokers["b"].hole = False
        await harness.load(30)

    run_virtual(harness.run(script))
    assert not harness.failures
    assert harness.waited_max_s() < 2
    assert harness.sent_to(11 * SECOND, 40 * SECOND)["b"] == 0
    assert harness.waited_max_s(since_ns=11 * SECOND) < 0.1
    assert 5 <= harness.probes(0) < 30
    assert harness.sent_to(50 * SECOND)["b"] > 200  # of a thousand: its share again
    harness.assert_counted_once()


def test_slow_broker_is_left_and_returns_when_it_is_fast_again() -> None:
    harness = Harness()

    async def script(harness: Harness) -> None:
        await harness.load(20)
        harness.log.brokers["c"].latency_s = 0.35
        await harness.load(40)
        harness.log.brokers["c"].latency_s = 0.005
        await harness.load(30)

    run_virtual(harness.run(script))
    assert not harness.failures
    late = harness.sent_to(35 * SECOND, 60 * SECOND)
    assert late["c"] < 0.05 * sum(late.values())
    assert harness.sent_to(75 * SECOND)["c"] > 150
    harness.assert_counted_once()


def test_slow_cluster_is_not_taken_for_slow_brokers() -> None:
    harness = Harness()

    async def script(harness: Harness) -> None:
        await harness.load(20)
        for broker in harness.log.brokers.values():
            broker.latency_s = 1.3
        await harness.load(30)
        assert "slow" in harness.health.backpressure
        assert not [n for n, t in harness.health.brokers.items() if t.ejection]
        for broker in harness.log.brokers.values():
            broker.latency_s = 0.005
        await harness.load(60)
        assert harness.health.backpressure == ""

    run_virtual(harness.run(script))
    assert not harness.failures
    harness.assert_counted_once()


def test_frozen_cluster_is_waited_for_without_copies_and_told() -> None:
    harness = Harness()

    async def script(harness: Harness) -> None:
        await harness.load(10)
        harness.log.frozen = True
        asyncio.get_running_loop().call_later(2.2, setattr, harness.log, "frozen", False)
        loading = asyncio.create_task(harness.load(2.1))
        await asyncio.sleep(2)
        assert "nothing was acknowledged" in harness.health.backpressure
        await loading
        await asyncio.sleep(0.3)
        assert harness.health.backpressure == ""

    run_virtual(harness.run(script))
    assert not harness.failures
    assert not any(landed.record.unless for landed in harness.log.landed)
    assert not [n for n, t in harness.health.brokers.items() if t.ejection]
    harness.assert_counted_once()


def test_two_stuck_brokers_of_three_are_not_both_left() -> None:
    harness = Harness()

    async def script(harness: Harness) -> None:
        await harness.load(10)
        harness.log.brokers["a"].hole = harness.log.brokers["b"].hole = True
        await harness.load(10)
        assert sum(bool(t.ejection) for t in harness.health.brokers.values()) == 1
        assert "more than a third" in harness.health.backpressure
        harness.log.brokers["a"].hole = harness.log.brokers["b"].hole = False
        await harness.load(30)
        assert harness.health.backpressure == ""

    run_virtual(harness.run(script))
    assert not harness.failures
    harness.assert_counted_once()


def test_one_stuck_partition_is_left_without_its_broker() -> None:
    harness = Harness()

    async def script(harness: Harness) -> None:
        await harness.load(10)
        stuck = rendezvous_order(b"d", 12)[0]
        harness.log.stuck = {stuck}
        await harness.load(10, rate_per_s=20)
        assert [p for p, t in enumerate(harness.health.partitions) if t.ejection] == [stuck]
        harness.log.stuck = set()
        await harness.load(10)
        assert not any(t.ejection for t in harness.health.partitions)

    run_virtual(harness.run(script))
    assert not harness.failures
    shares = harness.sent_to(0)
    assert min(shares.values()) > 0.2 * sum(shares.values())
    harness.assert_counted_once()


def test_partition_that_another_broker_leads_now_is_used_at_once() -> None:
    harness = Harness(partitions=3)

    async def script(harness: Harness) -> None:
        await harness.load(10)
        harness.log.brokers["b"].hole = True
        await harness.load(5)
        harness.log.moved[1] = "c"
        began_ns = harness.clock.monotonic_ns()
        await harness.load(4)
        used = Counter(p for at, p, kind in harness.log.sent if kind == "events" and at >= began_ns)
        assert used[1] > 40

    run_virtual(harness.run(script))
    assert not harness.failures
    harness.assert_counted_once()


def test_flapping_broker_is_trusted_later_each_time() -> None:
    harness = Harness()
    returns: list[float] = []

    async def script(harness: Harness) -> None:
        await harness.load(5)
        for _ in range(4):
            harness.log.brokers["a"].hole = True
            await harness.load(4)
            harness.log.brokers["a"].hole = False
            began_s = asyncio.get_running_loop().time()
            while harness.health.brokers["a"].ejection:
                await harness.load(0.5)
            returns.append(asyncio.get_running_loop().time() - began_s)

    run_virtual(harness.run(script))
    assert not harness.failures
    assert returns == sorted(returns)
    assert returns[0] < 7
    assert returns[-1] > 3 * returns[0]
    harness.assert_counted_once()


def test_quiet_shepherd_does_not_need_traffic_to_find_another_partition() -> None:
    harness = Harness()

    async def script(harness: Harness) -> None:
        harness.log.brokers["a"].hole = True
        await harness.load(60, rate_per_s=0.5)

    run_virtual(harness.run(script))
    assert not harness.failures
    assert harness.waited_max_s() < 3
    harness.assert_counted_once()


def test_refused_record_is_written_elsewhere_unconditionally() -> None:
    harness = Harness(conditionals_max=0)

    async def script(harness: Harness) -> None:
        harness.log.brokers["a"].refuses = True
        await harness.load(10)

    run_virtual(harness.run(script))
    assert not harness.failures
    assert not any(landed.record.unless for landed in harness.log.landed)
    assert {landed.record.via.split(":")[0] for landed in harness.log.landed} >= {
        "random",
        "refused",
    }
    harness.assert_counted_once()


def test_beyond_the_cap_of_open_questions_an_unknown_fate_is_an_error_and_no_copy() -> None:
    harness = Harness(conditionals_max=20)

    async def script(harness: Harness) -> None:
        await harness.load(5, rate_per_s=200)
        harness.log.brokers["a"].hole = True
        await harness.load(5, rate_per_s=200)
        harness.log.brokers["a"].hole = False
        await harness.load(5)

    run_virtual(harness.run(script))
    assert 0 < len(harness.failures) < 100
    assert harness.waited_max_s() < 5
    assert sum(bool(x.record.unless) for x in harness.log.landed) == 20
    harness.assert_counted_once()


def test_named_batch_names_every_earlier_partition_of_its_order() -> None:
    harness = Harness()
    batch = b"a client's batch"

    async def script(harness: Harness) -> None:
        order = rendezvous_order(batch, 12)
        assert (await harness.deliver(batch, named=True)).partition == order[0]  # type: ignore[union-attr]  # acknowledged
        harness.log.brokers[harness.log.leader(order[0])].hole = True
        await harness.load(3)
        position = await harness.deliver(batch, named=True)
        assert position is not None
        (copy,) = [x for x in harness.log.landed if x.record.batch == batch and x.record.unless]
        assert copy.record.unless == order[: order.index(position.partition)]
        assert copy.record.via == f"reroute:{','.join(map(str, copy.record.unless))}"

    run_virtual(harness.run(script))
    assert harness.counted()[batch] == 1


def test_named_batch_repeated_through_a_shepherd_that_avoids_its_first_partition_counts_once() -> (
    None
):
    harness, other = Harness(), Harness(seed=2)
    other.log = harness.log
    other.selector = PartitionSelector(12, harness.log.leader, other.rng, 0)
    batches = [n.to_bytes(16, "big") for n in range(60)]

    async def second(other: Harness) -> None:
        harness.log.brokers["b"].hole = True
        await other.load(3)
        harness.log.brokers["b"].hole = False
        for batch in batches:
            assert await other.deliver(batch, named=True)

    async def script(harness: Harness) -> None:
        for batch in batches:
            assert await harness.deliver(batch, named=True)
        await other.run(second)

    run_virtual(harness.run(script))
    counted = harness.counted()
    assert [batch for batch in batches if counted[batch] != 1] == []
    assert sum(bool(x.record.unless) for x in harness.log.landed) > 10
    harness.assert_counted_once()


def test_named_batches_keep_to_the_first_partitions_that_the_settings_say() -> None:
    log = Harness().log
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
    harness = Harness(seed=seed)

    async def script(harness: Harness) -> None:
        loading = asyncio.create_task(harness.load(20, rate_per_s=30))
        naming = asyncio.create_task(name_some(harness))
        for fault, name, seconds in faults:
            break_one(harness.log, fault, name)
            await asyncio.sleep(seconds)
        for name in "abc":
            break_one(harness.log, "well", name)
        await asyncio.gather(loading, naming)
        await asyncio.sleep(6)

    run_virtual(harness.run(script))
    harness.assert_counted_once()
    assert harness.waited_max_s() < 4.7


async def name_some(harness: Harness) -> None:
    """Named batches, each sent twice as a client does that did not hear the answer."""
    for n in range(100):
        batch = n.to_bytes(16, "big")
        await asyncio.gather(harness.deliver(batch, named=True), asyncio.sleep(0.1))
        await harness.deliver(batch, named=True)


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
    harness = Harness()

    async def script(harness: Harness) -> None:
        await harness.load(5)
        harness.log.partitions = 24
        await asyncio.sleep(31)
        assert harness.selector.partitions == 24
        for n in range(200):
            await harness.deliver(n.to_bytes(16, "big"), named=True)

    run_virtual(harness.run(script))
    assert {p for _, p, kind in harness.log.sent if kind == "events"} >= set(range(12, 24))


@given(
    st.sets(st.integers(0, 11)), st.sets(st.integers(0, 11)), st.binary(min_size=16, max_size=16)
)
def test_no_choice_repeats_a_partition_and_every_unknown_one_is_named(
    refused: set[int], unknown: set[int], batch: bytes
) -> None:
    selector = Harness().selector
    tried = Tried(tuple(refused - unknown), tuple(unknown))
    again = selector.choose_again("d", tried, 0)
    named = selector.choose_named(batch, tried)
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
