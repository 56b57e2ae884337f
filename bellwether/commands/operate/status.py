"""`bellwether status` and `bellwether cut`."""

import re
import sys
from collections.abc import Collection
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

import click
import orjson
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bellwether.client import ClientError, Target
from bellwether.client.session import Client, connect
from bellwether.options.shared import client_options, run_async
from bellwether.output import output_console
from common.clock import SystemClock
from common.error_text import describe_error
from common.tasks import run_every
from ops.memory import ProcessMemory, read_memory, with_supervisors
from ops.status import Status, Trouble, Verdict, judge, notes, read_status, troubles

_WATCH_S = 1.0
_INDENT = orjson.OPT_INDENT_2
_LOOPBACK = re.compile(r"127\.|::1$|localhost$")
EXIT_CODES = {Verdict.OK: 0, Verdict.TROUBLE: 1, Verdict.UNKNOWN: 3}  # 2: not used rightly


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Verdict, troubles and everything else.")
@click.option("--watch", is_flag=True, help="Show it again every second until Ctrl-C.")
@client_options
def status(target: Target, as_json: bool, watch: bool) -> None:
    """Show roles, partitions, lag, live rows, last cut and space.

    \b
    Exit code 0: all is well; 1: something needs attention; 3: it could not be found out.
    """
    sys.exit(run_async(_status(target, as_json, watch)))


async def _status(target: Target, as_json: bool, watch: bool) -> int:
    clock = SystemClock()
    async with connect(target, total_s=20.0) as client:
        try:
            document = await client.json("GET", "/bw/1/status")
            now_ns = clock.now_ns()
            found = _read(document, now_ns)
        except ClientError as error:
            _show_unknown(str(error), as_json)
            return EXIT_CODES[Verdict.UNKNOWN]
        if as_json:
            click.echo(orjson.dumps(_document(document, found, now_ns), option=_INDENT).decode())
            return EXIT_CODES[judge(found, now_ns)]
        console = output_console()
        if not watch:
            console.print(_render(found, now_ns))
            return EXIT_CODES[judge(found, now_ns)]
        with Live(_render(found, now_ns), console=console, screen=console.is_terminal) as live:

            async def update() -> None:
                live.update(await _again(client, clock.now_ns()))

            await run_every(_WATCH_S, update)
            raise AssertionError("ends by Ctrl-C only")


def _show_unknown(why: str, as_json: bool) -> None:
    trouble = Trouble(why, "check the address and the key; on the server: `bellwether doctor`")
    if as_json:
        document = {"verdict": Verdict.UNKNOWN, "troubles": [asdict(trouble)]}
        click.echo(orjson.dumps(document, option=_INDENT).decode())
    else:
        click.echo(f"Error: {trouble.text}\n  {trouble.remedy}", err=True)


def _document(document: dict[str, Any], found: Status, now_ns: int) -> dict[str, Any]:
    """The server's document, below the verdict and troubles derived from it."""
    memory = [asdict(one) for one in _memory(found)]
    return {
        "verdict": judge(found, now_ns),
        "troubles": [asdict(trouble) for trouble in troubles(found, now_ns)],
        "notes": notes(found),
        "memory": memory,
        **document,
    }


def _memory(found: Status) -> list[ProcessMemory]:
    """Of the processes that run on this machine, with the `up` that started them."""
    here = [r.pid for r in found.roles if _LOOPBACK.match(urlsplit(r.url).hostname or "")]
    return [one for pid in with_supervisors(here) if (one := read_memory(pid)) is not None]


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
    memory = {one.pid: one for one in _memory(found)}
    roles = _table("role", "instance", "zone", "pid", "up", "memory", "internal address")
    shown: set[int] = set()
    for r in found.roles:
        one = memory.get(r.pid)
        used = (
            "" if one is None else "same process" if r.pid in shown else _size(one.resident_bytes)
        )
        shown.add(r.pid)
        roles.add_row(r.role, r.instance, r.zone, str(r.pid), _age(r.up_s), used, r.url)
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
    lines = [
        *summary_lines(found),
        *(Text(line) for line in notes(found)),
        *_memory_line(memory.values()),
    ]
    below: list[RenderableType] = [Text(""), *lines] if lines else []
    return Group(*_trouble_lines(found, now_ns), Text(""), roles, Text(""), parts, *below)


def _trouble_lines(found: Status, now_ns: int) -> list[Text]:
    """What needs attention comes before everything that is well."""
    lines = []
    for trouble in troubles(found, now_ns):
        lines.append(Text(trouble.text, style="bold yellow"))
        lines.append(Text(f"  {trouble.remedy}"))
    return lines or [Text("all is well", style="green")]


def summary_lines(found: Status) -> list[Text]:
    """Of the indexers whose segments have summaries."""
    lines = []
    for one in found.summaries:
        without = {
            "waiting": one.waiting, "failed": one.failed, "too old for memory": one.no_room,
            "not on this disk": one.not_here,
        }  # fmt: skip
        missing = [f"{count:,} {why}" for why, count in without.items() if count]
        if one.held or missing:
            text = ", ".join([f"{one.held:,} in memory", f"{one.made:,} made", *missing])
            lines.append(Text(f"{one.indexer} summaries of segments: {text}"))
    return lines


def _memory_line(memory: Collection[ProcessMemory]) -> list[Text]:
    if not memory:
        return []
    resident = sum(one.resident_bytes for one in memory)
    proportional = sum(one.proportional_bytes for one in memory)
    return [
        Text(
            f"memory of {len(memory)} processes of this machine, `up` included: "
            f"{_size(resident)} resident, {_size(proportional)} with shared pages counted once"
        )
    ]


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
