"""Prints in which fields events differ, as shares of both sides."""

import shutil
import sys
from typing import Any, Final

import click
import orjson

from bellwether.answers.results.notes import coverage_text
from bellwether.answers.rows.cells import cut, one_line, padded, width
from bellwether.answers.rows.fields_table import share_text
from bellwether.output import drawable, printable

_VALUES: Final = 3  # of a field: those that differ most
_BAR: Final = 20
_NAME_MAX: Final = 40
_PIPE_WIDTH: Final = 100_000
_BARS: Final = "▏▎▍▌▋▊▉█"
_COLUMNS: Final = "▁▂▃▄▅▆▇█"


def print_differences(answer: dict[str, Any]) -> None:
    """Print them to standard output, what is to be known of them to standard error."""
    is_terminal = sys.stdout.isatty()
    terminal = shutil.get_terminal_size().columns if is_terminal else _PIPE_WIDTH
    shown = [one for one in answer["fields"] if one["score"] > 0]
    lines = [line for one in shown for line in _field(one)]
    if answer["same"]:
        lines += ["says the same as the selection:"]
        lines += [f"  {_apart(one)}" for one in answer["same"]]
    for line in lines:
        click.echo(drawable(cut(line, terminal)))
    inside, outside = answer["inside"]["events"], answer["outside"]["events"]
    if not shown and inside and outside:
        click.echo("no field differs by more than chance may make of so many events")
    click.echo(
        f"{inside:,} events inside, {outside:,} outside; {answer['looked_at']:,} fields looked at, "
        f"{answer['differing']:,} differ",
        err=True,
    )
    for note in answer["notes"]:
        click.echo(printable(note), err=True)
    if not answer["coverage"]["complete"]:
        click.echo(coverage_text(answer["coverage"]), err=True)


def _field(one: dict[str, Any]) -> list[str]:
    sure = f"{one['confidence']:.2%} sure".replace("%", " %")
    head = f"{one_line(one['name'], _NAME_MAX)}  {one['score']:.2f}  {sure}"
    return [head, *(_numbers(one) if one["kind"] == "numbers" else _values(one)), ""]


def _values(one: dict[str, Any]) -> list[str]:
    rows = [(_text(value["value"]), value) for value in one["values"]]
    if one["missing"]["inside"]["events"] or one["missing"]["outside"]["events"]:
        rows.append(("(missing)", one["missing"]))
    rows.sort(key=lambda row: -abs(row[1]["inside"]["share"] - row[1]["outside"]["share"]))
    widest = max((width(text) for text, _ in rows[:_VALUES]), default=0)
    return [
        f"  {padded(text, widest, right=False)}"
        f"  inside {_share(row['inside'])}  outside {_share(row['outside'])}".rstrip()
        for text, row in rows[:_VALUES]
    ]


def _numbers(one: dict[str, Any]) -> list[str]:
    lines = []
    for side in ("inside", "outside"):
        most = max((bar[side]["share"] for bar in one["histogram"]), default=0) or 1
        drawn = "".join(
            _COLUMNS[min(7, int(bar[side]["share"] / most * 7.99))] if bar[side]["events"] else " "
            for bar in one["histogram"]
        )
        quartiles = one[side]
        known = "no number"
        if quartiles["median"] is not None:
            known = f"median {quartiles['median']:g} ({quartiles['p25']:g} to {quartiles['p75']:g})"
        lines.append(f"  {side:<7}  {drawn}  {known}")
    ends = [one["histogram"][0]["from"], one["histogram"][-1]["to"]] if one["histogram"] else []
    if ends:
        lines.append(f"  {'':<7}  from {ends[0]:g} to {ends[1]:g}")
    return lines


def _share(side: dict[str, Any]) -> str:
    cells = side["share"] * _BAR
    whole = int(cells)
    part = _BARS[int((cells - whole) * 8)] if side["events"] and whole < _BAR else ""
    return f"{share_text(side['share']):>7} {padded('█' * whole + part, _BAR, right=False)}"


def _text(value: object) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return one_line(text, _NAME_MAX) or '""'


def _apart(one: dict[str, Any]) -> str:
    name = one_line(one["name"], _NAME_MAX)
    return name if one["why"] == "selection" else f"{name} (follows from {one['from']})"
