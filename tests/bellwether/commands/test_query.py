"""`bellwether query`: what it takes for a question, and its exit codes."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bellwether.commands.ask import query as module
from bellwether.commands.ask.fields import fields
from bellwether.commands.ask.query import query
from bellwether.commands.ask.rows import rows
from bellwether.commands.ask.tail import tail


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The roles that a command would have run."""
    roles: list[object] = []
    monkeypatch.setattr(module, "run", lambda *arguments: roles.append(arguments[0]))
    return roles


@pytest.mark.parametrize(
    "options",
    [
        ["--json"],
        ["--format", "csv"],
        ["--series"],
        ["--zone", "UTC"],
        ["--explain"],
        ["--url", "http://127.0.0.1:1"],
        ["--server", "prod"],
    ],
)
def test_a_question_without_its_dataset_never_starts_a_role(
    started: list[object], options: list[str]
) -> None:
    answer = CliRunner().invoke(query, options)
    assert (answer.exit_code, started) == (2, [])
    assert "which dataset, and what to ask?" in answer.output


@pytest.mark.parametrize(
    "options", [[], ["--data", "folder"], ["--config", "a.toml"], ["--set", "query.port=1"]]
)
def test_the_role_is_run_by_what_is_no_terminal(started: list[object], options: list[str]) -> None:
    answer = CliRunner().invoke(query, options)
    assert (answer.exit_code, started) == (0, [("query",)])


def test_in_a_terminal_the_bare_command_tells_what_to_type(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "bellwether", "query"],
            stdin=slave,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=60,
            check=False,
        )
    finally:
        os.close(master)
        os.close(slave)
    assert ended.returncode == 2
    assert "bellwether query DATASET 'COUNT GROUP BY service'" in ended.stderr
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_understood_has_exit_code_2() -> None:
    for command, arguments in (
        (query, ["web", "COUTN"]),
        (rows, ["web", "WHERE status = 5 OR"]),
        (tail, ["web", "WHERE status ="]),
        (fields, ["web", "--last", "soon"]),
    ):
        reached = {"BELLWETHER_URL": "http://127.0.0.1:1", "BELLWETHER_KEY": "k" * 22}
        answer = CliRunner().invoke(command, arguments, env=reached)
        assert answer.exit_code == 2, answer.output
        assert "^" in answer.output
