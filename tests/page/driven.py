"""Runs a script in a real browser that asks for deeds meanwhile: to stop the server, to revoke a
key. It prints `do NAME` and waits for a line (`asked.mjs`).
"""

import json
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

from tests.clients.npm import folder_with
from tests.page.running import FOLDER, PACKAGES, browser_program


def drive_script(name: str, deeds: Mapping[str, Callable[[], None]], *arguments: str) -> Any:
    """What the script `name` printed last, as JSON, after all that it asked for was done."""
    with subprocess.Popen(
        ["node", str(FOLDER / name), browser_program(), *arguments],
        cwd=folder_with("page", *PACKAGES),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        line = ""
        try:
            for line in process.stdout:
                if line.startswith("{"):
                    break
                if line.startswith("do "):
                    deeds[line.split()[1]]()
                    process.stdin.write("done\n")
                    process.stdin.flush()
        finally:
            process.kill()  # it waits for no more lines
    assert line.startswith("{"), f"{name} ended early: {line}"
    return json.loads(line)
