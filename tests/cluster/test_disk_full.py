"""An indexer whose disk is full endangers nothing: its twin serves, and it recovers by itself."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from compose.cluster.cluster import Cluster
from compose.cluster.roles import Role
from tests.cluster.harness import ask_count, cut_without_wait, in_thread, scenario

pytestmark = pytest.mark.scenario

DISK_BYTES = 96 * 1024 * 1024


@asynccontextmanager
async def small_disk(cluster: Cluster, role: Role) -> AsyncIterator[Path]:
    """The role runs on a disk that can be filled; afterwards on its old one, empty."""
    await in_thread(role.kill, stay_down=True)
    await in_thread(role.wipe)
    role.data.mkdir(parents=True)
    mounted = await in_thread(
        run, "mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(role.data)
    )
    try:
        if mounted.returncode:
            pytest.skip(f"a full disk needs the right to mount a tmpfs: {mounted.stderr.strip()}")
        await in_thread(cluster.roles.start, [role])
        await in_thread(cluster.roles.wait_ready, [role])
        yield role.data
    finally:
        await in_thread(role.kill, stay_down=True)
        if not mounted.returncode:
            await in_thread(run, "umount", "-l", str(role.data))
        await in_thread(cluster.roles.start, [role])
        await in_thread(cluster.roles.wait_ready, [role])


def run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False)


def fill(folder: Path) -> Path:
    """Write until the disk is full."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as out:
        block = bytes(65_536)
        while block:
            try:
                out.write(block)
            except OSError:
                block = block[: len(block) // 2]
    return path


async def test_indexer_with_a_full_disk_loses_nothing(cluster: Cluster) -> None:
    role = cluster.roles["indexer", "a"]
    async with (
        small_disk(cluster, role) as disk,
        scenario(cluster, "disk of an indexer full for 20 s") as running,
    ):
        await running.steady()
        running.fault()
        filler = await in_thread(fill, disk)
        await cut_without_wait(cluster)
        await running.steady(10)
        assert (await ask_count(running)).complete, "the twin has everything"
        await running.steady(10)
        filler.unlink()
        await running.steady(3)
