"""The plan that is sent to the indexers, made once per query from its specification.

A plan has only absolute times, names and values, so that every indexer computes it alike.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from common.process.versions import PLAN_JOINED, PLAN_QUESTIONS, PLAN_SPANS, VersionedRequest
from query.plan.parts.conditions import Filter, GroupKey, filter_fields, searched_texts
from query.plan.parts.spans import DEFAULT_NAMES, KeyJoin, SpanDataset, SpanQuery


class State(StrEnum):
    """Kinds of mergeable states that a share computes; calculations may have one in common."""

    COUNT = "count"  # sum of sample rates (of the events that have the field, if one is named)
    NUMBER = "number"  # sums, weights, smallest and largest of the values read as numbers
    DISTINCT = "distinct"  # the smallest hashes of the values
    QUANTILE = "quantile"  # (value, weight) pairs
    FIELD = "field"  # sum of sample rates, latest time, some frequent values
    HEATMAP = "heatmap"  # (bin of a fixed logarithmic grid, weight) pairs
    CONCURRENCY = "concurrency"  # starts and ends of spans per part of a step


class Need(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A state over a field. Only COUNT and CONCURRENCY need no field.

    filters, any_filter: only events that match these too, as in a plan.
    """

    state: State
    # a default of this kind is always written, as programs write it that know no other members
    field: str | None = msgspec.field(default_factory=lambda: None)
    filters: tuple[Filter, ...] = ()
    any_filter: bool = False


class CalculatedField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field that is computed from others of the same event.

    expression: its source (`query.expressions`), which the query role has checked.
    """

    name: str
    expression: str


def plan_searches(plan: "Plan") -> tuple[str, ...]:
    """Every text that the plan searches for, in order, each once."""
    parts: list[Iterable[Filter]] = [plan.filters, *(need.filters for need in plan.needs)]
    if plan.spans is not None:
        parts += [one.filters for one in plan.spans.marks]
        parts += [one.filters for one in plan.spans.kin]
    if plan.differences is not None:
        parts.append(plan.differences.selection)
    return tuple(sorted({text for filters in parts for text in searched_texts(filters)}))


class RowPosition(NamedTuple):
    """The position of a row in the order of all rows: by time, then by its position in the log.

    All indexers have the same order, and no two rows have the same position.
    index_in_record: index of the event within its record.
    """

    time_ns: int
    partition: int
    epoch_number: int
    offset: int
    index_in_record: int


class RowsWanted(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """A request for rows: the first `limit` after the position `after`, or fewer if their data
    exceeds `bytes_max`.

    fields: fields to return; None: all.
    oldest: whether positions ascend; else they descend.
    after: None: from the first row.
    """

    limit: int
    bytes_max: int
    fields: tuple[str, ...] | None = None
    oldest: bool = False
    after: RowPosition | None = None


class InstanceColumn(StrEnum):
    """Columns that every instance has, beside the value that its events have in common."""

    START = "start"  # of its first event, in unix seconds
    END = "end"  # of whatever ended last: time and duration
    EXTENT = "extent_ms"  # between the two
    SPANS = "spans"  # its events, without those that only annotate a span
    ERRORS = "errors"  # of these, those that failed
    LAST_STEP = "last_step"  # the name of the one that began last
    PARTIAL = "partial"  # whether some of its events lie just outside of the range


class InstancesWanted(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """A request for one row per instance: per value of a field.

    field: whose values are the instances.
    columns: those of `InstanceColumn` that are needed.
    fields: whose first value of each instance is returned.
    margin_ns: how far outside of the range an instance is looked for that lies partly in it.
    rows_max, bytes_max: a share with more is refused.
    """

    field: str
    rows_max: int
    bytes_max: int
    columns: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    margin_ns: int = 0


class DifferencesWanted(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """A request for how the values of fields are distributed inside and outside of a selection.

    selection: filters that all events inside match. inside: range of their times, half open, in
    unix ns.
    sample: if above 0, no distributions but at most about so many events of each side, drawn at
    random, with their values of the fields.
    """

    fields: tuple[str, ...]
    selection: tuple[Filter, ...] = ()
    inside: tuple[int, int] | None = None
    sample: int = 0

    @property
    def every_field(self) -> set[str]:
        """The names of all fields that are read, but for those of the plan's filters."""
        return set(self.fields) | filter_fields(self.selection)


PARTS_PER_STEP: Final = 16  # in which starts and ends of open spans are counted


class OpenSpansWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How CONCURRENCY is counted: by parts of steps, also in a plan of totals.

    part_ns: width of a part, a sixteenth of a step.
    before_ns: spans that began so long before the range are read, too.
    """

    part_ns: int
    before_ns: int

    def base_ns(self, plan: "Plan") -> int:
        """Start of the first part, which is that of the step that includes the plan's start."""
        step_ns = self.part_ns * PARTS_PER_STEP
        return plan.start_ns // step_ns * step_ns


