"""Prints the answers about states and flows as tables that fit a terminal."""

import shutil
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import click
import orjson

from bellwether.answers.results.notes import coverage_text
from bellwether.answers.rows.cells import cut, one_line, padded, width
from bellwether.answers.rows.fields_table import share_text
from bellwether.answers.traces.waterfall import duration_text
from bellwether.output import drawable, printable

USUAL_ROWS: Final = 20
_PIPE_WIDTH: Final = 100_000
_NAME_MAX: Final = 48


def print_json(answer: dict[str, Any]) -> None:
    """The whole answer."""
    click.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())


def print_table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], most: int) -> None:
    """A table with its title, if it has rows; columns beside the first ones of texts stand right.

    head: names; those that end with a blank belong to columns of texts.
    """
    if not rows:
        return
    is_terminal = sys.stdout.isatty()
    terminal = shutil.get_terminal_size().columns if is_terminal else _PIPE_WIDTH
    shown = [[one_line(cell, _NAME_MAX if is_terminal else _PIPE_WIDTH) for cell in row]
             for row in rows[:most]]  # fmt: skip
    lines = [[name.strip() for name in head], *shown]
    right = [not name.endswith(" ") for name in head]
    widths = [max(width(line[at]) for line in lines) for at in range(len(head))]
    click.echo(click.style(title, bold=True) if is_terminal else title)
    for line in lines:
        cells = [padded(cell, widths[at], right=right[at]) for at, cell in enumerate(line)]
        click.echo(drawable(cut("  " + "  ".join(cells).rstrip(), terminal)))
    if len(rows) > most:
        click.echo(f"  {len(rows) - most:,} more (-n)")
    click.echo()


def print_end(answer: dict[str, Any]) -> None:
    """What the answer covers, and its notes, on standard error."""
    for note in answer.get("notes", []):
        click.echo(printable(note), err=True)
    parts = [answer["coverage"], answer.get("against", {}).get("coverage", {"complete": True})]
    for part in parts:
        if not part["complete"]:
            click.echo(coverage_text(part), err=True)
    start, end = _minute(answer["start"]), _minute(answer["end"])
    click.echo(
        f"{answer['instances']:,} instances, {answer['events']:,} steps from {start} to {end}",
        err=True,
    )


def known_duration(ms: float | None) -> str:
    """A duration; a dash where it is not known."""
    return "-" if ms is None else duration_text(ms)


def _minute(text: str) -> str:
    return datetime.fromisoformat(text[:19]).strftime("%Y-%m-%d %H:%M:%S") + "Z"


def print_differences(
    answer: dict[str, Any], kind: str, columns: tuple[str, str], title: str, most: int
) -> None:
    """The pairs that differ from those of the other population; says so if none does."""
    if "against" not in answer:
        return
    against = answer["against"]
    found = against[kind]
    if not found:
        click.echo(
            f"{title}: none differ ({answer['instances']:,} instances against"
            f" {against['instances']:,})\n"
        )
        return
    first, second = columns
    rows = [
        (
            one[first],
            one[second],
            f"{one['instances']:,}",
            share_text(one["share"]),
            f"{one['instances_against']:,}",
            share_text(one["share_against"]),
            f"{one['p']:.1g}",
            one["example"] or one["example_against"] or "-",
        )
        for one in found
    ]
    head = (f"{first} ", f"{second} ", "now", "share", "against", "share", "chance", "example ")
    print_table(title, head, rows, most)
