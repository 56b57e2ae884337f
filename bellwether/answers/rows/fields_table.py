"""Fields of a dataset as a table that fits the terminal."""

import shutil
import sys
from collections.abc import Sequence
from typing import Any, Final

import click
import orjson

from bellwether.answers.rows.cells import MISSING, cut, one_line, padded, width
from bellwether.answers.rows.table import short_time
from bellwether.output import drawable

_HEAD: Final = ("field", "type", "share", "last seen", "values", "meaning")
_NAME_MAX: Final = 48
_SAMPLES_BESIDE_MEANING: Final = 40
_PIPE_WIDTH: Final = 100_000


def print_fields(fields: Sequence[dict[str, Any]]) -> None:
    """Print them to standard output."""
    is_terminal = sys.stdout.isatty()
    terminal = shutil.get_terminal_size().columns if is_terminal else _PIPE_WIDTH
    name_max = _NAME_MAX if is_terminal else _PIPE_WIDTH
    rows = [_HEAD, *(_cells(field, name_max) for field in fields)]
    if not any(row[-1] for row in rows[1:]):
        rows = [row[:-1] for row in rows]
    widths = [max(width(row[at]) for row in rows) for at in range(len(rows[0]))]
    for at, row in enumerate(rows):
        cells = [padded(cell, widths[index], right=index == 2) for index, cell in enumerate(row)]
        line = drawable(cut("  ".join(cells).rstrip(), terminal))
        click.echo(click.style(line, bold=True) if at == 0 and is_terminal else line)


def _cells(field: dict[str, Any], name_max: int) -> tuple[str, ...]:
    last = field.get("last_seen")
    meaning = meaning_text(field)
    samples = ", ".join(
        one if isinstance(one, str) else orjson.dumps(one).decode()
        for one in field.get("samples", [])
    )
    return (
        one_line(field["name"], name_max),
        ", ".join(field["types"]),
        share_text(field.get("share", 0.0)),
        MISSING if last is None else short_time(last)[:19],
        one_line(samples, _SAMPLES_BESIDE_MEANING if meaning else 400),
        one_line(meaning, 400),
    )


def meaning_text(field: dict[str, Any]) -> str:
    """A user's description, else the sender's, and what kind of metric the field holds."""
    metric = field.get("metric", {})
    kind = [metric["type"].replace("_", " ")] if metric else []
    if metric.get("temporality"):
        kind.append(metric["temporality"])
    if metric.get("monotonic"):
        kind.append("monotonic")
    if metric.get("unit"):
        kind.append(f"in {metric['unit']}")
    texts = (field.get("description") or metric.get("description", ""), ", ".join(kind))
    return "; ".join(text for text in texts if text)


def share_text(share: float) -> str:
    """A share of events; what is there is never 0 %, what is not everywhere never 100 %."""
    if share <= 0:
        return "0 %"
    if share < 0.001:
        return "<0.1 %"
    if share < 1:
        return f"{min(share * 100, 99.9):.1f} %"
    return "100 %"
