"""Groups as typed columns: the parts of their keys (`k<i>_n`, `_f`, `_b`, `_s`), by name."""

from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from query.plan.parts.conditions import GroupKey, Scalar
from query.plan.plan import Plan

_TYPES: Final = {"n": pa.int64(), "f": pa.float64(), "b": pa.bool_(), "s": pa.string()}


def part_of(value: Scalar) -> str:
    """The part of a key that holds the value."""
    if isinstance(value, bool):
        return "b"
    if isinstance(value, str):
        return "s"
    return "n" if isinstance(value, int) else "f"


def part_names(groups: Sequence[GroupKey]) -> set[str]:
    """The columns that hold the keys of these groups."""
    keys = ((i, key) for group in groups for i, key in enumerate(group))
    return {f"k{i}_{part_of(key)}" for i, key in keys if key is not None}


def groups_table(groups: Sequence[GroupKey], names: Sequence[str]) -> pa.Table:
    """A row per group. names: the columns, such as `k0_n`; values of other parts are left out."""
    columns = {}
    for name in names:
        at, part = int(name[1 : name.index("_")]), name[name.index("_") + 1 :]
        keys = (group[at] for group in groups)
        values = [key if key is not None and part_of(key) == part else None for key in keys]
        columns[name] = pa.array(values, _TYPES[part])
    return pa.table(columns) if columns else pa.table({"none": pa.nulls(len(groups))})


def wanted_groups(plan: Plan, names: Sequence[str]) -> pa.Table:
    """The groups of the plan that rows with only these parts of keys may belong to."""
    held = set(names)
    possible = [
        group
        for group in plan.groups or ()
        if all(key is None or f"k{i}_{part_of(key)}" in held for i, key in enumerate(group))
    ]
    return groups_table(possible, names)
