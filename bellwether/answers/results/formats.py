"""An answer for programs: CSV, Markdown and JSON lines. Digits are exact, times RFC 3339.

CSV tells types apart: texts always stand in quotes, numbers and booleans never, and what is
missing is nothing at all (the empty text is `""`).
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson

from bellwether.answers.results.cells import exact
from bellwether.answers.results.compared import columns_and_rows, earlier
from bellwether.answers.results.sparks import label
from bellwether.output import printable

FORMATS: Final = ("table", "json", "csv", "markdown", "ndjson", "arrow")
_MARKDOWN: Final = str.maketrans({"|": "\\|", "\\": "\\\\", "<": "&lt;", "`": "\\`", "*": "\\*"})


def format_lines(
    document: dict[str, Any], breakdowns: list[str], form: str, *, series: bool
) -> Iterator[str]:
    """The answer's lines in a format, without line ends. series: every step, not the totals."""
    compares = earlier(document) is not None
    if form == "ndjson" and not compares:
        rows = document["data"]["series" if series else "results"] or []
        for row in rows:
            yield orjson.dumps(row if series else row["data"]).decode()
        return
    columns, values = table(document, breakdowns, series=series)
    if form == "ndjson":
        for row in values:
            yield orjson.dumps(dict(zip(columns, row, strict=True))).decode()
    elif form == "csv":
        yield from _csv(columns, values)
    else:
        keys = [*breakdowns, columns[0]] if series else breakdowns
        yield from _markdown(columns, values, sum(name in keys for name in columns))


def table(
    document: dict[str, Any], breakdowns: list[str], *, series: bool
) -> tuple[list[str], list[list[object]]]:
    """Names of the columns, and the rows. A series has its time in front; in a comparison each
    calculation is followed by its earlier value.
    """
    rows = document["data"].get("series" if series else "results") or []
    names = list(rows[0]["data"]) if rows else [*breakdowns, *_labels(document)]
    if earlier(document) is not None:
        return columns_and_rows(document, breakdowns, names, series=series)
    if not series:
        return names, [[row["data"].get(name) for name in names] for row in rows]
    time = "time" if "time" not in names else "step_time"
    values = [[row["time"], *(row["data"].get(name) for name in names)] for row in rows]
    return [time, *names], values


def _labels(document: dict[str, Any]) -> list[str]:
    query = document.get("query") or {}
    found = query.get("calculations") or [{"op": "COUNT"}]
    shown = [label(calculation) for calculation in found if not calculation.get("hidden")]
    return shown + [formula["name"] for formula in query.get("formulas") or []]


def _csv(columns: list[str], rows: Iterable[list[object]]) -> Iterator[str]:
    yield ",".join(name if _is_plain(name) else _in_quotes(name) for name in columns)
    for row in rows:
        yield ",".join(_csv_cell(value) for value in row)


def _csv_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):  # a heatmap, as JSON
        return _in_quotes(exact(value))
    return _in_quotes(value) if isinstance(value, str) else exact(value)


def _is_plain(name: str) -> bool:
    return bool(name) and name == name.strip() and not any(c in name for c in '",\r\n')


def _in_quotes(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _markdown(columns: list[str], rows: Iterable[list[object]], left: int) -> Iterator[str]:
    """left: as many columns as stand on the left of their place: what groups are called by."""
    yield _markdown_row(columns)
    yield _markdown_row(["---" if i < left else "---:" for i in range(len(columns))], plain=True)
    for row in rows:
        yield _markdown_row("" if value is None else exact(value) for value in row)


def _markdown_row(cells: Iterable[str], *, plain: bool = False) -> str:
    shown = (cell if plain else printable(cell).translate(_MARKDOWN) for cell in cells)
    return "| " + " | ".join(shown) + " |"
