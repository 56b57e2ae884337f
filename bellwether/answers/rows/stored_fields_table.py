"""Fields of a dataset with what all of its stored events have of them, as a table."""

import shutil
import sys
from collections.abc import Sequence
from typing import Any, Final

import click
import orjson

from bellwether.answers.rows.cells import MISSING, cut, one_line, padded, width
from bellwether.answers.rows.fields_table import meaning_text, share_text
from bellwether.answers.rows.table import short_time
from bellwether.output import drawable

_HEAD: Final = (
    "field", "type", "share", "distinct", "bytes", "last indexed", "range", "values", "meaning",
)  # fmt: skip
_RIGHT: Final = (2, 3, 4)
_NAME_MAX: Final = 48
_END_MAX: Final = 16
_VALUES_BESIDE_MEANING: Final = 40
_PIPE_WIDTH: Final = 100_000
_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


def print_stored_fields(fields: Sequence[dict[str, Any]], samples: int) -> None:
    """Print them to standard output. samples: values of each."""
    is_terminal = sys.stdout.isatty()
    terminal = shutil.get_terminal_size().columns if is_terminal else _PIPE_WIDTH
    name_max = _NAME_MAX if is_terminal else _PIPE_WIDTH
    rows = [_HEAD, *(_cells(field, name_max, samples) for field in fields)]
    if not any(row[-1] for row in rows[1:]):
        rows = [row[:-1] for row in rows]
    widths = [max(width(row[at]) for row in rows) for at in range(len(rows[0]))]
    for at, row in enumerate(rows):
        cells = [padded(cell, widths[n], right=n in _RIGHT) for n, cell in enumerate(row)]
        line = drawable(cut("  ".join(cells).rstrip(), terminal))
        click.echo(click.style(line, bold=True) if at == 0 and is_terminal else line)


def size_text(size: int) -> str:
    """Bytes in a unit that keeps the number short."""
    value = float(size)
    for unit in _UNITS:
        if value < 999.5 or unit == _UNITS[-1]:
            break
        value /= 1_000
    return f"{value:.0f} {unit}" if value >= 9.95 or unit == "B" else f"{value:.1f} {unit}"


def _cells(field: dict[str, Any], name_max: int, samples: int) -> tuple[str, ...]:
    meaning = one_line(meaning_text(field), 400)
    name = one_line(field["name"], name_max)
    if field["calculated"]:
        shown = one_line(f"= {field['expression']}", 400)
        return name, "calculated", "", "", "", "", "", shown, meaning
    values = ", ".join(_text(one["value"]) for one in field["values"][:samples])
    return (
        name,
        _types(field),
        MISSING if field["share"] is None else share_text(field["share"]),
        MISSING if field["distinct"] is None else f"{field['distinct']:,}",
        size_text(field["bytes"]) if field["bytes"] else MISSING,
        short_time(field["last_indexed"])[:19],
        _range(field),
        one_line(values, _VALUES_BESIDE_MEANING if meaning else 400),
        meaning,
    )


def _types(field: dict[str, Any]) -> str:
    """The types; of several the share of each."""
    if len(field["types"]) < 2:
        return ", ".join(field["types"])
    shares = field["type_shares"]
    return ", ".join(f"{one} {share_text(shares[one])}" for one in field["types"])


def _range(field: dict[str, Any]) -> str:
    if field["least"] is None:
        return MISSING
    ends = [one_line(_text(field[end]), _END_MAX) for end in ("least", "greatest")]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
