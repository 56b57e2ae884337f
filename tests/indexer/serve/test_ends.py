"""Which segments a lease opens for a question by ends: by append times, and by summaries."""

import threading
from pathlib import Path

import msgspec
import pytest

from common import limits
from indexer.partition.partition import Partition
from indexer.serve.ends import reaching
from indexer.serve.footers import Footers
from indexer.serve.leases import PartitionLeases
from indexer.upkeep.summaries.held import HeldSummaries
from query.share.view.view import EndsWanted, ViewRequest
from tests.indexer.harness import (
    DATASET,
    TIME_NS,
    append,
    open_context,
    published,
    repair_of,
    until,
)
from tests.indexer.partition.test_partition import CUT, numbers_in
from tests.indexer.upkeep.compaction.compacting import compacting, cuts
from tests.indexer.upkeep.summaries.test_worker import worker_of

MS_NS = 10**6


async def numbers_of(partition: Partition, held: HeldSummaries, ends: EndsWanted) -> list[int]:
    shared = partition.shared
    leases = PartitionLeases(
        {0: partition},
        shared.prefetcher.fetching,
        Footers(),
        repair_of(partition),
        shared.context.clock,
        summaries=held,
    )
    wanted = ViewRequest(end_ns=TIME_NS + 10**9, fields=frozenset({"n"}), ends=ends)
    async with leases.lease(0, DATASET, wanted) as view:
        return numbers_in(view)


async def test_segments_are_opened_of_which_an_event_may_have_lasted_into_the_range(
    tmp_path: Path,
) -> None:
    """The number of an event is taken for its duration in ms; it starts that many ns after TIME."""
    async with open_context(tmp_path) as context, compacting(context) as partition:
        await cuts(partition, context.backends.log, [1, 2], [3], [100], [4, 90])
        ends = EndsWanted(TIME_NS + 50 * MS_NS, ("n",))
        assert await numbers_of(partition, HeldSummaries(), ends) == [1, 2, 3, 4, 90, 100]
        held = HeldSummaries()
        await worker_of(partition, held).run_round()
        assert await numbers_of(partition, held, ends) == [4, 90, 100]
        other = EndsWanted(ends.start_ns, ("missing",))
        assert await numbers_of(partition, held, other) == []
        either = EndsWanted(ends.start_ns, ("missing", "n"))
        assert await numbers_of(partition, held, either) == [4, 90, 100]
        near = EndsWanted(TIME_NS + 3, ("missing",))
        assert await numbers_of(partition, held, near) == [3, 4, 90, 100]  # they start after it


async def test_what_arrived_an_hour_before_a_range_has_no_end_in_it(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, compacting(context) as partition:
        await cuts(partition, context.backends.log, [1], [2])
        assert partition.view is not None
        served = [
            one._replace(entry=msgspec.structs.replace(one.entry, far=False))
            for one in partition.view.served_of(DATASET)
        ]
        last_ns = max(one.entry.append_max_ns for one in served)
        at_limit = EndsWanted(last_ns + limits.ENDS_AHEAD_MAX_NS, ("n",))
        assert reaching(served, at_limit, HeldSummaries())[-1:] == served[-1:]
        later = EndsWanted(at_limit.start_ns + 1, ("n",))
        assert reaching(served, later, HeldSummaries()) == []
        far = [one._replace(entry=msgspec.structs.replace(one.entry, far=True)) for one in served]
        beyond = EndsWanted(last_ns + 2 * limits.ENDS_AHEAD_MAX_NS, ("n",))
        assert reaching(far, beyond, HeldSummaries()) == far  # dated away from when they arrived


async def test_live_rows_are_not_looked_at_on_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def looks(*_: object) -> bool:
        threads.append(threading.get_ident())
        return True

    monkeypatch.setattr("indexer.serve.leases.has_longer", looks)
    async with open_context(tmp_path) as context, compacting(context) as partition:
        shared = partition.shared
        leases = PartitionLeases(
            {0: partition},
            shared.prefetcher.fetching,
            Footers(),
            repair_of(partition),
            shared.context.clock,
        )
        async with leases.lease(0, DATASET, ViewRequest(durations=("n",))) as view:
            assert view.longer
        async with leases.lease(0, DATASET, ViewRequest()) as view:
            assert not view.longer
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


async def test_a_view_says_whether_longer_events_may_have_ended_in_the_range(
    tmp_path: Path,
) -> None:
    """An event of 100 ms that began 100 ns after TIME, sealed and live; ranges are shorter."""

    async def has_longer(partition: Partition, held: HeldSummaries, first: int, end: int) -> bool:
        shared = partition.shared
        leases = PartitionLeases(
            {0: partition},
            shared.prefetcher.fetching,
            Footers(),
            repair_of(partition),
            shared.context.clock,
            summaries=held,
        )
        wanted = ViewRequest(TIME_NS + first * MS_NS, TIME_NS + end * MS_NS, durations=("n",))
        async with leases.lease(0, DATASET, wanted) as view:
            return view.longer

    async with open_context(tmp_path) as context, compacting(context) as partition:
        held = HeldSummaries()
        await append(context.backends.log, [100])
        await until(partition, lambda p: p.view is not None and p.view.live.end_offset == 1)
        assert await has_longer(partition, held, 90, 110)
        assert not await has_longer(partition, held, 101, 110)  # it ended before
        assert not await has_longer(partition, held, 10, 120)  # it is shorter than the range
        assert not await has_longer(partition, held, 0, 200)  # it began in the range
        await context.backends.log.append(0, CUT)
        await until(partition, published(2))
        await worker_of(partition, held).run_round()
        assert await has_longer(partition, held, 90, 110)
        assert not await has_longer(partition, held, 101, 110)
        assert not await has_longer(partition, held, 10, 120)
