"""The fair queue: newcomers first, bounded shares, no starvation, in random histories."""

import asyncio
import contextlib
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import TooManyRequests, Unavailable
from common.process.fair.queue import FairLimits, FairQueue, NoRoom, Ticket
from common.process.fair.slots import FairSlots

ENVS = ("shop", "bank", "farm")
KEYS = ("a", "b")


def test_a_newcomer_starts_before_everything_that_waits_of_a_busy_environment() -> None:
    queue = FairQueue(FairLimits(running_max=2, waiting_max=100))
    busy = [queue.enter("shop", "a").ticket for _ in range(50)]
    newcomer = queue.enter("bank", "b").ticket
    assert [ticket.running for ticket in busy[:3]] == [True, True, False]
    assert queue.leave(busy[0]) == [newcomer]


def test_a_slot_that_is_kept_free_is_for_an_environment_that_runs_nothing() -> None:
    queue = FairQueue(FairLimits(running_max=3, waiting_max=10, kept_free=1))
    busy = [queue.enter("shop", "a").ticket for _ in range(3)]
    assert [ticket.running for ticket in busy] == [True, True, False]
    assert queue.enter("bank", "b").ticket.running
    assert not queue.enter("farm", "c").ticket.running


def test_a_slot_that_is_kept_free_for_keys_is_for_one_that_runs_nothing() -> None:
    limits = FairLimits(4, waiting_max=10, kept_free=1, key_kept_free=1, running_env_max=2)
    queue = FairQueue(limits)
    busy = [queue.enter("shop", "a").ticket for _ in range(3)]
    assert [ticket.running for ticket in busy] == [True, True, False]
    assert queue.enter("shop", "b").ticket.running
    assert [queue.enter("shop", key).ticket.running for key in "bc"] == [False, False]
    assert queue.enter("bank", "a").ticket.running


def test_the_keys_of_an_environment_take_turns() -> None:
    queue = FairQueue(FairLimits(running_max=1, waiting_max=10))
    first = queue.enter("shop", "a").ticket
    waiting = [queue.enter("shop", key).ticket for key in "aaab"]
    [second] = queue.leave(first)
    [third] = queue.leave(second)
    assert [second, third] == [waiting[3], waiting[0]]


def test_environments_take_turns_however_much_one_of_them_waits_with() -> None:
    queue = FairQueue(FairLimits(running_max=1, waiting_max=100))
    running = queue.enter("shop", "a").ticket
    for env, count in (("shop", 20), ("bank", 5), ("farm", 5)):
        for _ in range(count):
            queue.enter(env, "a")
    served = Counter[str]()
    for _ in range(15):
        [running] = queue.leave(running)
        served[running.env] += 1
    assert served == {"shop": 5, "bank": 5, "farm": 5}


def test_who_comes_back_at_once_does_not_overtake_who_waits() -> None:
    queue = FairQueue(FairLimits(running_max=1, waiting_max=10))
    running = queue.enter("bank", "a").ticket
    patient = queue.enter("shop", "a").ticket
    for env in ("farm", "bank", "farm"):
        queue.enter(env, "a")
    assert queue.leave(running) == [patient]


def test_a_full_room_makes_room_for_who_waits_with_less() -> None:
    queue = FairQueue(FairLimits(running_max=1, waiting_max=4))
    queue.enter("shop", "a")
    waiting = [queue.enter("shop", "a").ticket for _ in range(4)]
    with pytest.raises(NoRoom) as refused:
        queue.enter("shop", "a")
    assert refused.value.own
    entered = queue.enter("bank", "b")
    assert entered.pushed_out is waiting[3]
    assert not waiting[3].present
    assert queue.leave(waiting[3]) == []
    assert queue.waiting == 4


def test_a_full_share_makes_room_for_another_key_of_the_same_environment() -> None:
    queue = FairQueue(FairLimits(running_max=1, waiting_max=40, waiting_env_max=4))
    queue.enter("shop", "a")
    waiting = [queue.enter("shop", "a").ticket for _ in range(4)]
    assert queue.enter("shop", "b").pushed_out is waiting[3]
    with pytest.raises(NoRoom) as refused:
        queue.enter("shop", "a")
    assert refused.value.own


def test_a_room_shared_by_as_many_as_it_has_places_is_full_for_everybody() -> None:
    queue = FairQueue(FairLimits(running_max=1, waiting_max=2))
    for env in ENVS:
        queue.enter(env, "a")
    with pytest.raises(NoRoom) as refused:
        queue.enter("late", "a")
    assert not refused.value.own


def test_without_a_waiting_room_a_refusal_tells_whose_share_is_used_up() -> None:
    queue = FairQueue(FairLimits(running_max=3, waiting_max=0, kept_free=1, running_key_max=1))
    queue.enter("shop", "a")
    with pytest.raises(NoRoom) as own:
        queue.enter("shop", "a")
    queue.enter("shop", "b")
    queue.enter("bank", "a")
    with pytest.raises(NoRoom) as whole:
        queue.enter("farm", "a")
    assert (own.value.own, whole.value.own) == (True, False)


def test_without_a_waiting_room_some_slots_stay_free_for_newcomers_and_other_keys() -> None:
    queue = FairQueue(FairLimits(64, 0, env_per_free=2, key_per_free=1))

    def take_all(env: str, key: str) -> int:
        taken = 0
        while True:
            running, _ = queue.used(env, key)
            with contextlib.suppress(NoRoom):
                queue.enter(env, key)
            if queue.used(env, key)[0] == running:
                return taken
            taken += 1

    assert take_all("shop", "a") == 32
    assert take_all("shop", "b") == 11  # 43 of the environment: twice the 21 that stay free
    assert take_all("shop", "c") == 0
    assert [take_all(env, "a") for env in ("bank", "farm", "late")] == [11, 5, 3]


