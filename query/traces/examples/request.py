"""The request of `POST /bw/1/traces/examples`, and the questions that it stands for.

Each is a query like any other whose groups are the spans of the events: by the greatest number, by
the distance from the median, and of those that failed. Which fields are a trace's id, a span's id,
its duration and its failure is what the dataset defines.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from query.faults import SpecError
from query.plan.parts.conditions import Filter, FilterOp
from query.plan.parts.spans import SpanNames
from query.plan.plan import CalculatedField
from query.plan.read.axis import QUERY_AXES
from query.plan.read.checks import column_of
from query.plan.read.prefixed import Prefixed
from query.plan.read.spec import read_spec
from query.plan.spec import Calculation, Order, QuerySpec

MEMBERS: Final = ("dataset", "query", "column", "after", "coverage")
# Of a query, what says which events it is about; the rest has no part here.
_OF_EVENTS: Final = (
    "filters", "filter_combination", "start_time", "end_time", "time_range", "time_axis",
    "calculated_fields",
)  # fmt: skip

# Names of calculated fields: no event has them, as their blanks stand in no client's names.
TRACE: Final = "the example's trace"
SPAN: Final = "the example's span"
_FAILED: Final = "the example has failed"
_VALUE: Final = "the example's value"
_DISTANCE: Final = "the example's distance"

# Keys of the values in the answers of the questions.
MOST: Final = "most"
MEDIAN: Final = "median"
EVENTS: Final = "events"
NEAREST: Final = "nearest"


@dataclass(frozen=True, slots=True)
class ExamplesRequest:
    """spec: which events. column: the field whose numbers say what is slow; None: durations."""

    spec: QuerySpec
    column: str | None


def read_examples_request(body: dict[str, Any]) -> ExamplesRequest:
    """Read the body of a request. Raises SpecError."""
    for name in body:
        if name not in MEMBERS:
            raise SpecError(name, "invalid", f"is not known here; known: {', '.join(MEMBERS)}")
    prefixed = Prefixed("query")
    query = prefixed.value_of({} if body.get("query") is None else body["query"])
    kept = {name: value for name, value in query.items() if name in _OF_EVENTS}
    with prefixed:
        if query.get("per") is not None:
            raise SpecError("per", "invalid", "events are in traces, not instances: leave it out")
        spec = read_spec(kept, QUERY_AXES)
    column = body.get("column")
    return ExamplesRequest(spec, None if column is None else column_of(column, "column"))


def slowest_of(wanted: ExamplesRequest, names: SpanNames) -> QuerySpec:
    """The span with the greatest number; the row over all has the median and the number of events
    that are in a trace.
    """
    value = _value(wanted, names)
    return _by_span(
        wanted,
        names,
        [value],
        (
            Calculation("MAX", value.name, MOST),
            Calculation("P50", value.name, MEDIAN),
            Calculation("COUNT", None, EVENTS),
        ),
    )


def failed_of(wanted: ExamplesRequest, names: SpanNames) -> QuerySpec:
    """The same of those that failed: an `error` that is there and not false, or a status 2."""
    value = _value(wanted, names)
    failed = CalculatedField(_FAILED, _failed(names))
    most = (Calculation("MAX", value.name, MOST),)
    return _by_span(wanted, names, [value, failed], most, Filter(_FAILED, FilterOp.EQ, (True,)))


def typical_of(wanted: ExamplesRequest, names: SpanNames, median: float) -> QuerySpec:
    """The span whose number is nearest to the median."""
    value = _value(wanted, names)
    number, middle = _field(value.name), repr(float(median))
    # without an else: what is no number has no distance
    away = (
        f"IF(GTE({number}, {middle}), SUB({number}, {middle}),"
        f" LT({number}, {middle}), SUB({middle}, {number}))"
    )
    measures = (
        Calculation("MIN", _DISTANCE, NEAREST),
        Calculation("MIN", value.name, MOST),
    )
    distance = CalculatedField(_DISTANCE, away)
    return _by_span(wanted, names, [value, distance], measures, descending=False)


def _by_span(
    wanted: ExamplesRequest,
    names: SpanNames,
    fields: list[CalculatedField],
    calculations: tuple[Calculation, ...],
    *more: Filter,
    descending: bool = True,
) -> QuerySpec:
    spec = wanted.spec
    # all conditions of the question, then ours: also where its own are joined by OR
    asked = spec.filters
    if spec.any_filter and asked:
        asked = (Filter("", FilterOp.ANY_OF, (), asked),)
    return replace(
        spec,
        calculations=calculations,
        breakdowns=(TRACE, SPAN),
        filters=(*asked, Filter(TRACE, FilterOp.EXISTS), *more),
        any_filter=False,
        orders=(Order(0, descending),),
        limit=1,
        calculated=(
            *spec.calculated,
            CalculatedField(TRACE, _first(names.trace_id)),
            CalculatedField(SPAN, _first(names.span_id)),
            *fields,
        ),
    )


def _value(wanted: ExamplesRequest, names: SpanNames) -> CalculatedField:
    fields = names.duration_ms if wanted.column is None else (wanted.column,)
    return CalculatedField(_VALUE, _first(fields))


def _failed(names: SpanNames) -> str:
    errors = (
        f'(EXISTS({one}) AND !IN({one}, false, "false", 0, ""))' for one in map(_field, names.error)
    )
    return " OR ".join([*errors, *(f"EQUALS({_field(one)}, 2)" for one in names.status)])


def _first(fields: Iterable[str]) -> str:
    """The expression of the first of these fields that an event has."""
    return f"COALESCE({', '.join(map(_field, fields))})"


def _field(name: str) -> str:
    return f"${json.dumps(name, ensure_ascii=False)}"
