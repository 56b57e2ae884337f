"""A browser on this machine and the program that drives it, whose package is installed once."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

DRIVER: Final = "playwright-core@1.65.1"
PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
_SCRIPT: Final = Path(__file__).with_name("drive.mjs")
_FOLDER: Final = Path.home() / ".cache" / "bellwether" / "benchmark-browser"


class NoBrowser(Exception):
    """What is missing on this machine."""


def find_browser() -> str:
    """The browser's program. Raises NoBrowser."""
    for name in PROGRAMS:
        if found := shutil.which(name):
            return found
    raise NoBrowser("no Chromium is installed: the page is measured in one, and nothing else is")


def driver_folder() -> Path:
    """A folder whose node_modules holds the driver. Raises NoBrowser."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NoBrowser("no node and npm are installed: the browser is driven by a program of them")
    installed = _FOLDER / DRIVER
    if not installed.exists():
        _FOLDER.mkdir(parents=True, exist_ok=True)
        (_FOLDER / "package.json").write_text('{"private":true}')
        command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", DRIVER]
        done = subprocess.run(command, cwd=_FOLDER, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoBrowser(f"npm could not install {DRIVER}: {done.stderr[-300:]}")
        installed.touch()
    return _FOLDER


def drive(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What the script says, line by line. Raises NoBrowser, RuntimeError if it fails."""
    told = {"program": find_browser(), **told}
    with subprocess.Popen(
        ["node", str(_SCRIPT)],
        cwd=driver_folder(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(told))
        process.stdin.close()
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode:
        raise RuntimeError(f"the browser's script ended with {process.returncode}")
