"""Builds the Collector into a cache folder outside the repository: minutes, once.

Go itself verifies every module against the hashes in `go.sum`.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.clients.npm import CACHE

VERSION: Final = "0.165.0"  # as in go.mod
_HERE: Final = Path(__file__).parent
_SOURCES: Final = [_HERE / name for name in ("main.go", "go.mod", "go.sum")]
_USUAL: Final = "/usr/local/go/bin"  # where Go's own instructions put it
_BUILD_S: Final = 3_600.0  # a busy machine compiles 900 packages
_SETTINGS: Final = {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -buildvcs=false"}
_COMMAND: Final = ("build", "-trimpath", "-ldflags=-s -w", "-o")


class NotBuilt(Exception):
    """There is no Go, or it could not build. The text says which."""


def build() -> Path:
    """The program. Raises NotBuilt."""
    digest = hashlib.sha256(b"".join(one.read_bytes() for one in _SOURCES)).hexdigest()[:12]
    folder = CACHE / f"collector-{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "collector"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of tests that run at once one builds
        if not program.exists():
            _build(folder, program)
    return program


def _build(folder: Path, program: Path) -> None:
    go = shutil.which("go", path=f"{os.environ.get('PATH', '')}{os.pathsep}{_USUAL}")
    if go is None:
        raise NotBuilt("Go is not installed: there is no Collector")
    sources = folder / "sources"
    sources.mkdir(exist_ok=True)
    for one in _SOURCES:
        shutil.copyfile(one, sources / one.name)
    unfinished = folder / "unfinished"
    done = subprocess.run(
        [go, *_COMMAND, str(unfinished), "."],
        cwd=sources,
        env=os.environ | _SETTINGS,
        capture_output=True,
        text=True,
        timeout=_BUILD_S,
        check=False,
    )
    if done.returncode:
        raise NotBuilt(f"Go could not build the Collector: {done.stderr[-500:]}")
    unfinished.rename(program)