class Plan(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """The computation of one share.

    start_ns, end_ns: range of event times, half open, in unix ns.
    needs: the states to compute, in order.
    any_filter: whether one matching filter is enough (OR).
    step_ns: width of a series step; None for totals.
    log: the log epoch of the offsets in `at_least`.
    at_least: by partition, the end offset that the share waits for, at most wait_ms.
    upto: by partition, rows at or after this offset are left out, so that the series see exactly
        the rows of the totals.
    groups: the groups to compute; None: all.
    counted, left_out: by partition, (epoch number, offset) of undecided batches that count, and
        of those that do not. Any other undecided batch is left out and reported.
    only_counted: whether only the rows of the batches in `counted` are read.
    rows: request for rows; needs, breakdowns and steps are empty then.
    spans: request for spans, likewise; its datasets are read, and `dataset` is empty.
    datasets: of a plan over several datasets, or one that needs definitions; `dataset` is empty.
    calculated: fields that take the place of stored ones of these names; one may use those before.
    joins: one for each table of keys that comes with the request: only events with these keys are
        read.
    by_end: whether the range and the steps are those of ends: time and duration, by definition.
    overlapping: whether events are read that lie in the range for some time.
    unweighted: whether each event counts once, whatever its sample rate.
    instances: request for one row per instance; needs and steps are empty then.
    differences: request for distributions; needs, breakdowns and steps are empty then.
    open_spans: of a plan with CONCURRENCY; None: it has none.
    env, key: ids of the environment and key, for fair turns; the answer does not depend on them.
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
    spans: SpanQuery | None = None
    datasets: tuple[SpanDataset, ...] = ()
    calculated: tuple[CalculatedField, ...] = ()
    joins: tuple[KeyJoin, ...] = ()
    by_end: bool = False
    overlapping: bool = False
    unweighted: bool = False
    instances: InstancesWanted | None = None
    differences: DifferencesWanted | None = None
    open_spans: OpenSpansWanted | None = None
    env: str = ""
    key: str = ""

    @property
    def reads_ends(self) -> bool:
        """Whether events that started before the range may be read."""
        return self.by_end or self.overlapping


class ShareRequest(VersionedRequest, frozen=True):
    """Body of `POST /internal/share`."""

    plan: Plan
    partitions: tuple[int, ...]


def state_fields(plan: Plan) -> set[str]:
    """Every field that is read of events."""
    return named_of_events(plan) | part_fields(plan)


def named_of_events(plan: Plan) -> set[str]:
    """Every field that the plan names, but for those that come with its joins."""
    return asked_fields(plan) - {name for join in plan.joins for name in join.fields}


def part_fields(plan: Plan) -> set[str]:
    """The fields that hold the parts of spans that the plan needs, by its definitions."""
    if plan.spans is not None:
        return set[str]().union(*(one.names.every for one in plan.spans.datasets))
    found = set[str]()
    for names in [one.names for one in plan.datasets] or [DEFAULT_NAMES]:
        if plan.instances is not None:
            found |= names.every
        if plan.reads_ends:
            found |= set(names.duration_ms)
        if plan.open_spans is not None:
            found |= {*names.duration_ms, *names.annotation}
        if plan.joins:
            found |= {*names.trace_id, *names.span_id, *names.parent_id}
    return found


def asked_fields(plan: Plan) -> set[str]:
    """Every field that the plan names, some of which may come with its joins."""
    named = {need.field for need in plan.needs if need.field is not None}
    named = named.union(*(filter_fields(need.filters) for need in plan.needs))
    if plan.rows is not None:
        named |= set(plan.rows.fields or ())
    if plan.spans is not None:
        named |= plan.spans.every_field
    if plan.differences is not None:
        named |= plan.differences.every_field
    if plan.instances is not None:
        named |= {plan.instances.field, *plan.instances.fields}
    return named | set(plan.breakdowns) | filter_fields(plan.filters)


def version_needed(plan: Plan) -> int:
    """The oldest version of requests in which the plan can be sent (`Understands.plan`)."""
    if plan.joins and (plan.instances is not None or plan.differences is not None):
        return PLAN_JOINED
    if _asks_more(plan):
        return PLAN_QUESTIONS
    return 1 if plan.spans is None else PLAN_SPANS


def _asks_more(plan: Plan) -> bool:
    """Whether the plan has a part that programs before `PLAN_QUESTIONS` do not know."""
    if plan.spans is not None and plan.spans.values:
        return True
    if plan.datasets or plan.calculated or plan.joins or plan.instances is not None:
        return True
    if plan.differences is not None:
        return True
    if plan_searches(plan) or plan.reads_ends or plan.unweighted:
        return True
    if any(need.filters for need in plan.needs):
        return True
    new_states = (State.HEATMAP, State.CONCURRENCY)
    return any(need.state in new_states for need in plan.needs)
