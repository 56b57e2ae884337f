"""Runs a script of this folder in a real browser and returns what it printed last, as JSON.

The scripts are told a browser's program; their packages are installed once, outside of the
repository.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clients.npm import folder_with
from tests.clients.test_browser import NAMES

FOLDER = Path(__file__).parent
MAKE_PAGE = FOLDER.parent.parent / "web" / "make_page.py"
PACKAGES = ("playwright-core@1.65.1", "axe-core@4.14.1")


def browser_program() -> str:
    """A browser's program. Without one the test is skipped, which in CI is a failure."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    missing = "no Chromium is installed: the page is not tried in a browser"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


def run_script(name: str, *arguments: str, seconds: float = 400.0) -> Any:
    """What the script `name` printed last; a failure of it is the test's."""
    done = subprocess.run(
        ["node", str(FOLDER / name), browser_program(), *arguments],
        cwd=folder_with("page", *PACKAGES),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{name}:\n{done.stderr[-3000:]}\n{done.stdout[-3000:]}"
    return json.loads(done.stdout.splitlines()[-1])


def page_setting() -> tuple[str, str]:
    """The argument of `up` for the page of this checkout, built unless it is there."""
    done = subprocess.run(
        [sys.executable, str(MAKE_PAGE)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return "--set", f"query.page_folder={done.stdout.splitlines()[-1]}"


def login_link(output: str) -> str:
    """The link that `up` prints."""
    found = [word for word in output.split() if "/ui/#login=" in word]
    assert found, output
    return found[-1]
