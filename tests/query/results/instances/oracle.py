"""Instances in plain Python: one row per value of a field, made of the events that have it."""

from collections.abc import Sequence
from typing import Any

from query.plan.spec import QuerySpec
from tests.query.share import oracle
from tests.query.share.rows import Row


def instances(spec: QuerySpec, rows: Sequence[Row]) -> list[Row]:
    """The rows over which the question is. Events of one instance have different times."""
    per = spec.per
    assert per is not None
    found: dict[object, list[Row]] = {}
    for row in rows:
        hits = [oracle.matches(one, row) for one in spec.filters]
        if per in row.data and ((any(hits) if spec.any_filter else all(hits)) or not hits):
            found.setdefault(oracle._typed(row.data[per]), []).append(row)
    return [_instance(per, sorted(held, key=lambda row: row.time_ns)) for held in found.values()]


def _instance(per: str, held: list[Row]) -> Row:
    data: dict[str, Any] = {}
    for row in held:
        for name, value in row.data.items():
            data.setdefault(name, value)
    data[per] = held[0].data[per]
    start, end = held[0].time_ns, max(row.time_ns + _length(row) for row in held)
    spans = [row for row in held if "meta.annotation_type" not in row.data]
    steps = [
        row.data["name"]
        for row in held
        if "name" in row.data and row.data.get("meta.annotation_type", "span_start") == "span_start"
    ]
    data |= {
        "start": start / 1e9,
        "end": end / 1e9,
        "extent_ms": (end - start) / 1e6,
        "spans": len(spans),
        "errors": sum(row.data.get("error") is True for row in spans),
    }
    data.pop("last_step", None)
    if steps:
        data["last_step"] = steps[-1]
    return Row(start, data, min(row.rate for row in held))


def _length(row: Row) -> int:
    duration: Any = row.data.get("duration_ms", 0)
    return int(duration * 1_000_000)
