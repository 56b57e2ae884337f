"""One form of a series becomes the other; whole numbers keep all of their digits."""

from collections.abc import Sequence
from typing import Any

import msgspec

from common.model.times.api import parse_time
from common.model.times.written import rfc3339_s
from query.results.series_forms.columns import COLUMNS, GroupColumns, SeriesColumns

_SECOND_NS = 10**9


class _Row(msgspec.Struct):
    time: str
    data: dict[str, Any]


def to_rows(series: SeriesColumns) -> list[_Row]:
    """By time, then in the groups' order."""
    times = [rfc3339_s(second * _SECOND_NS) for second in series.times]
    by_step: list[list[dict[str, Any]]] = [[] for _ in times]
    for group in series.groups:
        steps = range(len(times)) if group.steps is None else group.steps
        for step, *values in zip(steps, *group.values.values(), strict=True):
            by_step[step].append({**group.data, **dict(zip(group.values, values, strict=True))})
    return [_Row(time, row) for time, rows in zip(times, by_step, strict=True) for row in rows]


def to_columns(rows: Sequence[_Row], breakdowns: Sequence[str]) -> SeriesColumns:
    """rows: by time. Groups stand in the order in which they occur first."""
    times: dict[str, int] = {}
    found: dict[bytes, tuple[GroupColumns, list[int]]] = {}
    for row in rows:
        step = times.setdefault(row.time, len(times))
        data = {name: row.data.pop(name, None) for name in breakdowns}
        key = msgspec.json.encode(list(data.values()))  # 1, "1", 1.0 and true are four
        if key not in found:
            found[key] = GroupColumns(data, {label: [] for label in row.data}), []
        group, steps = found[key]
        steps.append(step)
        for label, value in row.data.items():
            group.values[label].append(value)  # type: ignore[attr-defined]  # made here, a list
    for group, steps in found.values():
        group.steps = None if len(steps) == len(times) else steps
    seconds = [parse_time(time) // _SECOND_NS for time in times]
    return SeriesColumns(seconds, [group for group, _ in found.values()])


def converted(series: bytes, breakdowns: Sequence[str], form: str) -> bytes:
    """A series, JSON in the other form, in this one."""
    if form == COLUMNS:
        rows = msgspec.json.decode(series, type=list[_Row])
        return msgspec.json.encode(to_columns(rows, breakdowns))
    return msgspec.json.encode(to_rows(msgspec.json.decode(series, type=SeriesColumns)))