LIMITS = st.builds(
    FairLimits,
    running_max=st.integers(3, 5),
    waiting_max=st.integers(0, 6),
    kept_free=st.integers(0, 1),
    key_kept_free=st.integers(0, 1),
    env_per_free=st.sampled_from((0.5, 1, 2, 100)),
    key_per_free=st.sampled_from((0.5, 1, 100)),
    running_env_max=st.integers(1, 4),
    running_key_max=st.integers(1, 4),
    waiting_env_max=st.integers(1, 6),
    waiting_key_max=st.integers(1, 6),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("enter"), st.sampled_from(ENVS), st.sampled_from(KEYS)),
        st.tuples(st.just("leave"), st.integers(0, 30), st.none()),
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(LIMITS, STEPS)
def test_shares_hold_and_no_ticket_waits_that_could_run(
    limits: FairLimits, steps: list[tuple[str, str | int, str | None]]
) -> None:
    queue = FairQueue(limits)
    tickets: list[Ticket] = []
    for what, which, key in steps:
        if what == "enter":
            assert isinstance(which, str)
            assert key is not None
            before = queue.used(which, key)
            try:
                tickets.append(queue.enter(which, key).ticket)
            except NoRoom:
                assert queue.used(which, key) == before
        elif tickets:
            assert isinstance(which, int)
            queue.leave(tickets[which % len(tickets)])
        tickets = [ticket for ticket in tickets if ticket.present]
        _assert_within_limits(queue, limits, tickets)
    for ticket in tickets:
        queue.leave(ticket)
    assert (queue.running, queue.waiting) == (0, 0)
    assert not queue._environments
    assert not queue._turns


def _assert_within_limits(queue: FairQueue, limits: FairLimits, tickets: list[Ticket]) -> None:
    running = [ticket for ticket in tickets if ticket.running]
    waiting = [ticket for ticket in tickets if not ticket.running]
    assert (queue.running, queue.waiting) == (len(running), len(waiting))
    assert len(running) <= limits.running_max
    assert len(waiting) <= limits.waiting_max
    envs, keys = Counter(t.env for t in running), Counter((t.env, t.key) for t in running)
    assert max(envs.values(), default=0) <= limits.running_env_max + limits.key_kept_free
    assert max(keys.values(), default=0) <= limits.running_key_max
    of_env, of_key = Counter(t.env for t in waiting), Counter((t.env, t.key) for t in waiting)
    assert max(of_env.values(), default=0) <= limits.waiting_env_max
    assert max(of_key.values(), default=0) <= limits.waiting_key_max
    free = limits.running_max - len(running)
    for ticket in waiting:  # has a reason to wait
        newcomer = keys[ticket.env, ticket.key] == 0
        env_max = limits.running_env_max + (limits.key_kept_free if newcomer else 0)
        assert free == 0 or (
            envs[ticket.env] > 0
            and (
                free <= limits.kept_free + (0 if newcomer else limits.key_kept_free)
                or envs[ticket.env] >= min(env_max, limits.env_per_free * free)
                or keys[ticket.env, ticket.key]
                >= min(limits.running_key_max, limits.key_per_free * free)
            )
        )


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.sampled_from(ENVS), st.sampled_from(KEYS)), max_size=40),
    st.integers(0, 3),
)
def test_a_newcomer_waits_for_one_running_work_at_most(
    running_max: int, entries: list[tuple[str, str]], which: int
) -> None:
    queue = FairQueue(FairLimits(running_max=running_max, waiting_max=100))
    tickets = [queue.enter(env, key).ticket for env, key in entries]
    newcomer = queue.enter("late", "a").ticket
    running = [ticket for ticket in tickets if ticket.running]
    if newcomer.running:
        assert len(running) < running_max
        return
    idle = {t.env for t in tickets if not t.running} - {t.env for t in running}
    started = queue.leave(running[which % len(running)])
    assert started == [newcomer] or started[0].env in idle  # has none either, and came before


async def test_slots_are_given_back_by_who_is_cancelled_while_waiting_and_while_running() -> None:
    slots = FairSlots(FairLimits(running_max=1, waiting_max=5), "queries")
    ran: list[str] = []

    async def work(name: str) -> None:
        async with slots.hold("shop", name):
            ran.append(name)
            await asyncio.sleep(3600)

    tasks = {name: asyncio.create_task(work(name)) for name in "abc"}
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    tasks["b"].cancel()
    tasks["a"].cancel()
    await asyncio.gather(tasks["a"], tasks["b"], return_exceptions=True)
    await asyncio.sleep(0)
    assert ran == ["a", "c"]
    assert (slots.running, slots.waiting) == (1, 0)
    tasks["c"].cancel()
    await asyncio.gather(tasks["c"], return_exceptions=True)
    assert slots.running == 0


async def test_who_is_pushed_out_or_refused_is_told_whose_share_is_used_up() -> None:
    slots = FairSlots(FairLimits(running_max=1, waiting_max=1), "queries")

    async def work(env: str) -> None:
        async with slots.hold(env, "a"):
            await asyncio.sleep(3600)

    names = ("shop", "shop", "shop", "bank", "farm", "late")
    tasks = [asyncio.create_task(work(env)) for env in names]
    await asyncio.wait({tasks[2], tasks[4]})
    assert isinstance(tasks[2].exception(), TooManyRequests)  # its own share
    assert isinstance(tasks[4].exception(), Unavailable)  # others have no more than it wants
    assert not tasks[0].done()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (slots.running, slots.waiting) == (0, 0)
