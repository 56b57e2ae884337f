"""The copy of a small cache on disk is what the cache held last, whatever was being written."""

import asyncio
import threading
from pathlib import Path

import pytest

from common.process.machine import disk_copy
from common.process.machine.disk_copy import DiskCopy


async def test_a_write_under_way_does_not_take_the_place_of_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, started, go_on = disk_copy._replace, threading.Event(), threading.Event()

    def slow_first(path: Path, data: bytes) -> None:
        if not started.is_set():
            started.set()
            go_on.wait(10)
        replace(path, data)

    monkeypatch.setattr(disk_copy, "_replace", slow_first)
    content = [b"old"]
    copy = DiskCopy(tmp_path / "copy", lambda: content[0])
    copy.changed()
    assert await asyncio.to_thread(started.wait, 10)
    content[0] = b"new"
    closing = asyncio.create_task(copy.close())
    done, _ = await asyncio.wait({closing}, timeout=0.2)
    assert not done
    go_on.set()
    await closing
    assert copy.load() == b"new"
    assert not await asyncio.to_thread((tmp_path / "copy.partial").exists)
