"""A query's answer for a person: a table with graphs, what is not listed, notes, coverage."""

from datetime import UTC, tzinfo
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bellwether.answers.results.cells import show, show_keys
from bellwether.answers.results.compared import before_label, change, earlier, pairs
from bellwether.answers.results.formats import table as series_table
from bellwether.answers.results.heatmap import draw_heatmaps, heatmap_names
from bellwether.answers.results.notes import coverage_text, groups_line
from bellwether.answers.results.sparks import group_of, show_peak, show_time, sparks
from bellwether.output import output_console, printable


def render(
    document: dict[str, Any], breakdowns: list[str], zone: tzinfo = UTC, *, series: bool = False
) -> RenderableType:
    """The whole answer. series: every step in a row of its own; zone: of the times shown."""
    parts: list[RenderableType] = [
        *(_steps(document, breakdowns, zone) if series else _groups(document, breakdowns, zone))
    ]
    if line := groups_line(document):
        parts.append(Text(printable(line), style="yellow"))
    parts += [Text(printable(f"note: {note}"), style="dim") for note in document.get("notes") or []]
    parts.append(coverage_line(document.get("coverage") or {}))
    if (old := earlier(document)) is not None:
        parts += earlier_lines(old, before_label(document))
    return Group(*parts)


def earlier_lines(old: dict[str, Any], label: str) -> list[RenderableType]:
    """Notes and coverage of the earlier range, as far as they say more than that it is complete."""
    notes = [f"note: {label}: {note}" for note in old.get("notes") or []]
    lines: list[RenderableType] = [Text(printable(note), style="dim") for note in notes]
    if not (old.get("coverage") or {}).get("complete"):
        line = coverage_line(old.get("coverage") or {})
        lines.append(Text.assemble((f"{label}: ", line.style), line))
    return lines


def coverage_line(coverage: dict[str, Any]) -> Text:
    """What the answer includes, in one line (I7)."""
    style = "green" if coverage.get("complete") else "bold yellow"
    return Text(printable(coverage_text(coverage)), style=style)


def print_result(
    document: dict[str, Any], breakdowns: list[str], zone: tzinfo = UTC, *, series: bool = False
) -> None:
    """Print it to standard output."""
    output_console().print(render(document, breakdowns, zone, series=series))


def _groups(document: dict[str, Any], breakdowns: list[str], zone: tzinfo) -> list[RenderableType]:
    """A row per group, with the first calculation over time, and what the graphs mean."""
    if earlier(document) is not None:
        return compared_groups(document, breakdowns, zone)
    rows = [row["data"] for row in document["data"]["results"]]
    if not rows:
        return [Text("no events match", style="yellow"), *_range_line(document, zone)]
    columns = list(rows[0])
    measures = [name for name in columns if name not in breakdowns]
    heatmaps = heatmap_names(document, measures)
    plain = [name for name in measures if name not in heatmaps]
    drawn = sparks(document, breakdowns, plain[0], zone) if plain else None
    table = _table(columns, breakdowns)
    if drawn is not None:
        table.add_column(escape(printable(f"{plain[0]} over time")))
        table.add_column("highest", justify="right")
    cells = _cells(columns, breakdowns, [[row[name] for name in columns] for row in rows])
    for row, shown in zip(rows, cells, strict=True):
        texts: list[RenderableType] = [Text(cell) for cell in shown]
        if drawn is not None:
            group = group_of(row, breakdowns)
            texts.append(Text(drawn.lines.get(group, ""), style="cyan"))
            texts.append(Text(show_peak(drawn.peaks.get(group))))
        table.add_row(*texts)
    below: list[RenderableType] = []
    for name in heatmaps:
        below += draw_heatmaps(document, breakdowns, name, zone)
    if drawn is not None:
        return [table, Text(printable(drawn.legend), style="dim"), *below]
    return [table, *(below or _range_line(document, zone))]


def compared_groups(
    document: dict[str, Any], breakdowns: list[str], zone: tzinfo
) -> list[RenderableType]:
    """A row per group: each calculation, what it was earlier, and the change; both graphs."""
    found, old = pairs(document, breakdowns), earlier(document)
    if not found:
        return [Text("no events match, now or earlier", style="yellow")]
    measures = [name for name in found[0].key if name not in breakdowns]
    label = before_label(document)
    drawn = sparks(document, breakdowns, measures[0], zone, old) if measures else None
    columns, rows = [*breakdowns], [[pair.key.get(name) for name in breakdowns] for pair in found]
    shown = _cells(columns, columns, rows) if columns else [[] for _ in found]
    table = _table(columns, columns)
    for name in measures:
        for title in (name, label, "change"):
            table.add_column(escape(printable(title)), justify="right")
    if drawn is not None:
        table.add_column(escape(printable(f"{measures[0]} over time")))
        table.add_column(escape(label))
    for keys, pair in zip(shown, found, strict=True):
        texts: list[RenderableType] = [Text(cell) for cell in keys]
        for name in measures:
            now, before = (pair.now or {}).get(name), (pair.before or {}).get(name)
            how = change(now, before, has_now=bool(pair.now), has_before=bool(pair.before))
            texts += [Text(show(now)), Text(show(before), style="dim"), Text(how)]
        if drawn is not None:
            group = group_of(pair.key, breakdowns)
            texts.append(Text(drawn.lines.get(group, ""), style="cyan"))
            texts.append(Text(drawn.earlier.get(group, ""), style="dim"))
        table.add_row(*texts)
    if drawn is None:
        return [table, *_range_line(document, zone)]
    return [table, Text(printable(drawn.legend), style="dim")]


def _steps(document: dict[str, Any], breakdowns: list[str], zone: tzinfo) -> list[RenderableType]:
    """A row per step and group."""
    columns, rows = series_table(document, breakdowns, series=True)
    if not rows:
        return [Text("no events match", style="yellow"), *_range_line(document, zone)]
    from bellwether.answers.results.graph import unix_seconds

    for row in rows:
        row[0] = show_time(unix_seconds(str(row[0])), zone)
    keys = [columns[0], *breakdowns]
    table = _table(columns, keys)
    for shown in _cells(columns, keys, rows):
        table.add_row(*(Text(cell) for cell in shown))
    return [table]


def _table(columns: list[str], keys: list[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(escape(printable(name)), justify="left" if name in keys else "right")
    return table


def _cells(columns: list[str], keys: list[str], rows: list[list[Any]]) -> list[list[str]]:
    by_column = [
        show_keys(column) if name in keys else [show(value) for value in column]
        for name, column in zip(columns, zip(*rows, strict=True), strict=True)
    ]
    return [list(row) for row in zip(*by_column, strict=True)]


def _range_line(document: dict[str, Any], zone: tzinfo) -> list[RenderableType]:
    """The range that was asked, where no graph shows it."""
    told = document.get("range")
    if not told:
        return []
    start, end = (show_time(told[name], zone) for name in ("start_time", "end_time"))
    return [Text(f"from {start} to {end}", style="dim")]
