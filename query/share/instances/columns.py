"""The columns of states about instances, and how rows of one instance become one row.

A row is an event, what a share has of an instance, or the instance: each is made of rows of the
kind before by the same aggregates.

- `k_n`, `k_f`, `k_b`, `k_s`: the value that its events have in common, in the parts of its type
- `r`: the smallest sample rate of its events
- `s`, `e`: start and end, in unix ns
- `sp`, `er`: number of spans, and of those that failed
- `lt`, `ls`: when the last step began, and its name
- `f<i>_t`, `f<i>_<type>`: when a field first had a value, and that value

Of two events at the same time a hash of their values decides, so that an answer does not depend on
how rows are spread over shares. Time and hash are one number, of 64 bits where the hash has 16 of
them: with 128 a share takes a quarter longer.
"""

from collections.abc import Collection, Mapping
from typing import Final

from query.plan.plan import InstanceColumn, InstancesWanted, Plan
from segment.columns import FieldType

KEY: Final = "k_"
EDGES: Final = "edges"  # state: the values that events just outside of the range have
RATE, START, END, SPANS, ERRORS = "r", "s", "e", "sp", "er"
STEP_TIME, STEP = "lt", "ls"
_KEY_TYPES: Final = {"n": "BIGINT", "f": "DOUBLE", "b": "BOOLEAN", "s": "VARCHAR"}
_HASH_BITS: Final = 32
_HASH_BITS_LEAST: Final = 16


def has_end(wanted: InstancesWanted) -> bool:
    """Whether ends of instances are needed."""
    columns = set(wanted.columns)
    return bool(columns & {InstanceColumn.END, InstanceColumn.EXTENT})


def key_part(parts: Mapping[str, str], name: str) -> str:
    """SQL of a part of the common value, NULL where the rows have none of its type."""
    return parts.get(name, f"NULL::{_KEY_TYPES[name]}")


def first_columns(at: int, types: Collection[FieldType]) -> list[str]:
    """Names of the columns that hold the value of a field."""
    return [f"f{at}_{one.value}" for one in FieldType if one in types]


def first_time(at: int) -> str:
    """The column with the time of a field's first value."""
    return f"f{at}_t"


def aggregates(
    plan: Plan, firsts: Mapping[int, Collection[FieldType]], *, of_events: bool
) -> dict[str, str]:
    """SQL of each column over the rows of an instance, by its name.

    firsts: by index of a field, the types of its values. of_events: whether the rows are events,
    whose values are all as old as they are themselves.
    """
    wanted = plan.instances
    assert wanted is not None
    made = {RATE: f"min({RATE})", START: f"min({START})"}
    if has_end(wanted):
        made[END] = f"max({END})"
    if InstanceColumn.SPANS in wanted.columns:
        made[SPANS] = f"sum({SPANS})::BIGINT"
    if InstanceColumn.ERRORS in wanted.columns:
        made[ERRORS] = f"sum({ERRORS})::BIGINT"
    if InstanceColumn.LAST_STEP in wanted.columns:
        made[STEP_TIME] = f"max({STEP_TIME})"
        made[STEP] = f"arg_max({STEP}, {_decided(plan, STEP_TIME, STEP)})"
    for at, types in firsts.items():
        time, columns = first_time(at), first_columns(at, types)
        made[time] = f"min({time})"
        held = " OR ".join(f"{name} IS NOT NULL" for name in columns)
        if of_events:
            made[time] = f"min(CASE WHEN {held} THEN {START} END)"
            time = START
        if len(columns) == 1:
            made[columns[0]] = f"arg_min({columns[0]}, {_decided(plan, time, columns[0])})"
            continue
        packed = f"struct_pack({', '.join(f'{name} := {name}' for name in columns)})"
        first = f"(arg_min({packed}, {_decided(plan, time, packed)}) FILTER (WHERE {held}))"
        made |= {name: f"{first}.{name}" for name in columns}
    return made


def _decided(plan: Plan, time: str, value: str) -> str:
    """SQL BIGINT or HUGEINT: the time, and a hash of the value where times are equal."""
    bits = 63 - (plan.end_ns - plan.start_ns).bit_length()
    if bits >= _HASH_BITS_LEAST:
        since = f"({time} - ({plan.start_ns:d})) * {2**bits:d}"
        return f"{since} + (hash({value}) & {2**bits - 1:d})::BIGINT"
    hashed = f"(hash({value}) & {2**_HASH_BITS - 1:d})::HUGEINT"
    return f"{time}::HUGEINT * {2**_HASH_BITS:d} + {hashed}"
