"""Live rows have a budget: it pauses reading, moves no cut, and never stands still (I3, I11)."""

import asyncio
import shutil
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from indexer.partition.memory_budget import LiveBudget, MemoryUse, may_read
from indexer.state.cut_rules import CutRules
from tests.indexer.harness import append, open_context, published, reached, running, until
from tests.indexer.partition.test_partition import numbers

USES = st.builds(MemoryUse, st.integers(0, 50), st.integers(0, 50), st.booleans())


STEPS = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.none()
        | st.builds(
            MemoryUse, st.integers(0, 50), st.integers(0, 50), st.booleans(), st.integers(0, 50)
        ),
    )
)


@given(STEPS, st.integers(1, 100), st.integers(1, 100))
def test_sums_of_the_budget_are_those_of_its_partitions_after_any_changes(
    steps: list[tuple[int, MemoryUse | None]], bytes_max: int, waiting_max: int
) -> None:
    budget, uses = LiveBudget(bytes_max, waiting_max), dict[int, MemoryUse]()
    for number, use in steps:
        if use is None:
            uses.pop(number, None)
            budget.forget(number)
        else:
            uses[number] = use
            allowed = budget.request(number, use)
            assert allowed == may_read(number, uses, bytes_max, waiting_max)
        assert budget.waiting_bytes == sum(one.waiting_bytes for one in uses.values())


@given(st.dictionaries(st.integers(0, 9), USES, min_size=1), st.integers(0, 100))
def test_beyond_the_budget_at_most_one_partition_reads_and_somebody_makes_progress(
    uses: dict[int, MemoryUse], bytes_max: int
) -> None:
    reading = [n for n in uses if may_read(n, uses, bytes_max)]
    total = sum(use.uncut_bytes + use.sealing_bytes for use in uses.values())
    if total < bytes_max:
        assert reading == list(uses)
        return
    assert len(reading) <= 1
    sealing = any(use.sealing_bytes for use in uses.values())
    behind = any(use.behind for use in uses.values())
    assert reading or sealing or not behind
    assert not reading or uses[reading[0]].behind


async def test_without_room_partitions_come_to_their_cuts_one_after_the_other(
    tmp_path: Path,
) -> None:
    rules = CutRules(rows_max=40)
    async with open_context(tmp_path / "small", partitions=2) as context:
        for first in range(0, 200, 10):
            some = list(range(first, first + 10))
            await append(context.backends.log, some, partition=first // 10 % 2)
    shutil.copytree(tmp_path / "small", tmp_path / "large")
    ends: list[list[str]] = []
    for name, bytes_max in (("small", 1), ("large", 2**30)):
        budget = LiveBudget(bytes_max)
        async with (
            open_context(tmp_path / name, partitions=2) as context,
            running(context, 0, budget=budget, cut_rules=rules) as zero,
            running(context, 1, budget=budget, cut_rules=rules) as one,
        ):
            for partition in (zero, one):
                await until(partition, reached(10))
                await until(partition, published(8))
            assert sorted(await numbers(zero) + await numbers(one)) == list(range(200))
            ends.append([*zero.chain.manifest_keys(), *one.chain.manifest_keys()])
    assert ends[0] == ends[1]
    assert len(ends[0]) == 4


async def test_paused_partition_is_read_again_when_the_other_has_published(tmp_path: Path) -> None:
    async with open_context(tmp_path, partitions=2) as context:
        log = context.backends.log
        budget = LiveBudget(1)
        async with running(context, 0, budget=budget) as full:
            await append(log, [1, 2, 3])
            await until(full, reached(1))
            budget.request(
                7, MemoryUse(10**6, 0, behind=True)
            )  # a third one that is nearer to its cut
            async with running(context, 1, budget=budget) as other:
                await append(log, [4], partition=1)
                await until(other, lambda p: budget.paused(1))
                await asyncio.sleep(0.1)
                assert other.view is not None
                assert other.view.live.rows == 0
                assert other.log_end.is_catching_up  # its answers say that rows are missing
                budget.forget(7)
                await until(other, reached(1))
                assert not other.log_end.is_catching_up
