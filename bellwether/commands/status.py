"""`bellwether status` and `bellwether cut`."""

import asyncio
import sys

import click
import orjson
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bellwether.client import ClientError, Target
from bellwether.client.session import Client, connect
from bellwether.commands.options import client_options, run_async
from bellwether.output import output_console
from common.clock import SystemClock
from common.error_text import describe_error
from ops.status import Status, notes, read_status, troubles

_WATCH_S = 1.0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The document as it comes.")
@click.option("--watch", is_flag=True, help="Show it again every second until Ctrl-C.")
@client_options
def status(target: Target, as_json: bool, watch: bool) -> None:
    """Show roles, partitions, lag, live rows, last cut and space. Exit code 1: trouble."""
    sys.exit(run_async(_status(target, as_json, watch)))


async def _status(target: Target, as_json: bool, watch: bool) -> int:
    clock = SystemClock()
    async with connect(target, total_s=20.0) as client:
        document = await client.json("GET", "/bw/1/status")
        if as_json:
            click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
            return 0
        now_ns = clock.now_ns()
        found = _read(document, now_ns)
        console = output_console()
        if not watch:
            console.print(_render(found, now_ns))
            return 1 if troubles(found, now_ns) else 0
        with Live(_render(found, now_ns), console=console, screen=console.is_terminal) as live:
            while True:
                await asyncio.sleep(_WATCH_S)
                live.update(await _again(client, clock.now_ns()))


async def _again(client: Client, now_ns: int) -> RenderableType:
    try:
        document = await client.json("GET", "/bw/1/status")
    except ClientError as error:  # shown, and asked again: watching outlives a restart
        return Text(str(error), style="red")
    return _render(_read(document, now_ns), now_ns)


def _read(document: object, now_ns: int) -> Status:
    try:
        if not isinstance(document, dict):
            raise TypeError("not an object")
        return read_status(document, now_ns)
    except (KeyError, TypeError, ValueError) as error:
        raise ClientError(
            f"the status cannot be read ({describe_error(error)}): other version?"
        ) from error


def _render(found: Status, now_ns: int) -> RenderableType:
    roles = _table("role", "instance", "zone", "pid", "up", "internal address")
    for r in found.roles:
        roles.add_row(r.role, r.instance, r.zone, str(r.pid), _age(r.up_s), r.url)
    log = {p.partition: p for p in found.log}
    parts = _table(
        "partition", "log", "log size", "indexer", "lag", "live rows", "segments", "size",
        "last cut",
    )  # fmt: skip
    for i in found.indexers:
        held = log.get(i.partition)
        cut = "–" if i.last_cut_ns is None else f"{_age((now_ns - i.last_cut_ns) / 1e9)} ago"
        parts.add_row(
            str(i.partition), f"{held.start:,}–{held.end:,}" if held else "",
            _size(held.size_bytes) if held else "", i.indexer, f"{i.lag_records:,}",
            f"{i.live_rows:,}", f"{i.segments:,}", _size(i.segment_bytes), cut,
        )  # fmt: skip
    trouble = [Text(line, style="bold yellow") for line in troubles(found, now_ns)]
    rows: list[RenderableType] = [roles, Text(""), parts, Text("")]
    said = [Text(line) for line in notes(found)]
    return Group(*rows, *(trouble or [Text("all is well", style="green")]), *said)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def _age(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
