"""Fields of a dataset as a table that fits the terminal."""

import shutil
import sys
from collections.abc import Sequence
from typing import Any, Final

import click
import orjson

from bellwether.output import drawable
from bellwether.rows.cells import MISSING, cut, one_line, padded, width
from bellwether.rows.table import short_time

_HEAD: Final = ("field", "type", "share", "last seen", "values")
_NAME_MAX: Final = 48
_PIPE_WIDTH: Final = 100_000


def print_fields(fields: Sequence[dict[str, Any]]) -> None:
    """Print them to standard output."""
    is_terminal = sys.stdout.isatty()
    terminal = shutil.get_terminal_size().columns if is_terminal else _PIPE_WIDTH
    name_max = _NAME_MAX if is_terminal else _PIPE_WIDTH
    rows = [_cells(field, name_max) for field in fields]
    widths = [max(width(row[at]) for row in (_HEAD, *rows)) for at in range(len(_HEAD))]
    for at, row in enumerate((_HEAD, *rows)):
        cells = [padded(cell, widths[index], right=index == 2) for index, cell in enumerate(row)]
        line = drawable(cut("  ".join(cells).rstrip(), terminal))
        click.echo(click.style(line, bold=True) if at == 0 and is_terminal else line)


def _cells(field: dict[str, Any], name_max: int) -> tuple[str, ...]:
    last = field.get("last_seen")
    samples = ", ".join(
        one if isinstance(one, str) else orjson.dumps(one).decode()
        for one in field.get("samples", [])
    )
    return (
        one_line(field["name"], name_max),
        ", ".join(field["types"]),
        share_text(field.get("share", 0.0)),
        MISSING if last is None else short_time(last)[:19],
        one_line(samples, 400),
    )


def share_text(share: float) -> str:
    """A share of events; what is there is never 0 %, what is not everywhere never 100 %."""
    if share <= 0:
        return "0 %"
    if share < 0.001:
        return "<0.1 %"
    if share < 1:
        return f"{min(share * 100, 99.9):.1f} %"
    return "100 %"
