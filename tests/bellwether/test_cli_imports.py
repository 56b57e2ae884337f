"""A question on the command line starts at once: nothing is imported that it does not need."""

import json
import os
import subprocess
import sys
from importlib import import_module

import click
import pytest

from bellwether.cli import COMMANDS, SERVER_PACKAGES, cli
from tests.system.harness import ROOT

# each takes longer to import than all that a question needs
SLOW = {*SERVER_PACKAGES, "aiohttp", "asyncio", "msgspec", "uvloop", "zstandard", "prompt_toolkit"}
NOT_FOR_HELP = {"rich", "http.client", "ssl", "orjson"}
MODULES_AFTER = """
import json, sys
try:
    from bellwether.cli import main
    sys.argv = ["bellwether", *sys.argv[1:]]
    main()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def modules_after(*arguments: str, **environ: str) -> tuple[set[str], str]:
    """What a command had imported when it ended, and what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", MODULES_AFTER, *arguments], capture_output=True, text=True,
        timeout=60, check=False, env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
    )  # fmt: skip
    *_, last = done.stderr.splitlines()
    return set(json.loads(last)), done.stdout + done.stderr


def test_help_and_version_import_no_command_and_nothing_slow() -> None:
    for arguments in (("--help",), ("--version",), ("version",)):
        imported, _ = modules_after(*arguments)
        assert imported & (SLOW | {"rich", "http.client", "ssl"}) == set(), arguments
    imported, _ = modules_after("--help")
    assert not {name for name in imported if name.startswith("bellwether.commands.")}


@pytest.mark.parametrize("command", ["query", "rows", "fields", "tail", "trace", "send"])
def test_help_of_a_client_command_imports_nothing_slow(command: str) -> None:
    imported, printed = modules_after(command, "--help")
    assert "Usage: bellwether" in printed
    allowed = {"asyncio", "zstandard", "msgspec"} if command in ("send", "tail") else set()
    assert imported & (SLOW - allowed) == set()
    assert "rich" not in imported


def test_no_command_of_the_client_needs_a_package_of_the_server() -> None:
    for command in (
        "send",
        "query",
        "rows",
        "fields",
        "tail",
        "trace",
        "marker",
        "status",
        "shell",
        "servers",
    ):
        imported, printed = modules_after(command, "--help")
        assert "Usage: bellwether" in printed
        assert imported & set(SERVER_PACKAGES) == set(), command


def test_a_question_that_is_explained_imports_no_http() -> None:
    imported, printed = modules_after("query", "web", "COUNT LAST 1h", "--explain")
    assert '"COUNT"' in printed
    assert imported & (SLOW | {"http.client", "rich"}) == set()


@pytest.mark.parametrize(
    "question", [("query", "web", "COUNT"), ("rows", "web"), ("fields", "web")]
)
def test_a_question_to_a_server_imports_no_aiohttp(question: tuple[str, ...]) -> None:
    imported, printed = modules_after(
        *question, BELLWETHER_URL="http://127.0.0.1:1", BELLWETHER_KEY="k" * 22
    )
    assert "cannot reach http://127.0.0.1:1: Connection refused" in printed
    assert "http.client" in imported
    # the events of rows are read into typed structs
    assert imported & SLOW <= ({"msgspec"} if question[0] == "rows" else set())


def test_the_listed_help_of_each_command_is_its_own() -> None:
    context = click.Context(cli)
    for name, listed in COMMANDS.items():
        command = cli.get_command(context, name)
        assert command is not None
        assert listed.help == command.get_short_help_str(1_000), name
        assert import_module(f"bellwether.commands.{listed.module}").__doc__, name


def test_a_server_command_without_the_server_packages_says_what_to_install() -> None:
    hidden = """
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hide())
from bellwether.cli import main
sys.argv = ["bellwether", *sys.argv[1:]]
main()
"""
    program = f"HIDDEN = {set(SERVER_PACKAGES)!r}\n{hidden}"
    for arguments in (("up",), ("query",), ("keys", "list"), ("verify",), ("doctor",)):
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments], capture_output=True, text=True,
            timeout=60, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd="/",
        )  # fmt: skip
        assert done.returncode == 1, (arguments, done.stderr)
        assert "Traceback" not in done.stderr, (arguments, done.stderr)
        assert "pip install 'bellwether[server]'" in done.stderr, (arguments, done.stderr)
