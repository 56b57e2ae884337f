"""`bootstrap --plan` estimates what a bootstrap then does, and changes nothing (I5)."""

from collections.abc import Sequence
from pathlib import Path

from common.clock import SystemClock
from common.model.record import Kind, LogRecord, decode
from snapshot.bootstrap.estimate import BootstrapEstimate, estimate_bootstrap
from tests.indexer.harness import append, open_context, published, reached, running, until
from tests.indexer.partition.test_partition import CUT
from tests.indexer.test_bootstrap import three_cuts, warmed


def count(records: Sequence[LogRecord]) -> int:
    found = [decode(message) for message in records]
    return sum(record.n for record in found if record.kind is Kind.EVENTS)


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def planned(folder: Path) -> BootstrapEstimate:
    async with open_context(folder) as context:
        backends = context.backends
        return await estimate_bootstrap(
            backends.objects, backends.log, [0], count, SystemClock(), 2
        )


async def test_plan_is_what_the_bootstrap_then_does(tmp_path: Path) -> None:
    await three_cuts(tmp_path)
    before = files_of(tmp_path / "objects")
    plan = await planned(tmp_path)
    assert files_of(tmp_path / "objects") == before
    (one,) = plan.partitions
    async with open_context(tmp_path) as context, running(context) as partition:
        await until(partition, reached(8))
        await warmed(partition)
        assert partition.replay is not None
        assert (one.records, one.events) == (2, partition.replay.events)
        assert one.record_bytes == partition.replay.bytes
        assert one.first_offset == partition.replay.first_offset
        assert plan.segment_bytes == partition.shared.prefetcher.fetched_bytes
        assert one.segments == one.objects == partition.shared.prefetcher.fetched
        assert one.objects < one.requests < one.objects + 40  # its documents are read, too
    assert (one.lost, one.opens_epoch) == (None, None)
    fetch_s, replay_s = plan.seconds()
    assert fetch_s is not None
    assert replay_s is not None
    assert fetch_s > 0


async def test_plan_of_a_damaged_epoch_and_manifest_repairs_nothing(tmp_path: Path) -> None:
    await three_cuts(tmp_path)
    for kind in ("epochs", "manifests"):
        path = sorted((tmp_path / "objects" / kind / "00000").iterdir())[-1]
        path.write_bytes(b"damaged")
    before = files_of(tmp_path / "objects")
    plan = await planned(tmp_path)
    assert files_of(tmp_path / "objects") == before
    assert plan.partitions[0].first_offset == 4  # the log still holds the third cut: replayed


async def test_plan_of_nothing_has_nothing_to_fetch_and_everything_to_replay(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path) as context:
        await append(context.backends.log, [1, 2, 3], [4])
    plan = await planned(tmp_path)
    assert (plan.segment_bytes, plan.events, plan.seconds()[0]) == (0, 4, 0.0)
    async with open_context(tmp_path) as context, running(context) as partition:
        await context.backends.log.append(0, CUT)
        await until(partition, published(3))
    assert (await planned(tmp_path)).events == 0
