"""`bellwether up`."""

import os
import sys
from pathlib import Path

import click

from bellwether.options.shared import configuration_options, load_settings
from bellwether.supervisor.addresses import CannotStart
from bellwether.supervisor.console import new_console
from bellwether.supervisor.up import Supervisor
from common.clock import SystemClock


@click.command()
@click.option("--host", help="Address to listen on (default 127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on (default 8080; 0: any free one).")
@click.option(
    "--key",
    help="API key to use instead of a generated one; BELLWETHER_KEY keeps it out of `ps`.",
)
@click.option("--twins", is_flag=True, default=None, help="Two indexers of every partition.")
@click.option(
    "--small", is_flag=True, default=None, help="All roles in one process: a third of the memory."
)
@click.option("--no-page", is_flag=True, help="Serve no page in browsers.")
@click.option("--no-telemetry", is_flag=True, help="Write no events about Bellwether itself.")
@configuration_options
def up(
    host: str | None,
    port: int | None,
    key: str | None,
    twins: bool | None,
    small: bool | None,
    no_page: bool,
    no_telemetry: bool,
    config: Path | None,
    data: Path | None,
    sets: tuple[str, ...],
) -> None:
    """Start everything on this machine and watch over it until Ctrl-C.

    The first start creates a team, an environment and a key in the data folder (./data).
    """
    flags = {
        ("shepherd", "host"): host,
        ("shepherd", "port"): port,
        ("up", "key"): key,
        ("up", "twins"): twins,
        ("up", "small"): small,
        ("query", "page"): False if no_page else None,
        ("node", "telemetry"): False if no_telemetry else None,
    }
    settings = load_settings(config, data, sets, flags)
    os.umask(0o077)  # also of the roles: events are readable by this user alone
    try:
        sys.exit(Supervisor(settings, os.environ, SystemClock(), new_console()).run())
    except CannotStart as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.code)
