"""Heatmaps in a terminal: a row per range of values, a column per part of the time.

How dark a character is says how many events there are, with colour or without; steps are the same
factor apart, so that a few slow ones are seen beside many fast ones.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, tzinfo
from itertools import groupby
from typing import Any, Final, NamedTuple

from rich.text import Text

from bellwether.answers.results.cells import show, show_keys
from bellwether.answers.results.graph import Axis, axis_of, steps_joined
from bellwether.answers.results.sparks import group_of, operation_of, show_length, show_time
from bellwether.output import printable

COLUMNS: Final = 60
ROWS: Final = 20
GROUPS: Final = 5  # drawn; a screen holds two
_SHADES: Final = " ░▒▓█"
_COLOURS: Final = ("", "color(153)", "color(111)", "color(69)", "color(27)")
Bins = Sequence[dict[str, Any]]


def heatmap_names(document: dict[str, Any], measures: Iterable[str]) -> list[str]:
    """Those of the calculations that are heatmaps."""
    return [name for name in measures if operation_of(document, name)[0] == "HEATMAP"]


def draw_heatmaps(
    document: dict[str, Any], breakdowns: list[str], name: str, zone: tzinfo = UTC
) -> list[Text]:
    """A heatmap for each of the first groups; none where the answer has no series.

    All have the same rows and columns, and the same shades.
    """
    axis = axis_of(document)
    if axis is None:
        return []
    cells: dict[tuple[str, ...], dict[tuple[int, int], int]] = {}
    scale = _Scale.of(row["data"][name] for row in document["data"]["series"])
    if scale is None:
        return []
    joined = steps_joined(axis.steps, COLUMNS)
    for row in document["data"]["series"]:
        step = axis.step_of(row["time"])
        if step is not None:
            _add(cells.setdefault(group_of(row["data"], breakdowns), {}), step // joined,
                 row["data"][name], scale)  # fmt: skip
    groups = [row["data"] for row in document["data"]["results"]]
    most = max((count for some in cells.values() for count in some.values()), default=0)
    drawn: list[Text] = []
    titles = _titles(groups[:GROUPS], breakdowns)
    for data, title in zip(groups[:GROUPS], titles, strict=True):
        held = cells.get(group_of(data, breakdowns), {})
        drawn.append(_drawing(title, held, scale, -(-axis.steps // joined), most))
    drawn.append(Text(printable(_legend(name, axis, joined, most, zone)), style="dim"))
    if len(groups) > GROUPS:
        more = f"heatmaps of {len(groups) - GROUPS:,} more groups: --format json"
        drawn.append(Text(more, style="dim"))
    return drawn


class _Scale(NamedTuple):
    """Rows of a heatmap, from the lowest: lower bounds, and the row of each bin's lower bound."""

    labels: list[str]
    rows: dict[float | None, int]

    @classmethod
    def of(cls, values: Iterable[Bins]) -> "_Scale | None":
        """The rows for these bins; of bins between them that are empty, too."""
        bins = {(one["low"], one["high"]) for some in values for one in some}
        if not bins:
            return None
        order = sorted(bins, key=lambda one: -math.inf if one[0] is None else one[0])
        places: dict[float | None, int] = {}
        bounds: list[float | None] = []
        for before, one in zip([None, *order], order, strict=False):
            if before is not None:
                factor = before[1] / before[0] if before[0] and before[1] else 1
                between = range(1, _between(before, one))
                bounds += [before[0] * factor**more for more in between]
            places[one[0]] = len(bounds)
            bounds.append(one[0])
        joined = -(-len(bounds) // ROWS)
        labels = ["less" if low is None else _bound(low) for low in bounds[::joined]]
        return cls(labels, {low: place // joined for low, place in places.items()})


def _between(before: tuple[Any, Any], one: tuple[Any, Any]) -> int:
    """How many rows the bin is above the one before it."""
    low, high = before
    if not low or not high or not one[0] or one[1] is None or (low < 0) != (one[0] < 0):
        return 1
    factor = abs(math.log(high / low))
    return max(1, round(abs(math.log(one[0] / low)) / factor)) if factor else 1


def _bound(value: float) -> str:
    short = float(f"{value:.3g}")
    return show(int(short) if short.is_integer() and abs(short) < 1e15 else short)


def _add(cells: dict[tuple[int, int], int], column: int, bins: Bins, scale: _Scale) -> None:
    for one in bins:
        place = scale.rows[one["low"]], column
        cells[place] = cells.get(place, 0) + int(one["count"])


def _titles(groups: Sequence[dict[str, Any]], breakdowns: list[str]) -> list[str]:
    if not breakdowns:
        return ["" for _ in groups]
    columns = [show_keys([group[name] for group in groups]) for name in breakdowns]
    return [
        ", ".join(f"{name} {key}" for name, key in zip(breakdowns, keys, strict=True))
        for keys in zip(*columns, strict=True)
    ]


def _drawing(
    title: str, cells: dict[tuple[int, int], int], scale: _Scale, columns: int, most: int
) -> Text:
    text = Text(no_wrap=True, overflow="crop")
    if title:
        text.append(f"{printable(title)}\n", style="bold")
    width = max(map(len, scale.labels))
    for row in reversed(range(len(scale.labels))):
        text.append(f"{scale.labels[row].rjust(width)} │")
        levels = [_level(cells.get((row, column), 0), most) for column in range(columns)]
        for level, run in groupby(levels):
            text.append(_SHADES[level] * len(list(run)), style=_COLOURS[level])
        text.append("\n")
    text.append(f"{' ' * width} └{'─' * columns}")
    return text


def _level(count: int, most: int) -> int:
    """0: none; else 1 to 4, each beginning at the same factor above the one before."""
    if count <= 0:
        return 0
    levels = len(_SHADES) - 1
    if most <= 1:
        return levels
    return min(levels, 1 + int(levels * math.log(count) / math.log(most + 1)))


def _legend(name: str, axis: Axis, joined: int, most: int, zone: tzinfo) -> str:
    end_s = axis.first_s + axis.steps * axis.step_s
    shades = []
    for level in range(1, len(_SHADES)):
        first = next((n for n in _starts(most) if _level(n, most) == level), None)
        if first is not None:
            shades.append(f"{_SHADES[level]} from {first:,}")
    return (
        f"{name}: {show_time(axis.first_s, zone)} to {show_time(end_s, zone)}, a column is "
        f"{show_length(axis.step_s * joined)}, a row begins at the number beside it; events in a "
        f"cell: {', '.join(shades)}, at most {most:,}"
    )


def _starts(most: int) -> Iterable[int]:
    """Counts at which a level may begin."""
    levels = len(_SHADES) - 1
    for level in range(levels):
        near = int((most + 1) ** (level / levels))
        yield from range(max(1, near - 1), near + 3)
