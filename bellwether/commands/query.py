"""`bellwether query`: asks a question; without arguments it is the query role."""

from pathlib import Path

import click

from bellwether.commands.options import configuration_options
from bellwether.commands.roles import PARENT_FD, run


@click.command()
@PARENT_FD
@configuration_options
def query(
    parent_fd: int | None, config: Path | None, data: Path | None, sets: tuple[str, ...]
) -> None:
    """Run the query role."""
    run("query", parent_fd, config, data, sets)
