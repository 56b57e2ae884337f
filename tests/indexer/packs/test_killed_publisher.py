"""A process that is killed at any call of the store while it publishes packs loses nothing."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from common.objects import ObjectStore
from snapshot.verify.verify import verify
from tests.indexer.harness import open_context, published, running, until
from tests.indexer.packs.packed import PACKING, append_all, expected, numbers_of

FOLDER, AT, AFTER = "BELLWETHER_TEST_FOLDER", "BELLWETHER_TEST_AT", "BELLWETHER_TEST_AFTER"
TIMEOUT_S = 120


class Killing:
    """An object store whose n-th put kills its process, before or after it has landed."""

    def __init__(self, objects: ObjectStore, at: int, *, after: bool) -> None:
        self._objects = objects
        self._left = at
        self._after = after

    def __getattr__(self, name: str) -> object:
        return getattr(self._objects, name)

    def put_if_absent(self, key: str, data: bytes | Path) -> bool:
        self._left -= 1
        if self._left == 0 and not self._after:
            os.kill(os.getpid(), signal.SIGKILL)
        done = self._objects.put_if_absent(key, data)
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return done


async def publish_until_killed() -> None:
    """What the process of the test does."""
    folder, at = Path(os.environ[FOLDER]), int(os.environ[AT])
    after = bool(os.environ[AFTER])

    def wrap(objects: ObjectStore) -> ObjectStore:
        return Killing(objects, at, after=after)  # type: ignore[return-value]  # by __getattr__

    async with (
        open_context(folder, wrap=wrap) as context,
        running(context, document_gate=PACKING) as partition,
    ):
        await append_all(context.backends.log, 0)
        end = await append_all(context.backends.log, 10)
        await until(partition, published(end))


# the puts of two cuts: epoch, then for each the pack, the next cut's heading, the manifest
@pytest.mark.parametrize(
    ("at", "after"),
    [
        pytest.param(2, False, marks=pytest.mark.slow),
        (2, True),
        (4, False),
        pytest.param(4, True, marks=pytest.mark.slow),
        pytest.param(5, True, marks=pytest.mark.slow),
    ],
)
async def test_what_a_killed_process_had_begun_is_published_once(
    tmp_path: Path, at: int, after: bool
) -> None:
    environment = {**os.environ, FOLDER: str(tmp_path), AT: str(at), AFTER: "yes" if after else ""}
    code = f"import asyncio, {__name__} as t; asyncio.run(t.publish_until_killed())"
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", code],
        env=environment,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    async with (
        open_context(tmp_path) as context,
        running(context, document_gate=PACKING) as partition,
    ):
        log = context.backends.log
        written = (await log.bounds(0)).end
        if written < 10:  # it was killed before it had appended everything
            assert written % 5 == 0
        end = await append_all(log, 20)
        await until(partition, published(end))
        found = numbers_of(partition)
        firsts = (0, 10, 20) if end == 15 else (0, 20)
        assert found == expected(*firsts)
        objects = context.backends.objects
        report = await verify(objects, log, [0])
        assert report.clean, report.problems
        assert report.rows == 4 * len(firsts)
