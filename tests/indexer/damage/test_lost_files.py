"""Files of the embedded log that are lost: told, waited for, and passed at an operator's word."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner

from bellwether.commands.operate.damage import damage
from common.log.embedded.log import EmbeddedLog
from common.process.role import RoleContext
from indexer.partition.partition import Partition
from tests.indexer.damage.test_damage import coverage
from tests.indexer.harness import append, open_context, reached, running, until
from tests.indexer.partition.test_partition import numbers
from tests.waiting import eventually

pytestmark = pytest.mark.slow


def small_files(context: RoleContext) -> EmbeddedLog:
    log = context.backends.log
    assert isinstance(log, EmbeddedLog)
    log._file_bytes_max = 40_000
    return log


async def three_files(folder: Path) -> list[Path]:
    async with open_context(folder) as context:
        log = small_files(context)
        for n in range(300):
            await append(log, [n])
    files = sorted((folder / "log" / "p00000").glob("*.db"))
    assert len(files) >= 3
    return files


def harm(file: Path, how: str) -> None:
    if how == "missing":
        file.rename(file.with_suffix(".away"))
    elif how == "zeroed":
        file.write_bytes(bytes(file.stat().st_size))
    else:
        file.write_bytes(file.read_bytes()[:20_000])


async def told(partition: Partition, complete: bool) -> None:
    async def is_so() -> bool:
        return partition.view is not None and (await coverage(partition)).complete is complete

    await eventually(is_so)


@pytest.mark.parametrize(
    ("how", "which"), [("missing", 1), ("missing", -1), ("zeroed", -1), ("truncated", 1)]
)
async def test_lost_file_is_told_and_indexing_goes_on_after_an_operators_word(
    tmp_path: Path, how: str, which: int
) -> None:
    files = await three_files(tmp_path)
    lost = files[which]
    first = int(lost.stem)
    end = 300 if which == -1 else int(files[which + 1].stem)
    harm(lost, how)
    async with open_context(tmp_path) as context, running(context) as partition:
        small_files(context)
        await until(partition, reached(first))

        async def is_told() -> bool:
            return "bellwether damage" in (await coverage(partition)).reason

        await eventually(is_told)
        assert not (await coverage(partition)).complete
        assert partition.view is not None
        assert partition.view.live.end_offset == first
        arguments = ["--data", str(tmp_path), "--set", "log.partitions=1"]
        listed = await asyncio.to_thread(CliRunner().invoke, damage, arguments)
        assert listed.exit_code == 1
        assert f"offsets {first}-{end - 1} are lost" in listed.output
        done = await asyncio.to_thread(
            CliRunner().invoke, damage, ["settle", "0", str(first), "--yes", *arguments]
        )
        assert done.exit_code == 0, done.output
        await append(context.backends.log, [1_000])
        await until(partition, reached(301))
        await told(partition, complete=True)
        expected = [*range(first), *range(end, 300), 1_000]
        assert await numbers(partition) == expected
        assert (await coverage(partition)).given_up == end - first
    async with open_context(tmp_path, "c") as context, running(context) as partition:
        await until(partition, reached(301))
        assert await numbers(partition) == expected
        assert (await coverage(partition)).complete


async def test_lost_file_that_is_restored_is_read_as_if_nothing_had_been(tmp_path: Path) -> None:
    files = await three_files(tmp_path)
    harm(files[1], "missing")
    async with open_context(tmp_path) as context, running(context) as partition:
        await until(partition, reached(int(files[1].stem)))
        await told(partition, complete=False)
        files[1].with_suffix(".away").rename(files[1])
        await until(partition, reached(300))
        await told(partition, complete=True)
        assert await numbers(partition) == list(range(300))


async def test_records_lost_with_the_wal_are_told_and_their_offsets_are_not_used_again(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path) as context:
        await append(context.backends.log, [1], [2])
    (file,) = (tmp_path / "log" / "p00000").glob("*.db")
    kept = file.read_bytes()
    async with open_context(tmp_path) as context:
        await append(context.backends.log, [3], [4])
    file.write_bytes(kept)  # as if what came since had only been in the WAL, and that is gone
    async with open_context(tmp_path) as context, running(context) as partition:
        appended = (await append(context.backends.log, [5]))[0]
        assert appended.position.offset == 4
        await until(partition, reached(5))
        assert await numbers(partition) == [1, 2, 5]
        now = await coverage(partition)
        assert [(one.first, one.end) for one in now.damaged] == [(2, 4)]
        assert not now.complete


async def test_a_partition_whose_only_file_is_gone_is_told_and_goes_on_after_an_operators_word(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path) as context:
        await append(context.backends.log, [1], [2])
    for path in (tmp_path / "log" / "p00000").glob("*.db*"):
        path.unlink()
    async with open_context(tmp_path) as context, running(context) as partition:
        bounds = await context.backends.log.bounds(0)
        assert (bounds.start, bounds.end) == (0, 2), "what was written is not forgotten"
        await told(partition, complete=False)

        async def is_told() -> bool:
            return "bellwether damage" in (await coverage(partition)).reason

        await eventually(is_told)
        arguments = ["--data", str(tmp_path), "--set", "log.partitions=1"]
        listed = await asyncio.to_thread(CliRunner().invoke, damage, arguments)
        assert (listed.exit_code, "offsets 0-1 are lost" in listed.output) == (1, True)
        done = await asyncio.to_thread(
            CliRunner().invoke, damage, ["settle", "0", "0", "--yes", *arguments]
        )
        assert done.exit_code == 0, done.output
        await append(context.backends.log, [3])
        await until(partition, reached(3))
        await told(partition, complete=True)
        assert await numbers(partition) == [3]
