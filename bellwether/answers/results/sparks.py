"""The graph beside each group of a table: the first calculation over time, one scale for all."""

from datetime import UTC, datetime, tzinfo
from typing import Any, NamedTuple

from bellwether.answers.results.cells import show
from bellwether.answers.results.graph import (
    CELLS,
    Axis,
    Join,
    Line,
    axis_of,
    drawable,
    join_of,
    joined,
    scale_of,
    steps_joined,
)

Group = tuple[str, ...]


class Sparks(NamedTuple):
    """Bars and the largest value by group, and what there is to know of them.

    earlier: bars of the range that is compared, on the same scale.
    """

    lines: dict[Group, str]
    peaks: dict[Group, float | None]
    legend: str
    earlier: dict[Group, str]


def sparks(
    document: dict[str, Any],
    breakdowns: list[str],
    measure: str,
    zone: tzinfo = UTC,
    earlier: dict[str, Any] | None = None,
) -> Sparks | None:
    """The graphs of an answer; None where there are fewer than two steps. earlier: the answer that
    it is compared with.
    """
    axis = axis_of(document)
    if axis is None or axis.steps < 2:
        return None
    op, weight = operation_of(document, measure)
    join = join_of(op)

    def joined_lines(one: dict[str, Any], along: Axis) -> dict[Group, Line]:
        series = one["data"]["series"]
        values = _lines(series, breakdowns, measure, along, 0.0 if op.startswith("COUNT") else None)
        weights = _lines(series, breakdowns, weight, along, None) if weight else {}
        return {g: joined(line, CELLS, join, weights.get(g)) for g, line in values.items()}

    cells = joined_lines(document, axis)
    old_axis = None if earlier is None else axis_of(earlier)
    old = {} if earlier is None or old_axis is None else joined_lines(earlier, old_axis)
    every = [*cells.values(), *old.values()]
    scale = scale_of(every)
    largest = max((v for line in every for v in line if v is not None), default=None)
    return Sparks(
        {group: scale.bars(line) for group, line in cells.items()},
        {group: max((v for v in line if v is not None), default=None) for group, line in
         cells.items()},
        _legend(measure, axis, join, len(every), largest, scale.low, bool(weight), zone),
        {group: scale.bars(line) for group, line in old.items()},
    )  # fmt: skip


def operation_of(document: dict[str, Any], measure: str) -> tuple[str, str | None]:
    """The operator of a calculation by its label, and for AVG the label of a COUNT to weigh by."""
    calculations = (document.get("query") or {}).get("calculations") or []
    labels = {label(c): c for c in calculations}
    found = labels.get(measure) or {"op": measure.partition("(")[0]}
    if found["op"] != "AVG":
        return str(found["op"]), None
    counts = {c.get("column"): name for name, c in labels.items() if c["op"] == "COUNT"}
    return "AVG", counts.get(found.get("column")) or counts.get(None)


def label(calculation: dict[str, Any]) -> str:
    """How an answer calls a calculation."""
    column = calculation.get("column")
    plain = str(calculation["op"]) if column is None else f"{calculation['op']}({column})"
    return str(calculation.get("name") or plain)


def group_of(row: dict[str, Any], breakdowns: list[str]) -> Group:
    """The group of a row; types differ: "200" and 200 are two groups."""
    return tuple(repr(row.get(name)) for name in breakdowns)


def _lines(
    series: list[dict[str, Any]],
    breakdowns: list[str],
    measure: str,
    axis: Axis,
    absent: float | None,
) -> dict[Group, Line]:
    """absent: the value of a step that a group has no row for: nothing was counted, or a gap."""
    lines: dict[Group, Line] = {}
    for row in series:
        at = axis.step_of(row["time"])
        line = lines.setdefault(group_of(row["data"], breakdowns), [absent] * axis.steps)
        if at is not None:
            line[at] = drawable(row["data"].get(measure))
    return lines


def _legend(
    measure: str,
    axis: Axis,
    join: Join,
    groups: int,
    largest: float | None,
    low: float,
    weighted: bool,
    zone: tzinfo,
) -> str:
    end_s = axis.first_s + axis.steps * axis.step_s
    parts = [
        f"{measure} over time: {show_time(axis.first_s, zone)} to {show_time(end_s, zone)}, "
        f"{axis.steps:,} steps of {show_length(axis.step_s)}"
    ]
    if axis.steps > CELLS:
        how = f"{join.value}, weighted by COUNT" if weighted else join.value
        parts.append(f"a bar is {steps_joined(axis.steps)} of them, {how}")
    if largest is not None:
        bottom = "" if low == 0 else f", the lowest {show(low)}"
        parts.append(f"the highest bar is {show(_tidy(largest))}{bottom}")
    if groups > 1:
        parts.append("one scale for all groups")
    return "; ".join(parts)


def _tidy(value: float) -> float | int:
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def show_peak(value: float | None) -> str:
    """The largest value beside a graph."""
    return "" if value is None else show(_tidy(value))


def show_time(unix_s: int, zone: tzinfo = UTC) -> str:
    """RFC 3339 to the second, in the zone."""
    moment = datetime.fromtimestamp(unix_s, UTC).astimezone(zone)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def show_length(seconds: int) -> str:
    """A step's width in its largest whole unit: 90s, 5m, 2h, 1d."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
