"""Commands below `bellwether trace` are found where they are."""

import pytest
from click.testing import CliRunner

from bellwether.cli import cli
from bellwether.commands.ask.trace import SUBCOMMANDS


@pytest.mark.parametrize("name", sorted(SUBCOMMANDS))
def test_a_subcommand_of_trace_tells_its_options(name: str) -> None:
    told = CliRunner().invoke(cli, ["trace", name, "--help"])
    assert told.exit_code == 0, told.output
    assert f"trace {name}" in told.output
