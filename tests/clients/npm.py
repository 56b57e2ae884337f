"""Packages from npm, installed once into a cache folder outside the repository."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

CACHE = Path(os.environ.get("BELLWETHER_TEST_CACHE", Path.home() / ".cache" / "bellwether-tests"))


def folder_with(name: str, *packages: str) -> Path:
    """A folder whose node_modules holds the packages (`zipkin@0.22.0`); the test is skipped where
    there is no node, which in continuous integration is a failure.
    """
    if not (shutil.which("node") and shutil.which("npm")):
        missing("node and npm are not installed: the JavaScript client is not tried")
    folder = CACHE / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of tests that run at once one installs
        _install(folder, packages)
    return folder


def _install(folder: Path, packages: tuple[str, ...]) -> None:
    if not (folder / "installed").exists():
        (folder / "package.json").write_text('{"private":true}')
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(
            [*command, *packages],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        if done.returncode:
            missing(f"npm could not install {' '.join(packages)}: {done.stderr[-300:]}")
        (folder / "installed").touch()


def missing(why: str) -> NoReturn:
    """Skip the test, or fail it where everything should be there."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)
