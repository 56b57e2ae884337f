"""The plan: what every partition is asked, made once per query from its specification.

A plan holds only facts (absolute times, names, values), so that every indexer reads it alike.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

import msgspec

Scalar = int | float | bool | str
GroupKey = tuple[str | None, ...]  # one tagged text per breakdown field, None where it is missing


class State(StrEnum):
    """A mergeable state that a share computes; several calculations may need the same one."""

    COUNT = "count"  # sum of sample rates (of the events that have the field, if one is named)
    NUMBER = "number"  # sums, weights, smallest and largest of the numeric reading
    DISTINCT = "distinct"  # the smallest hashes of the values
    QUANTILE = "quantile"  # (value, weight) pairs
    FIELD = "field"  # sum of sample rates, latest time, some frequent values


class FilterOp(StrEnum):
    """The vendor's filter operators, regular expressions, and groups of filters."""

    EQ = "="
    NE = "!="
    GT = ">"
    GE = ">="
    LT = "<"
    LE = "<="
    STARTS = "starts-with"
    NOT_STARTS = "does-not-start-with"
    ENDS = "ends-with"
    NOT_ENDS = "does-not-end-with"
    EXISTS = "exists"
    NOT_EXISTS = "does-not-exist"
    CONTAINS = "contains"
    NOT_CONTAINS = "does-not-contain"
    IN = "in"
    NOT_IN = "not-in"
    MATCHES = "matches"  # a regular expression (RE2) somewhere in the text
    NOT_MATCHES = "does-not-match"
    ALL_OF = "all-of"  # groups: every filter inside, at least one, or none of them
    ANY_OF = "any-of"
    NONE_OF = "none-of"


GROUP_OPS = (FilterOp.ALL_OF, FilterOp.ANY_OF, FilterOp.NONE_OF)


class Need(msgspec.Struct, frozen=True):
    """One state over one field (empty name only with COUNT: every event)."""

    state: State
    field: str | None = None


class Filter(msgspec.Struct, frozen=True, omit_defaults=True):
    """One condition, or a group of them. values: one, several for in/not-in, none for exists.
    inside: only of a group, which has no field and no values.

    A group is told by its operator: an indexer of an older version refuses a plan that has one,
    instead of leaving it out.
    """

    field: str
    op: FilterOp
    values: tuple[Scalar, ...] = ()
    inside: tuple["Filter", ...] = ()


def filter_fields(filters: Iterable[Filter]) -> set[str]:
    """Every field that the filters name, also within groups."""
    named: set[str] = set()
    for one in filters:
        named |= filter_fields(one.inside) if one.op in GROUP_OPS else {one.field}
    return named


class RowPosition(NamedTuple):
    """Where a row stands among all rows: by time, then by its place in the log. The order is the
    same on twins, and no two rows have the same. place: of the event within its record.
    """

    time_ns: int
    partition: int
    epoch_number: int
    offset: int
    place: int


class RowsWanted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A plan for the rows themselves: the first `limit` in their order after the position `after`
    (None: from the beginning), fewer where their data takes more than `bytes_max`.

    fields: only these, None for all. oldest: rising positions, else falling ones.
    """

    limit: int
    bytes_max: int
    fields: tuple[str, ...] | None = None
    oldest: bool = False
    after: RowPosition | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one share computes.

    start_ns, end_ns: event time, half open. step_ns: width of a series step, None for totals.
    needs: states in order. any_filter: one matching filter is enough (OR).
    at_least: per partition, the end offset that the share should wait for (up to wait_ms), in the
    log of the epoch `log`: offsets of one log say nothing about another.
    upto: per partition, rows at or beyond this offset are left out, so that the series see exactly
    the rows of the totals. groups: only these groups, None for all.
    counted, left_out: by partition, the places (epoch number, offset) of undecided batches that
    count, and that do not; any other is left out and reported. only_counted: nothing but those.
    rows: the rows themselves are asked for; there are no needs, breakdowns or steps then.
    env, key: ids of who asks, for fair turns; the answer does not depend on them.
    """

    dataset: str
    start_ns: int
    end_ns: int
    needs: tuple[Need, ...]
    breakdowns: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    any_filter: bool = False
    step_ns: int | None = None
    log: str = ""
    at_least: dict[int, int] = {}
    upto: dict[int, int] = {}
    groups: tuple[GroupKey, ...] | None = None
    counted: dict[int, tuple[tuple[int, int], ...]] = {}
    left_out: dict[int, tuple[tuple[int, int], ...]] = {}
    only_counted: bool = False
    wait_ms: int = 0
    timeout_ms: int = 30_000
    rows: RowsWanted | None = None
    env: str = ""
    key: str = ""


class ShareRequest(msgspec.Struct, frozen=True):
    """Body of `POST /internal/share`."""

    plan: Plan
    partitions: tuple[int, ...]


def state_fields(plan: Plan) -> set[str]:
    """Every field that the plan names."""
    named = {need.field for need in plan.needs if need.field is not None}
    if plan.rows is not None:
        named |= set(plan.rows.fields or ())
    return named | set(plan.breakdowns) | filter_fields(plan.filters)
