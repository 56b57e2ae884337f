"""`bellwether retention`: what would expire and why it waits, what expired and can come back."""

import asyncio
import contextlib
import getpass
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bellwether.backends import make_log, make_objects, open_metadata
from bellwether.config.sections import BackendsConfig, NodeConfig
from bellwether.config.settings import Settings
from bellwether.options.named_dataset import dataset_names, named_dataset
from bellwether.options.shared import configuration_options, load_settings
from bellwether.output import output_console
from common.clock import SystemClock
from common.errors import BellwetherError
from common.metadata import Metadata
from common.objects import ObjectStore
from indexer.config import IndexerConfig
from ops.retention import PartitionRetention, RetentionPeriods, confirm, read_retention, restore

_SOON = "running indexers notice within a minute"


@dataclass(frozen=True, slots=True)
class _Opened:
    """What the commands work on. names: slug by dataset id; with the environment's, of several.
    metadata: while it is open.
    """

    objects: ObjectStore
    partitions: int
    periods: RetentionPeriods
    names: dict[str, str]
    metadata: Metadata

    def read_retention(self) -> list[PartitionRetention]:
        now_ns = SystemClock().now_ns()
        return [
            read_retention(self.objects, p, self.periods, now_ns) for p in range(self.partitions)
        ]

    def name(self, dataset: str) -> str:
        return self.names.get(dataset, dataset)


@contextlib.contextmanager
def _opened(config: Path | None, data: Path | None, sets: tuple[str, ...]) -> Iterator[_Opened]:
    parent = click.get_current_context().parent  # `retention --data D confirm` works too
    if parent is not None and "sets" in parent.params:
        config, data = config or parent.params["config"], data or parent.params["data"]
        sets = (*parent.params["sets"], *sets)
    settings = load_settings(config, data, sets)
    folder = settings.section(NodeConfig).data
    if settings.section(BackendsConfig).embedded and not (folder / "log").is_dir():
        raise click.ClickException(f"{folder} is no data folder: name it with --data")
    clock = SystemClock()
    try:
        with contextlib.closing(open_metadata(settings)) as metadata:
            indexer = settings.section(IndexerConfig)
            periods = RetentionPeriods(
                indexer.retention_days, metadata.list_retentions(), indexer.retention_grace_s
            )
            partitions = asyncio.run(_partitions(settings))
            objects = make_objects(settings, clock)
            yield _Opened(objects, partitions, periods, dataset_names(metadata), metadata)
    except (BellwetherError, ValueError) as error:
        raise click.ClickException(str(error)) from error


async def _partitions(settings: Settings) -> int:
    log = make_log(settings, SystemClock(), read_only=True)
    try:
        return (await log.open()).partitions
    finally:
        await log.close()


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@configuration_options
@click.pass_context
def retention(
    context: click.Context,
    as_json: bool,
    config: Path | None,
    data: Path | None,
    sets: tuple[str, ...],
) -> None:
    """Show what would expire by this machine's clock, what waits for a word, what can come back.

    Nothing is changed. Exit code 1: something waits, or expired before its time.
    """
    if context.invoked_subcommand is not None:
        return
    with _opened(config, data, sets) as opened:
        found = opened.read_retention()
    wrong = any(
        one.early_documents or one.unreadable or any(e.waits for e in one.expiring) for one in found
    )
    if as_json:
        click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        sys.exit(1 if wrong else 0)
    console = output_console()
    _show_expiring(console, opened, found)
    _show_recoverable(console, opened, found)
    sys.exit(1 if wrong else 0)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _show_expiring(console: Console, opened: _Opened, found: list[PartitionRetention]) -> None:
    rows = [one for partition in found for one in partition.expiring]
    for unreadable in (one.unreadable for one in found if one.unreadable):
        console.print(f"{unreadable} cannot be read: nothing is deleted", style="red")
    if not rows:
        console.print("nothing is older than its retention by this machine's clock")
        return
    table = _table("partition", "dataset", "segments", "events", "MB", "appended up to", "state")
    for one in rows:
        days = one.step_ns / (24 * 3600 * 10**9)
        state = "confirmed" if one.confirmed else "expires by itself, in steps"
        if one.waits:
            state = f"a step of {days:,.1f} days: waits for another machine's clock, or for a word"
        table.add_row(
            str(one.partition), escape(opened.name(one.dataset)), f"{one.segments:,}",
            f"{one.rows:,}", f"{one.size_bytes / 1e6:,.1f}", _time(one.append_max_ns), state,
        )  # fmt: skip
    console.print(table)
    if any(one.waits for one in rows):
        console.print(
            f"this machine's clock says {_time(SystemClock().now_ns())}, events are kept for "
            f"{opened.periods.default_days:g} days where a dataset says nothing else: if both are "
            "right, let them expire: bellwether retention confirm",
            style="yellow",
        )


