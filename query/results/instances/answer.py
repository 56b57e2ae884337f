"""A question about instances, out of the states of shares: totals and series over their rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import pyarrow as pa

from query.plan.instances import instances_wanted
from query.plan.parts.conditions import filter_fields
from query.plan.plan import Plan
from query.plan.planner import QueryRequest, totals_plan
from query.plan.spec import QuerySpec
from query.results.instances.merge import instance_block, merge_instances, partial_instances
from query.results.notes.type_notes import notes_on_types
from query.results.totals.series import (
    SERIES,
    TOTAL_SERIES,
    merge_at_once,
    merge_series,
    needs_steps,
    no_series,
    series_wanted,
    with_steps,
)
from query.results.totals.totals import Totals, merge_totals
from query.share.compute.computation import Computation
from query.share.compute.database import Databases
from query.share.instances.columns import EDGES
from query.share.view.view import DatasetView

_PARTITION = 0  # the instances are rows of one partition


@dataclass(frozen=True, slots=True)
class InstanceAnswer:
    """The totals with their series. types: by field of instances, the letters of its types.

    spec: the question over the rows of instances.
    instances, partial: the number of all, and of those with events just outside of the range.
    """

    totals: Totals
    types: dict[str, str]
    spec: QuerySpec
    instances: int
    partial: int = 0


def instances_plan(
    query: QueryRequest, margin_ns: int, *, at_least: dict[int, int], wait_ms: int, log: str
) -> Plan:
    """The plan of shares: events that match WHERE, as rows of instances."""
    plan = totals_plan(query, at_least=at_least, wait_ms=wait_ms, log=log)
    wanted = instances_wanted(query.spec, plan.end_ns - plan.start_ns, margin_ns)
    return msgspec.structs.replace(plan, needs=(), breakdowns=(), instances=wanted)


def answer_over_instances(
    query: QueryRequest, plan: Plan, shares: Sequence[dict[str, pa.Table]], databases: Databases
) -> InstanceAnswer:
    """The answer. plan: that of the shares. Raises ShareTooHeavy."""
    wanted = plan.instances
    assert wanted is not None
    merged = merge_instances([states["main"] for states in shares], plan, wanted, databases)
    partial = partial_instances(merged, [states[EDGES] for states in shares if EDGES in states])
    block = instance_block(merged, wanted, partial)
    counts = block.rows, int(partial.sum())
    view = DatasetView(_PARTITION, "", block.rows, 0, (), (block,))
    spec = replace(query.spec, filters=query.spec.per_filters, any_filter=False, per=None)
    over = replace(query, spec=spec, dataset="", datasets=())
    totals_of = msgspec.structs.replace(
        totals_plan(over, at_least={}, wait_ms=0), calculated=(), by_end=False, joins=()
    )

    def states_of(one: Plan) -> Computation:
        return Computation(one, [view], databases)

    if needs_steps(spec):
        by_step = with_steps(over, totals_of)
        answer = states_of(by_step).run()
        at_once = merge_at_once(over, by_step, [answer.states])
        assert at_once is not None
        at_once.data.setdefault(SERIES, no_series(query))
        return InstanceAnswer(at_once, answer.report.types, spec, *counts)
    answer = states_of(totals_of).run()
    totals = merge_totals(over, totals_of, [answer.states])
    if query.with_series:
        for series in series_wanted(over, totals_of, totals, {}):
            states = states_of(series.plan).run().states
            totals.data[series.member] = merge_series(over, series, [states])
        if query.with_total and not spec.breakdowns:
            totals.data[TOTAL_SERIES] = totals.data.get(SERIES, no_series(query))
    totals.data.setdefault(SERIES, no_series(query))
    return InstanceAnswer(totals, answer.report.types, spec, *counts)


def types_of_events(spec: QuerySpec, plan: Plan, types: dict[str, str]) -> dict[str, str]:
    """The types of the fields that the question names: not of those of definitions."""
    assert plan.instances is not None
    named = filter_fields(spec.filters) | {plan.instances.field, *plan.instances.fields}
    return {field: held for field, held in types.items() if field in named}


def notes_on_instances(spec: QuerySpec, found: InstanceAnswer, types: dict[str, str]) -> list[str]:
    """Notes on values that the question could not use. types: of the fields of events."""
    of_events = replace(spec, calculations=(), breakdowns=())
    notes = [*notes_on_types(of_events, types), *notes_on_types(found.spec, found.types)]
    if found.partial:
        notes.append(
            f"{found.partial:,} of {found.instances:,} instances have events just before or after "
            "the range too, which are left out: they are `partial`"
        )
    return notes
