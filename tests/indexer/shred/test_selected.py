"""Which shredder serves: the reference until the compiled one is proved, and where it cannot be."""

import asyncio
import logging
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from common.kernels import background
from common.metrics import kernel_active
from indexer.shred import load_compiled
from indexer.shred.interface import Shredder
from indexer.shred.selected import SelectedShredder
from tests.generate import wide_records
from tests.indexer.shred.conftest import SEEDS
from tests.kernel_cache import KERNEL_CACHE
from tests.segment.columns.equality import assert_same_block

ROOT = Path(__file__).parents[3]


def gauge() -> float:
    return kernel_active.labels("shredder")._value.get()


async def test_the_reference_serves_until_the_kernel_is_compiled_and_then_the_kernel() -> None:
    shredder = SelectedShredder()
    records = wide_records(200)
    assert (shredder.name, gauge()) == ("reference", 0)
    before = shredder.shred(records)
    await shredder.use_compiled(KERNEL_CACHE, SEEDS)
    assert (shredder.name, gauge()) == ("kernel", 1)
    after = shredder.shred(records)
    assert_same_block(after.block, before.block)


@pytest.mark.parametrize("what", ["compiling fails", "loading fails", "folder cannot be written"])
async def test_where_it_cannot_be_compiled_the_reference_goes_on_loudly(
    what: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    folder = tmp_path
    if what == "compiling fails":
        monkeypatch.setattr(background, "_COMPILE", "raise ImportError('No module named numba')")
    elif what == "loading fails":

        def broken(folder: Path, seeds: tuple[int, int], handed: Callable[[int], None]) -> Shredder:
            raise RuntimeError("LLVM said no")

        monkeypatch.setattr(background, "_COMPILE", "")
        monkeypatch.setattr(load_compiled, "load", broken)
    else:
        folder = tmp_path / "file" / "below"
        folder.parent.write_text("in the way")
    shredder = SelectedShredder()
    with caplog.at_level(logging.ERROR):
        await shredder.use_compiled(folder, SEEDS)
    assert (shredder.name, gauge()) == ("reference", 0)
    assert "the reference goes on" in caplog.text
    assert shredder.shred(wide_records(10)).block.rows == 10


async def test_stopping_a_role_ends_the_compiler(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started = tmp_path / "started"
    monkeypatch.setattr(
        background,
        "_COMPILE",
        f"import pathlib, time; pathlib.Path({str(started)!r}).touch(); time.sleep(600)",
    )
    task = asyncio.create_task(SelectedShredder().use_compiled(tmp_path, SEEDS))
    async with asyncio.timeout(60):
        while not started.exists():  # noqa: ASYNC110 - another process makes the file
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_killed_role_leaves_no_compiler_behind(tmp_path: Path) -> None:
    script = (
        "import asyncio, pathlib, sys\n"
        "from common.kernels import background\n"
        "from indexer.shred import selected\n"
        "background._COMPILE = ('import os, sys, time; sys.path[:] = sys.argv[3:];'\n"
        "  'from common.kernels import precompile;'\n"
        "  'precompile.compile_into = lambda folder, _: ('\n"
        "  'print(os.getpid(), file=open(folder, \"w\"), flush=True), time.sleep(600));'\n"
        "  'precompile.compile_while_wanted(*sys.argv[1:3])')\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "asyncio.run(selected.SelectedShredder().use_compiled(path, (1, 2)))\n"
    )
    written = tmp_path / "pid"
    role = subprocess.Popen([sys.executable, "-c", script, str(written)], cwd=ROOT)
    try:
        wait_for(lambda: written.exists() and written.read_text().endswith("\n"))
    finally:
        role.kill()
        role.wait()
    compiler = int(written.read_text())
    wait_for(lambda: not Path(f"/proc/{compiler}").exists())


def wait_for(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def test_a_kernel_that_differs_from_the_reference_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Wrong(load_compiled.ReferenceShredder):
        @classmethod
        def exact(cls) -> "Wrong":
            return cls(lambda _, depth: {})

    monkeypatch.setattr(load_compiled, "ReferenceShredder", Wrong)
    with pytest.raises(RuntimeError, match="differs from the reference"):
        load_compiled.load(KERNEL_CACHE, SEEDS, lambda _: None)
