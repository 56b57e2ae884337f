"""Calls functions of the page's sources in Node, without a browser."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.clients.npm import folder_with

_FOLDER = Path(__file__).parent
_SOURCES = _FOLDER.parents[2] / "web" / "src"
_SECONDS = 60


def answer_of(script: str, given: Any) -> Any:
    """What a script of this folder prints for the JSON that it is given."""
    done = subprocess.run(
        ["node", str(_FOLDER / script), str(_SOURCES)],
        cwd=folder_with("page-units", "esbuild@0.28.2", "preact@11.2.0"),
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
