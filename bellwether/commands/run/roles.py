"""`bellwether shepherd`, `bellwether indexer` and `bellwether all-roles`: roles as this process."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from bellwether.options.shared import configuration_options, load_settings

PARENT_FD = click.option(
    "--parent-fd", type=int, hidden=True, help="Pipe whose end means that the supervisor is gone."
)


def run(
    roles: Sequence[str],
    parent_fd: int | None,
    config: Path | None,
    data: Path | None,
    sets: tuple[str, ...],
) -> None:
    """Run the roles as this process and exit with its code."""
    from bellwether.wiring import run_role_process  # a question needs nothing of a role

    sys.exit(run_role_process(roles, load_settings(config, data, sets), parent_fd))


@click.command()
@PARENT_FD
@configuration_options
def shepherd(
    parent_fd: int | None, config: Path | None, data: Path | None, sets: tuple[str, ...]
) -> None:
    """Run a shepherd: HTTP in, events to the log. `bellwether up` does it for you."""
    run(("shepherd",), parent_fd, config, data, sets)


@click.command()
@PARENT_FD
@configuration_options
def indexer(
    parent_fd: int | None, config: Path | None, data: Path | None, sets: tuple[str, ...]
) -> None:
    """Run an indexer: log to segments. `bellwether up` does it for you."""
    run(("indexer",), parent_fd, config, data, sets)


@click.command("all-roles", hidden=True)
@PARENT_FD
@configuration_options
def all_roles(
    parent_fd: int | None, config: Path | None, data: Path | None, sets: tuple[str, ...]
) -> None:
    """Run every role in this one process. `bellwether up --small` does it for you."""
    from bellwether.config.role_registry import STOP_ORDER  # a question needs nothing of a role

    run(STOP_ORDER, parent_fd, config, data, sets)
