"""`bellwether rolling-restart`: every process again, one after the other, without a gap."""

import asyncio
import getpass
import os
import socket
import sys
from pathlib import Path

import aiohttp
import click

from bellwether.backends import make_locks
from bellwether.config.sections import NodeConfig
from bellwether.config.settings import Settings, SettingsError
from bellwether.options.shared import configuration_options, load_settings
from bellwether.wiring import internal_token
from common.clock import SystemClock
from common.errors import Unavailable
from ops.rolling.fleet import Fleet
from ops.rolling.health import Allowed
from ops.rolling.plan import ROLES
from ops.rolling.restart import AlreadyRunning, Options, Rolling, Stopped
from ops.rolling.state import StateUnreadable

EXIT_HELD, EXIT_STOPPED = 3, 4


@click.command("rolling-restart")
@click.option("--role", "roles", multiple=True, type=click.Choice(ROLES), help="Only this role.")
@click.option("--zone", "zones", multiple=True, help="Only this zone.")
@click.option("--dry-run", is_flag=True, help="Print the plan, restart nothing.")
@click.option(
    "--command",
    default="",
    metavar="WORDS",
    help="Restart with this command instead of POST /internal/stop; its words may hold "
    "{role}, {zone}, {slot}, {instance}, {pid}, {host}.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File that tells where it stands (default: rolling-restart.json in --data).",
)
@click.option("--fresh", is_flag=True, help="Begin anew, though one was broken off.")
@click.option("--even-alone", is_flag=True, help="Also what is the only one of its role.")
@click.option(
    "--max-error-percent",
    default=1.0,
    show_default=True,
    help="Stop when more of the shepherds' answers are 5xx.",
)
@click.option(
    "--max-ack-p99-ms",
    default=5_000.0,
    show_default=True,
    help="Stop when acknowledgements take longer.",
)
@click.option(
    "--max-ack-times",
    default=4.0,
    show_default=True,
    help="Stop when they take so many times as long as before.",
)
@click.option(
    "--max-lag",
    default=10_000.0,
    show_default=True,
    help="Stop when an indexer is behind by more records.",
)
@click.option(
    "--ready-timeout-s",
    default=300.0,
    show_default=True,
    help="How long a process may take to be ready again.",
)
@click.option(
    "--watch-s",
    default=5.0,
    show_default=True,
    help="How long to look at the figures before and after each restart.",
)
@configuration_options
def rolling_restart(
    roles: tuple[str, ...],
    zones: tuple[str, ...],
    dry_run: bool,
    command: str,
    state: Path | None,
    fresh: bool,
    even_alone: bool,
    max_error_percent: float,
    max_ack_p99_ms: float,
    max_ack_times: float,
    max_lag: float,
    ready_timeout_s: float,
    watch_s: float,
    config: Path | None,
    data: Path | None,
    sets: tuple[str, ...],
) -> None:
    """Restart processes one at a time, zone by zone: no partition and no role is ever left alone.

    Waits until each is ready again, and stops by itself when requests fail, acknowledgements slow
    down or indexers fall behind; the same command then goes on where it stopped. A supervisor
    (systemd, compose, `up`) must start what has ended. Exit code 3: another operator's runs;
    4: it stopped.
    """  # fmt: skip
    settings = load_settings(config, data, sets)
    options = Options(
        by=f"{getpass.getuser()}@{socket.gethostname()} (pid {os.getpid()})",
        state=state or settings.section(NodeConfig).data / "rolling-restart.json",
        allowed=Allowed(max_error_percent, max_ack_p99_ms, max_ack_times, max_lag),
        roles=roles,
        zones=zones,
        safe_within_s=ready_timeout_s,
        ready_within_s=ready_timeout_s,
        watch_s=watch_s,
        alone=even_alone,
        fresh=fresh,
    )
    try:
        sys.exit(asyncio.run(_run(settings, options, command, dry_run)))
    except (Unavailable, SettingsError, StateUnreadable) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("interrupted; the same command goes on where it stopped", err=True)
        sys.exit(130)


async def _run(settings: Settings, options: Options, command: str, dry_run: bool) -> int:
    clock = SystemClock()
    token = internal_token(settings)
    locks = await asyncio.to_thread(make_locks, settings, clock)
    try:
        async with aiohttp.ClientSession() as http:
            fleet = Fleet(locks, http, token, command)
            rolling = Rolling(fleet, locks, clock, options, click.echo)
            if dry_run:
                for line in await rolling.dry_run() or ["nothing runs"]:
                    click.echo(line)
                return 0
            try:
                await rolling.run()
            except AlreadyRunning as error:
                click.echo(f"not begun: {error}", err=True)
                return EXIT_HELD
            except Stopped as error:
                click.echo(f"STOPPED: {error}", err=True)
                click.echo("the same command goes on from here", err=True)
                return EXIT_STOPPED
            click.echo("everything was restarted")
            return 0
    finally:
        await asyncio.to_thread(locks.close)
