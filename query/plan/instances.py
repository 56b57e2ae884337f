"""What a question about instances needs of each: its columns, and first values of other fields.

An instance is what all events have in common that have one value of a field, as a trace.
"""

from typing import Final

from common import limits
from query.plan.parts.conditions import filter_fields
from query.plan.plan import InstanceColumn, InstancesWanted
from query.plan.spec import QuerySpec

_MARGIN_PART: Final = 4
EVERY_COLUMN: Final = tuple(one.value for one in InstanceColumn)


def named_fields(spec: QuerySpec) -> set[str]:
    """Every field of instances that the question names."""
    named = set(spec.breakdowns) | filter_fields(spec.per_filters)
    for one in spec.calculations:
        named |= filter_fields(one.filters)
        if one.column is not None:
            named.add(one.column)
    return named


def instances_wanted(spec: QuerySpec, range_ns: int, margin_ns: int) -> InstancesWanted:
    """What every share has to compute. The specification has `per`.

    margin_ns: the most. Of a short range it is a part, so that a question about five minutes does
    not read two hours.
    """
    assert spec.per is not None
    named = named_fields(spec)
    return InstancesWanted(
        field=spec.per,
        columns=tuple(one for one in EVERY_COLUMN if one in named and one != spec.per),
        fields=tuple(sorted(named.difference(EVERY_COLUMN, {spec.per}))),
        margin_ns=min(margin_ns, range_ns // _MARGIN_PART),
        rows_max=limits.INSTANCES_MAX,
        bytes_max=limits.SHARE_BYTES_MAX,
    )
