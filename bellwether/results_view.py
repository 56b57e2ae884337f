"""A query's result for a person: a table with sparklines, coverage in one line, notes."""

import itertools
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bellwether.output import output_console, printable

_BARS = "▁▂▃▄▅▆▇█"
_SPARK_CHARS = 32


_SPARK_EXACT_MAX = 1e150  # sums and spans of larger values may overflow; bars need only ratios


def sparkline(values: list[float | None], width: int = _SPARK_CHARS) -> str:
    """Values as bars from 0 (or the smallest, if below 0) to the largest; a blank is no value.

    More values than `width` are joined by their means.
    """
    if any(v is not None and abs(v) > _SPARK_EXACT_MAX for v in values):
        values = [None if v is None else v / _SPARK_EXACT_MAX for v in values]
    if len(values) > width:
        edges = [i * len(values) // width for i in range(width + 1)]
        parts = [values[a:b] for a, b in itertools.pairwise(edges)]
        values = [_mean(part) for part in parts]
    known = [v for v in values if v is not None]
    if not known:
        return ""
    low, high = min(0.0, *known), max(known)
    span = high - low
    if span <= 0:
        return "".join(" " if v is None else _BARS[0] for v in values)
    last = len(_BARS) - 1
    return "".join(
        " " if v is None else _BARS[min(last, int((v - low) / span * last + 0.5))] for v in values
    )


def _mean(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known else None


def render(document: dict[str, Any], breakdowns: list[str]) -> RenderableType:
    """The whole answer."""
    data = document["data"]
    rows = [row["data"] for row in data["results"]]
    columns = list(rows[0]) if rows else breakdowns
    measures = [name for name in columns if name not in breakdowns]
    sparks = _sparks(data.get("series") or [], breakdowns, measures[:1])
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(escape(printable(name)), justify="left" if name in breakdowns else "right")
    if sparks:
        table.add_column(escape(printable(f"{measures[0]} over time")))
    for row in rows:
        cells: list[RenderableType] = [Text(show(row[name])) for name in columns]
        if sparks:
            cells.append(Text(sparks.get(_group(row, breakdowns), ""), style="cyan"))
        table.add_row(*cells)
    parts: list[RenderableType] = [table if rows else Text("no events match", style="yellow")]
    parts += [Text(printable(f"note: {note}"), style="dim") for note in document.get("notes") or []]
    parts.append(coverage_line(document.get("coverage") or {}))
    return Group(*parts)


def show(value: object) -> str:
    """A value for a person."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"
    return printable(str(value))


def coverage_line(coverage: dict[str, Any]) -> Text:
    """What the answer includes, in one line (I7)."""
    partitions = coverage.get("partitions") or []
    if coverage.get("complete"):
        return Text(f"complete: {len(partitions)} of {len(partitions)} partitions", style="green")
    short = [p for p in partitions if not p.get("complete")]
    reasons = sorted({str(p["reason"]) for p in short if p.get("reason")})
    if coverage.get("reason"):
        reasons.append(str(coverage["reason"]))
    done = len(partitions) - len(short)
    why = f" ({'; '.join(reasons)})" if reasons else ""
    return Text(f"INCOMPLETE: {done} of {len(partitions)} partitions{why}", style="bold yellow")


def _group(row: dict[str, Any], breakdowns: list[str]) -> tuple[str, ...]:
    # types are told apart: "200" and 200 are two groups
    return tuple(repr(row.get(name)) for name in breakdowns)


def _sparks(
    series: list[dict[str, Any]], breakdowns: list[str], measure: list[str]
) -> dict[tuple[str, ...], str]:
    if not series or not measure:
        return {}
    times = sorted({row["time"] for row in series})
    if len(times) < 2:
        return {}
    at = {time: index for index, time in enumerate(times)}
    lines: dict[tuple[str, ...], list[float | None]] = {}
    for row in series:
        value = row["data"].get(measure[0])
        line = lines.setdefault(_group(row["data"], breakdowns), [None] * len(times))
        if isinstance(value, (int, float)):
            line[at[row["time"]]] = float(value)
    return {group: sparkline(line) for group, line in lines.items()}


def print_result(document: dict[str, Any], breakdowns: list[str]) -> None:
    """Print it to standard output."""
    output_console().print(render(document, breakdowns))
