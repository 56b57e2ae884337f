"""Calculated fields of a plan: those that it uses, in order of use; and what that leaves for files.

A calculated field may use others, to a depth, and never itself by way of others.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import msgspec

from common import limits
from common.errors import Unprocessable
from query.expressions.nodes import columns_of
from query.expressions.parser import parse
from query.plan.parts.conditions import GROUP_OPS, Filter, FilterOp, filter_fields
from query.plan.plan import (
    CalculatedField,
    Plan,
    asked_fields,
    named_of_events,
    part_fields,
    state_fields,
)
from query.tokens.errors import QueryTextError


class UseFault(Unprocessable):
    """Calculated fields use each other in a circle, or too deep."""


@lru_cache(maxsize=4_096)
def uses_of(expression: str) -> tuple[str, ...]:
    """The fields that a checked expression names, each once."""
    return tuple(dict.fromkeys(one.name for one in columns_of(parse(expression))))


def in_order_of_use(wanted: Iterable[str], known: Mapping[str, str]) -> tuple[CalculatedField, ...]:
    """The wanted fields and those that they use, each after what it uses. Raises UseFault.

    known: expressions of calculated fields, by name; other names are those of stored ones.
    """
    depths: dict[str, int] = {}
    for name in sorted(wanted):
        _visit(name, known, depths, ())
    return tuple(CalculatedField(name, known[name]) for name in depths)


def _visit(
    name: str, known: Mapping[str, str], depths: dict[str, int], path: tuple[str, ...]
) -> int:
    """The depth of a field: of one that uses only stored fields 1. It is added after its uses."""
    if name not in known:
        return 0
    if name in depths:
        return depths[name]
    most = limits.CALCULATED_DEPTH_MAX
    if name in path:
        circle = " -> ".join(f"`{one}`" for one in (*path[path.index(name) :], name))
        raise UseFault(f"calculated fields use each other in a circle: {circle}")
    if len(path) >= most:
        raise _too_deep(path[0])
    try:
        used = uses_of(known[name])
    except QueryTextError as error:  # stored by a program with another grammar
        raise UseFault(f"`{name}` is calculated, but not by an expression: {error.why}") from error
    uses = [_visit(one, known, depths, (*path, name)) for one in used]
    depth = 1 + max(uses, default=0)
    if depth > most:
        raise _too_deep(name)
    depths[name] = depth
    return depth


def _too_deep(name: str) -> UseFault:
    most = limits.CALCULATED_DEPTH_MAX
    return UseFault(f"`{name}` uses calculated fields more than {most} deep")


def with_calculated(plan: Plan, stored: Mapping[str, str]) -> Plan:
    """The plan with exactly the calculated fields that it uses, of its own and of the stored ones.

    Its own come before stored ones of the same name. The parts of spans are always read from
    stored fields. Raises UseFault.
    """
    known = {**stored, **{one.name: one.expression for one in plan.calculated}}
    if not known:
        return plan
    named = named_of_events(plan)
    if plan.spans is not None:
        named -= part_fields(plan)
    calculated = in_order_of_use(named & known.keys(), known)
    return msgspec.structs.replace(plan, calculated=calculated)


def stored_fields(plan: Plan) -> set[str]:
    """The fields that are read from files and live rows: those that hold parts of spans, too,
    where fields of their names are calculated.
    """
    calculated = {one.name for one in plan.calculated}
    used = {name for one in plan.calculated for name in uses_of(one.expression)}
    return ((named_of_events(plan) | used) - calculated) | part_fields(plan)


def asked_stored_fields(plan: Plan) -> set[str]:
    """The stored fields that the plan itself names, and those that its calculated fields use."""
    calculated = {one.name for one in plan.calculated}
    used = {name for one in plan.calculated for name in uses_of(one.expression)}
    return (asked_fields(plan) | used) - calculated


def named_fields(plan: Plan) -> set[str]:
    """The fields that are read, and those that give way to calculated ones of their names."""
    return state_fields(plan) | stored_fields(plan)


def stored_filters(plan: Plan) -> tuple[Filter, ...]:
    """Filters on stored fields alone that hold for every row for which the plan's filters do, to be
    joined as those are. Empty: nothing is known of the rows that match.
    """
    return on_stored(plan.filters, plan.any_filter, plan.calculated)


def on_stored(
    filters: tuple[Filter, ...], any_filter: bool, fields: Sequence[CalculatedField]
) -> tuple[Filter, ...]:
    """As `stored_filters`, of these filters. fields: that are calculated."""
    if not fields:
        return filters
    calculated = {one.name for one in fields}
    if any_filter and not calculated.isdisjoint(filter_fields(filters)):
        return ()
    return tuple(_without(filters, calculated))


def _without(filters: Iterable[Filter], calculated: set[str]) -> Iterable[Filter]:
    """Of filters that all hold, those that say something about stored fields."""
    for one in filters:
        if calculated.isdisjoint(filter_fields([one])):
            yield one
        elif one.op is FilterOp.ALL_OF:
            inside = tuple(_without(one.inside, calculated))
            if inside:
                yield Filter("", FilterOp.ALL_OF, (), inside)
        else:
            assert one.op in GROUP_OPS or one.field in calculated
