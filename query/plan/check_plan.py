"""What a plan of another role must keep to, besides its form: query roles send no other.

Without these checks an indexer would answer something else (partitions twice, groups cut short), or
fail with an error that says nothing.
"""

from collections.abc import Iterable, Sequence

from common import limits
from common.errors import BadRequest
from query.expressions.check import check_expression
from query.patterns import pattern_fault
from query.plan.calculated import uses_of
from query.plan.parts.conditions import GROUP_OPS, Filter, FilterOp
from query.plan.parts.spans import KeyJoin, Kin, SpanQuery, SpansPer
from query.plan.plan import (
    DifferencesWanted,
    InstanceColumn,
    InstancesWanted,
    Plan,
    ShareRequest,
    State,
)
from query.plan.read.filters import LISTS, PATTERNS, UNARY
from segment.columns import FieldType


def check_request(request: ShareRequest) -> None:
    """Raises BadRequest."""
    plan = request.plan
    if len(set(request.partitions)) < len(request.partitions):
        raise BadRequest("a share of each partition is asked for once")
    if plan.step_ns is not None and plan.step_ns < 1:
        raise BadRequest("a step takes a nanosecond or more")
    if plan.rows is not None and plan.rows.limit < 1:
        raise BadRequest("one row or more is asked for")
    if any(len(group) != len(plan.breakdowns) for group in plan.groups or ()):
        raise BadRequest("a group has a key for each breakdown")
    ids = [one.id for one in plan.datasets]
    if ids and (plan.dataset or plan.spans is not None or len(set(ids)) < len(ids)):
        raise BadRequest("a plan names one dataset, or several of which each is there once")
    if (plan.joins or (plan.reads_ends and plan.spans is None)) and not ids:
        raise BadRequest("a plan that joins events, or reads their ends, names its datasets")
    if plan.by_end and (plan.overlapping or plan.spans is not None):
        raise BadRequest("a range is one of starts, of ends, or of what overlaps it")
    _check_calculated(plan)
    _check_needs(plan)
    _check_filters(plan.filters)
    if plan.spans is not None:
        _check_spans(plan.spans)
    if plan.differences is not None:
        _check_differences(plan.differences)
    if plan.instances is not None:
        _check_instances(plan, plan.instances)


def _check_calculated(plan: Plan) -> None:
    """Each expression is sound, and uses only fields before it."""
    names = [one.name for one in plan.calculated]
    if len(set(names)) < len(names):
        raise BadRequest("each calculated field is there once")
    for at, one in enumerate(plan.calculated):
        fault = check_expression(one.expression)
        if fault is not None:
            raise BadRequest(f"not an expression: {fault}")
        if not set(names[at:]).isdisjoint(uses_of(one.expression)):
            raise BadRequest("a calculated field uses those before it")


def _check_differences(wanted: DifferencesWanted) -> None:
    if len(set(wanted.fields)) < len(wanted.fields):
        raise BadRequest("the distribution of each field is asked for once")
    if len(wanted.fields) > limits.DIFFERENCES_FIELDS_MAX:
        raise BadRequest(f"at most {limits.DIFFERENCES_FIELDS_MAX} fields are asked for at once")
    if not 0 <= wanted.sample <= limits.DIFFERENCES_SAMPLE_MAX:
        raise BadRequest(f"at most {limits.DIFFERENCES_SAMPLE_MAX} events are drawn")
    _check_filters(wanted.selection)


def _check_instances(plan: Plan, wanted: InstancesWanted) -> None:
    if plan.needs or plan.breakdowns or plan.step_ns is not None or not plan.datasets:
        raise BadRequest("instances are asked for alone, with the definitions of their datasets")
    if min(wanted.rows_max, wanted.bytes_max, wanted.margin_ns) < 0:
        raise BadRequest("a share has no less than nothing")
    if not set(wanted.columns) <= set(InstanceColumn):
        raise BadRequest("instances have other columns")


def _check_spans(spans: SpanQuery) -> None:
    if not spans.datasets or len({one.id for one in spans.datasets}) < len(spans.datasets):
        raise BadRequest("spans of one dataset or more are asked for, of each once")
    if min(spans.rows_max, spans.bytes_max) < 0:
        raise BadRequest("a share has no less than nothing")
    if spans.per is SpansPer.MARKS and not (spans.marks or spans.kin or spans.values):
        raise BadRequest("one mark or more is asked for")
    if spans.with_data and (spans.per is not SpansPer.SPAN or spans.joins):
        raise BadRequest("only rows of single spans that are not joined have all fields")
    if any(one.kin is Kin.TRACE for one in spans.kin):
        raise BadRequest("kin are parents or children")
    if any(not one.fields or one.kin is Kin.CHILD for one in spans.values):
        raise BadRequest("values of one field or more are asked for, of roots or parents")
    for one in spans.conditions:
        _check_filters(one.filters)


def check_keys(request: ShareRequest, columns: Sequence[Sequence[str]]) -> None:
    """columns: names of the columns of each table of keys. Raises BadRequest."""
    plan = request.plan
    joins = plan.joins if plan.spans is None else plan.spans.joins
    if len(joins) != len(columns) or not all(map(_fits, joins, columns)):
        raise BadRequest("a table of keys comes with each join of the plan, and no other")


def _fits(join: KeyJoin, columns: Sequence[str]) -> bool:
    keys = ["trace_id"] if join.kin is Kin.TRACE else ["trace_id", "id"]
    values = {f"v{at}_{one.value}" for at, _ in enumerate(join.fields) for one in FieldType}
    return list(columns[: len(keys)]) == keys and values.issuperset(columns[len(keys) :])


def _check_needs(plan: Plan) -> None:
    wanted = plan.open_spans
    if (wanted is None) == any(need.state is State.CONCURRENCY for need in plan.needs):
        raise BadRequest("how open spans are counted is said where they are, and only there")
    if wanted is not None and min(wanted.part_ns, wanted.before_ns + 1) < 1:
        raise BadRequest("a part of a step takes a nanosecond or more")
    for need in plan.needs:
        if need.field is None and need.state not in (State.COUNT, State.CONCURRENCY):
            raise BadRequest(f"{need.state.value} needs a field")
        _check_filters(need.filters)


def _check_filters(filters: Iterable[Filter]) -> None:
    for one in filters:
        if one.op in GROUP_OPS:
            if not one.inside:
                raise BadRequest("a group has at least one filter")
            _check_filters(one.inside)
        else:
            _check_values(one)


def _check_values(one: Filter) -> None:
    wanted = 0 if one.op in UNARY else 1
    if one.op is FilterOp.SEARCH and (one.field or one.values in ((), ("",))):
        raise BadRequest("a search has a text and no field")
    if one.op not in LISTS and len(one.values) != wanted:
        raise BadRequest(f"{one.op.value} has {len(one.values)} values, not {wanted}")
    if one.op in PATTERNS:
        why = pattern_fault(str(one.values[0]))
        if why is not None:
            raise BadRequest(f"not a regular expression: {why}")
