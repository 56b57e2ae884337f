"""Tab in a shell offers commands, servers and datasets, and says nothing when it cannot."""

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from bellwether.client.servers import Server, keep_server
from tests.bellwether.local_server import serving
from tests.system.harness import ROOT


class Datasets(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        body = b'[{"slug":"hello"},{"slug":"help-desk"},{"slug":"web"}]'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(Datasets) as address:
        yield address


def offered(folder: Path, line: str, **environ: str) -> tuple[list[str], str]:
    """What bash itself offers at the end of a line, by the script that the docs name."""
    launcher = folder / "bin" / "bellwether"
    launcher.parent.mkdir(exist_ok=True)
    launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bellwether "$@"\n')
    launcher.chmod(0o755)
    script = f"""
eval "$(_BELLWETHER_COMPLETE=bash_source bellwether)"
complete -p bellwether >/dev/null || exit 9
COMP_WORDS=({line}); COMP_CWORD=$(({len(line.split())} - 1))
[ "{line[-1]}" = " " ] && {{ COMP_WORDS+=(""); COMP_CWORD=$((COMP_CWORD + 1)); }}
_bellwether_completion bellwether
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("BELLWETHER_")}
    done = subprocess.run(
        ["bash", "--norc", "-c", script], capture_output=True, text=True, timeout=60, cwd=folder,
        env={**kept, "PATH": f"{launcher.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT),
             "XDG_CONFIG_HOME": str(folder), **environ}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split(), done.stderr


def test_bash_offers_commands_datasets_options_and_servers(url: str, tmp_path: Path) -> None:
    keep_server({"XDG_CONFIG_HOME": str(tmp_path)}, Server("prod", url, "k" * 22), as_default=None)
    assert offered(tmp_path, "bellwether que") == (["query", "queries"], "")
    assert offered(tmp_path, "bellwether query --server ") == (["prod"], "")
    assert offered(tmp_path, "bellwether query --server prod hel") == (["hello", "help-desk"], "")
    assert offered(tmp_path, "bellwether tail w") == (["web"], "")  # of the default server
    assert "--resume" in offered(tmp_path, "bellwether send --res")[0]


def test_without_a_server_nothing_is_offered_and_nothing_is_said(tmp_path: Path) -> None:
    found = offered(
        tmp_path, "bellwether query hel", BELLWETHER_URL="http://127.0.0.1:1",
        BELLWETHER_KEY="k" * 22,
    )  # fmt: skip
    assert found == ([], "")
    assert offered(tmp_path, "bellwether query hel") == ([], "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(shell: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bellwether"], capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT), "_BELLWETHER_COMPLETE": f"{shell}_source"},
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"{shell}_complete" in done.stdout