def _show_recoverable(console: Console, opened: _Opened, found: list[PartitionRetention]) -> None:
    rows = [one for partition in found for one in partition.recoverable]
    early = sum(one.early_rows for one in found)
    if rows:
        table = _table(
            "partition", "expired of", "segments", "events", "too early", "appended up to",
            "can come back until",
        )  # fmt: skip
        for one in rows:
            until = "their time comes" if one.early_rows else _time(one.until_ns)
            table.add_row(
                str(one.partition), escape(opened.name(one.dataset)), f"{one.segments:,}",
                f"{one.rows:,}", f"{one.early_rows:,}", _time(one.append_max_ns), until,
            )  # fmt: skip
        console.print(table)
    if any(one.early_documents for one in found):
        console.print(
            f"{early:,} events expired before their time: bellwether retention restore", style="red"
        )


@retention.command("confirm")
@click.option("--yes", is_flag=True, help="Do not ask.")
@configuration_options
def confirm_command(
    yes: bool, config: Path | None, data: Path | None, sets: tuple[str, ...]
) -> None:
    """Let expire what is shown as older than its retention, now and not more."""
    with _opened(config, data, sets) as opened:
        found = opened.read_retention()
        _show_expiring(output_console(), opened, found)
        rows = sum(one.rows for partition in found for one in partition.expiring)
        if not rows:
            return
        if not yes and not click.confirm(f"Let these {rows:,} events expire?"):
            sys.exit(1)
        now_ns = SystemClock().now_ns()
        for partition in found:
            confirm(opened.objects, partition, now_ns, _writer())
    click.echo(f"confirmed; {_SOON}")


@retention.command("restore")
@click.option("--dataset", "names", multiple=True, help="Only this one; may be repeated.")
@click.option("--all", "everything", is_flag=True, help="Also what expired in its time.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@configuration_options
def restore_command(
    names: tuple[str, ...],
    everything: bool,
    yes: bool,
    config: Path | None,
    data: Path | None,
    sets: tuple[str, ...],
) -> None:
    """Take back events that expired before their time, as far as they are still stored.

    What is older than its retention expires again unless that is made longer before.
    """
    segments = rows = 0
    missing: list[str] = []
    with _opened(config, data, sets) as opened:
        wanted = frozenset(named_dataset(opened.metadata, opened.names, name) for name in names)
        if not yes:
            _show_recoverable(output_console(), opened, opened.read_retention())
            if not click.confirm("Take them back?"):
                sys.exit(1)
        for partition in range(opened.partitions):
            done = restore(
                opened.objects, partition, opened.periods, SystemClock().now_ns(), _writer(),
                datasets=wanted, everything=everything,
            )  # fmt: skip
            segments, rows, missing = segments + done[0], rows + done[1], missing + done[2]
    for name in missing:
        click.echo(f"segment {name} is deleted already", err=True)
    if not segments:
        click.echo("there is nothing to take back")
        return
    click.echo(f"taken back: {rows:,} events in {segments:,} segments; {_SOON}")


def _writer() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "somebody"
    return f"{user} on {socket.gethostname()}"


def _time(ns: int) -> str:
    try:
        return datetime.fromtimestamp(ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):
        return f"{ns} ns"
