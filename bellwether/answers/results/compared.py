"""Rows of an answer beside those of the earlier range that it is compared with."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, TypeGuard

from bellwether.answers.results.graph import Axis, axis_of
from bellwether.answers.results.sparks import group_of, show_length
from common.model.times.written import rfc3339_s

NEW: Final = "new"  # only in the present range
GONE: Final = "gone"  # only in the earlier one
Row = dict[str, Any]


class Pair(NamedTuple):
    """A group in both ranges; None where it has no row. step: of the axis, in series."""

    now: Row | None
    before: Row | None
    step: int | None = None

    @property
    def key(self) -> Row:
        """The row that has the values of the group."""
        return (self.now if self.now is not None else self.before) or {}


def earlier(document: dict[str, Any]) -> dict[str, Any] | None:
    """The earlier answer, as a document; None if nothing is compared."""
    found = document.get("compare")
    if not found:
        return None
    return {"query": document.get("query"), **found}


def before_label(document: dict[str, Any]) -> str:
    """`1d before`: what the earlier range is called."""
    return f"{show_length(int(document['compare']['offset_s']))} before"


def pairs(document: dict[str, Any], breakdowns: list[str]) -> list[Pair]:
    """The groups of the answer in its order, then those that only the earlier range has."""
    now, before = document["data"]["results"], document["compare"]["data"]["results"]
    by_group = {group_of(row["data"], breakdowns): row["data"] for row in before}
    found = [
        Pair(row["data"], by_group.pop(group_of(row["data"], breakdowns), None)) for row in now
    ]
    return found + [Pair(None, row) for row in by_group.values()]


def step_pairs(document: dict[str, Any], breakdowns: list[str]) -> list[Pair]:
    """As `pairs`, by step: the first step of one range is beside the first of the other."""
    old = earlier(document)
    axis, old_axis = axis_of(document), None if old is None else axis_of(old)
    now = dict(_by_step(document, axis, breakdowns))
    before = {} if old is None else dict(_by_step(old, old_axis, breakdowns))
    keys = sorted({*now, *before}, key=lambda key: key[0])  # of equals the order of their groups
    return [Pair(now.get(key), before.get(key), key[0]) for key in keys]


def _by_step(
    document: dict[str, Any], axis: Axis | None, breakdowns: list[str]
) -> Iterator[tuple[tuple[int, tuple[str, ...]], Row]]:
    for row in document["data"].get("series") or []:
        step = None if axis is None else axis.step_of(row["time"])
        if step is not None:
            yield (step, group_of(row["data"], breakdowns)), row["data"]


def change(now: object, before: object, *, has_now: bool, has_before: bool) -> str:
    """The change of a value, for a person: `+12.5%`, `new`, `gone`."""
    if not has_before:
        return NEW
    if not has_now:
        return GONE
    if not (_is_number(now) and _is_number(before)):
        return ""
    if now == before:
        return "same"
    if not before:
        return ""
    part = (now - before) / abs(before)
    return f"{part:+,.1%}" if abs(part) < 100 else f"{now / before:,.0f}x"


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def columns_and_rows(
    document: dict[str, Any], breakdowns: list[str], names: list[str], *, series: bool
) -> tuple[list[str], list[list[Any]]]:
    """A table for programs: after each calculation its earlier value. names: of the columns of the
    answer alone. A series has its time in front.
    """
    label = before_label(document)
    measures = [name for name in names if name not in breakdowns]
    columns = [name for name in names if name in breakdowns]
    for name in measures:
        columns += [name, f"{name} {label}"]
    rows: list[list[Any]] = []
    for pair in step_pairs(document, breakdowns) if series else pairs(document, breakdowns):
        row = [pair.key.get(name) for name in names if name in breakdowns]
        for name in measures:
            row += [(pair.now or {}).get(name), (pair.before or {}).get(name)]
        rows.append([_time_of(document, pair.step or 0), *row] if series else row)
    return (["time" if "time" not in names else "step_time", *columns] if series else columns), rows


def _time_of(document: dict[str, Any], step: int) -> str:
    """When a step of the present range begins, as an answer says it."""
    step_s = int(document["range"]["granularity"])
    first = int(document["range"]["start_time"]) // step_s
    return rfc3339_s((first + step) * step_s * 10**9)
