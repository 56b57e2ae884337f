"""`bellwether signature` prints what an event with this stack gets."""

import json
from pathlib import Path

from click.testing import CliRunner

from bellwether.cli import cli
from tests.bellwether.test_cli_imports import SLOW, modules_after
from tests.common.signature.produce import STACKS

GO = json.loads(STACKS.read_text())["go"]["parse"][0]


def test_the_signature_of_a_file_and_of_standard_input(tmp_path: Path) -> None:
    (tmp_path / "crash.txt").write_text(GO)
    run = CliRunner().invoke
    named = run(cli, ["signature", str(tmp_path / "crash.txt")])
    assert named.exit_code == 0
    assert named.output.startswith("v1 panic in main.parse < main.(*Server).handle.func")
    assert run(cli, ["signature"], input=GO).output == named.output
    shown = json.loads(run(cli, ["signature", "--json"], input=GO).output)
    assert shown == {"signature": named.output.strip(), "version": 1}


def test_a_file_without_text_is_told_by_the_exit_code() -> None:
    found = CliRunner().invoke(cli, ["signature"], input="\n")
    assert (found.exit_code, found.output) == (1, "")
    typed = CliRunner().invoke(cli, ["signature", "--type", "Oops"], input="")
    assert (typed.exit_code, typed.output) == (0, "v1 Oops\n")


def test_it_imports_nothing_slow() -> None:
    imported, _ = modules_after("signature", "--help")
    assert imported & SLOW == set()
