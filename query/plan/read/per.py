"""Reads `per`: the field of instances, and the items of `havings` that are conditions on them."""

from typing import Any

from query.faults import SpecError
from query.plan.parts.conditions import Filter, searched_texts
from query.plan.plan import InstanceColumn
from query.plan.read.checks import column_of, items_of
from query.plan.read.filters import check_together, read_filter
from query.plan.spec import QuerySpec, TimeAxis

_EVENTS_HAVE = "events have it: search them with a filter"


def read_per(spec: dict[str, Any]) -> str | None:
    """The field whose values are instances. Raises SpecError."""
    if spec.get("per") is None:
        return None
    field = column_of(spec["per"], "per")
    if field in tuple(InstanceColumn):
        raise SpecError("per", "invalid", f"{field} is what instances have: name an event's field")
    return field


def calculation_havings(spec: dict[str, Any]) -> list[tuple[object, str]]:
    """The items of `havings` that are about calculations, each with its place."""
    found = items_of(spec, "havings", lambda item, at: (item, at))
    return [(item, at) for item, at in found if not _is_condition(spec, item)]


def read_per_filters(spec: dict[str, Any]) -> tuple[Filter, ...]:
    """The items of `havings` that are conditions on instances. Raises SpecError."""
    filters: list[Filter] = []
    for item, at in items_of(spec, "havings", lambda item, at: (item, at)):
        if _is_condition(spec, item):
            filters.append(read_filter(item, at))
            if any(searched_texts(filters[-1:])):
                raise SpecError(at, "invalid", "instances have no texts; " + _EVENTS_HAVE)
    check_together(tuple(filters), "havings")
    return tuple(filters)


def _is_condition(spec: dict[str, Any], item: object) -> bool:
    """Whether an item of `havings` is on an instance: on no calculation and on nothing named."""
    if spec.get("per") is None or not isinstance(item, dict) or "calculate_op" in item:
        return False
    parts = [*_objects(spec, "calculations"), *_objects(spec, "formulas")]
    return "filters" in item or item.get("column") not in {one.get("name") for one in parts}


def _objects(spec: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = spec.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def check_per(spec: QuerySpec) -> None:
    """Raises SpecError for what cannot be asked of instances."""
    if spec.per is None:
        return
    if spec.time_axis is not TimeAxis.START:
        why = "instances are those of the events that start in the range: leave time_axis out"
        raise SpecError("time_axis", "invalid", why)
    for at, one in enumerate(spec.calculations):
        if one.op == "CONCURRENCY":
            raise SpecError(f"calculations[{at}].op", "invalid", "is of spans, not of instances")
        if any(searched_texts(one.filters)):
            why = "instances have no texts; " + _EVENTS_HAVE
            raise SpecError(f"calculations[{at}].filters", "invalid", why)
