"""`bellwether marker`: moments that charts show, such as deployments."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import quote

import click
import orjson

from bellwether.client import Target
from bellwether.commands.operate.zones import chosen_zone
from bellwether.options.completion import complete_dataset
from bellwether.options.shared import NotUnderstood, client_options

F = TypeVar("F", bound=Callable[..., Any])
_ENVIRONMENT: Final = "__all__"
_PIPE_WIDTH: Final = 100_000
_HEAD: Final = ("id", "start", "end", "type", "message", "url")
_CHANGEABLE: Final = ("start_time", "end_time", "message", "type", "url")
_TIMES: Final = "2h ago, 12:30, 2026-01-31T12:00:00Z or unix seconds"


@click.group()
def marker() -> None:
    """Mark what happened when: a deployment, an incident, a test.

    \b
        bellwether marker add web 'deploy 1.2.3' --type deploy
        bellwether marker add '*' 'maintenance' --at 12:30 --until 13:10
        bellwether marker list web

    DATASET is the dataset whose charts show the marker, or '*': those of the whole environment.
    """


def _members(function: F) -> F:
    """Add the options that say what a marker is."""
    for option in (
        click.option(
            "--zone", help="Of TIMEs without one: Europe/Berlin, +02:00 (default: TZ, else UTC)."
        ),
        click.option("--link", metavar="URL", help="Where the message leads."),
        click.option("--until", metavar="TIME", help="When it ends, if it takes time."),
        click.option("--at", metavar="TIME", help=f"When it is: {_TIMES}."),
        click.option("--type", "kind", help="Markers of one type have one colour: deploy."),
    ):
        function = option(function)
    return function


@marker.command("add")
@click.argument("dataset", shell_complete=complete_dataset)
@click.argument("message", default="")
@_members
@click.option("--json", "as_json", is_flag=True, help="The whole marker, not its id alone.")
@client_options
def add_marker(
    target: Target,
    dataset: str,
    message: str,
    kind: str | None,
    at: str | None,
    until: str | None,
    link: str | None,
    zone: str | None,
    as_json: bool,
) -> None:
    """Add a marker, now or at the TIME given, and print its id."""
    from bellwether.client.caller import calling

    body = _given(message or None, kind, link, _seconds({"--at": at, "--until": until}, zone))
    with calling(target) as caller:
        made = caller.json("POST", _path(dataset), body)
    click.echo(orjson.dumps(made).decode() if as_json else made["id"])


@marker.command("list")
@click.argument("dataset", shell_complete=complete_dataset)
@click.option("--type", "kind", help="Only markers of this type.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@client_options
def list_markers(target: Target, dataset: str, kind: str | None, as_json: bool) -> None:
    """List the markers of DATASET by their time, the latest last."""
    from bellwether.client.caller import calling

    with calling(target) as caller:
        found: list[dict[str, Any]] = caller.json("GET", _path(dataset))
    found = [one for one in found if kind is None or one.get("type") == kind]
    found.sort(key=lambda one: (one["start_time"], one["id"]))
    if as_json:
        for one in found:
            click.echo(orjson.dumps(one).decode())
        return
    if found:
        _print_table(found)
    else:
        click.echo(f"there is no marker in {_shown(dataset)}", err=True)


@marker.command("update")
@click.argument("dataset", shell_complete=complete_dataset)
@click.argument("marker_id", metavar="ID")
@click.option("--message", help="What happened.")
@_members
@client_options
def update_marker(
    target: Target,
    dataset: str,
    marker_id: str,
    message: str | None,
    kind: str | None,
    at: str | None,
    until: str | None,
    link: str | None,
    zone: str | None,
) -> None:
    """Change what the options give of the marker ID; the rest stays. '' empties a text."""
    from bellwether.client.caller import calling

    given = _given(message, kind, link, _seconds({"--at": at, "--until": until}, zone))
    if not given:
        raise click.UsageError("give what to change, as in --message 'deploy 1.2.4'")
    with calling(target) as caller:
        path = f"{_path(dataset)}/{quote(marker_id, safe='')}"
        before = caller.json("GET", path)
        kept = {name: before[name] for name in _CHANGEABLE if name in before}
        caller.json("PUT", path, kept | given)


@marker.command("rm")
@click.argument("dataset", shell_complete=complete_dataset)
@click.argument("marker_ids", metavar="ID...", nargs=-1, required=True)
@client_options
def remove_markers(target: Target, dataset: str, marker_ids: tuple[str, ...]) -> None:
    """Remove markers."""
    from bellwether.client.caller import calling

    with calling(target) as caller:
        for one in marker_ids:
            caller.json("DELETE", f"{_path(dataset)}/{quote(one, safe='')}")


def _path(dataset: str) -> str:
    name = _ENVIRONMENT if dataset == "*" else dataset
    return f"/1/markers/{quote(name, safe='')}"


def _shown(dataset: str) -> str:
    return "the environment itself" if dataset in ("*", _ENVIRONMENT) else dataset


def _given(
    message: str | None, kind: str | None, link: str | None, times: list[int | None]
) -> dict[str, Any]:
    """The members that the options give."""
    start, end = times
    members = {
        "start_time": start,
        "end_time": end,
        "message": message,
        "type": kind,
        "url": link,
    }
    return {name: value for name, value in members.items() if value is not None}


def _seconds(times: dict[str, str | None], zone: str | None) -> list[int | None]:
    """Unix seconds of times as people write them, by option. Raises NotUnderstood."""
    if not any(times.values()):
        return [None for _ in times]
    from common.clock import SystemClock
    from query.text.times import InvalidTime, ReferenceTime, read_moment

    present = ReferenceTime(SystemClock().now_ns(), chosen_zone(zone, os.environ))

    def read(option: str, text: str) -> int:
        try:
            return read_moment(text, present)
        except InvalidTime as error:
            raise NotUnderstood(f"{option} {text!r}: {error}; {error.hint}") from error

    return [None if text is None else read(option, text) for option, text in times.items()]


def _print_table(markers: list[dict[str, Any]]) -> None:
    """A line for each, cut to the terminal."""
    from bellwether.answers.rows.cells import cut, one_line, padded, width
    from bellwether.output import drawable
    from common.model.times.written import rfc3339_s

    is_terminal = sys.stdout.isatty()
    terminal = shutil.get_terminal_size().columns if is_terminal else _PIPE_WIDTH

    def time(seconds: int) -> str:
        return rfc3339_s(seconds * 10**9).replace("T", " ") if seconds else ""

    rows = [_HEAD] + [
        (
            *(one["id"], time(one["start_time"]), time(one.get("end_time", 0))),
            *(one_line(one.get(name, ""), _PIPE_WIDTH) for name in ("type", "message", "url")),
        )
        for one in markers
    ]
    used = [at for at in range(len(_HEAD)) if any(row[at] for row in rows[1:])]
    widths = {at: max(width(row[at]) for row in rows) for at in used}
    for number, row in enumerate(rows):
        cells = [padded(row[at], widths[at], right=False) for at in used]
        line = drawable(cut("  ".join(cells).rstrip(), terminal))
        click.echo(click.style(line, bold=True) if number == 0 and is_terminal else line)
