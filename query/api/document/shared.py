"""Schemas and parameters that many operations have: problems, conditions, times, coverage."""

from typing import Final

from common import limits
from query.api.document.operation import Parameter
from query.api.document.schema import (
    Schema,
    any_of,
    anything,
    flag,
    listed,
    members,
    number,
    one_of,
    or_null,
    ref,
    text,
    whole,
)
from query.plan.operations import SUPPORTED_OPS
from query.plan.parts.conditions import GROUP_OPS, FilterOp
from query.plan.read.spec import TIME_S_MAX, TIME_S_MIN
from query.plan.spec import HavingOp

DATASET: Final = Parameter(
    "dataset",
    "path",
    text(least=1, most=limits.DATASET_NAME_CHARS_MAX),
    "A dataset's name or slug, in any case; `__all__` where all may be asked.",
)
AFTER: Final = Parameter(
    "X-Bellwether-After",
    "header",
    text(),
    "Receipts of ingest answers whose events the answer must include.",
)


def identity(about: str) -> Parameter:
    """The id in the path."""
    return Parameter("id", "path", text(least=1), about)


def in_query(name: str, schema: Schema, about: str) -> Parameter:
    """A parameter of the query string."""
    return Parameter(name, "query", schema, about)


_CODES: Final = ("missing", "incorrect_type", "invalid", "already_exists")
_VALUE: Final = any_of(text(), number(), flag())
_COLUMN: Final = text(least=1, about="A field's name.")
_OPS: Final = [one.value for one in FilterOp if one not in GROUP_OPS]
_SECONDS: Final = whole(TIME_S_MIN, TIME_S_MAX, "Unix seconds.")

CONDITIONS: Final[dict[str, Schema]] = {
    "filters": listed(ref("Filter"), most=limits.QUERY_LIST_ITEMS_MAX),
    "filter_combination": one_of("AND", "OR", about="AND unless given."),
}
TIMES: Final[dict[str, Schema]] = {
    "start_time": _SECONDS,
    "end_time": _SECONDS,
    "time_range": whole(1, TIME_S_MAX, "Seconds; two hours unless given."),
}
# Which events a question is about.
POPULATION: Final[dict[str, Schema]] = {**CONDITIONS, **TIMES}
REQUIRED_COVERAGE: Final[dict[str, Schema]] = {
    "after": text(about="As the header X-Bellwether-After."),
    "coverage": one_of(
        "wait",
        "require",
        "accept",
        about="Wait for the receipts (unless given), refuse an incomplete answer, or do not wait.",
    ),
}

COMPONENTS: Final[dict[str, Schema]] = {
    "Error": members({"error": text()}, required=("error",)),
    "Problem": members(
        {
            "status": whole(),
            "type": text(about="An address under the server's own `/problems/`."),
            "title": text(),
            "error": text(),
            "detail": text(),
            "type_detail": listed(ref("Fault")),
        },
        required=("status", "type", "title", "error", "detail"),
        about="RFC 9457, with the vendor's `error`.",
    ),
    "Fault": members(
        {
            "field": text(about="The member of the body that it is about."),
            "code": one_of(*_CODES),
            "description": text(),
        },
        required=("field", "code", "description"),
    ),
    "SeriesColumns": members(
        {
            "times": listed(whole(), about="When its steps begin, in unix seconds, ascending."),
            "groups": listed(
                members(
                    {
                        "data": members({}, about="The group's values by breakdown."),
                        "steps": listed(
                            whole(0),
                            about="Places in `times` of the group's steps; without it, all.",
                        ),
                        "values": {
                            "type": "object",
                            "additionalProperties": listed(anything()),
                            "description": "By label of a calculation, a value for each step.",
                        },
                    },
                    required=("data", "values"),
                )
            ),
        },
        required=("times", "groups"),
        about='A series with `series_form` "columns": the values that its rows would have.',
    ),
    "Coverage": members(
        {
            "complete": flag("Whether every partition answered with all that was asked for."),
            "partitions": listed(
                members(
                    {
                        "partition": whole(0),
                        "complete": flag(),
                        "reason": text(about="Why it is not; may be empty."),
                    },
                    required=("partition", "complete"),
                )
            ),
            "state_bytes": whole(0),
            "rows_read": whole(0, about="Events that were looked at."),
            "bytes_read": whole(0, about="The size of what holds them, as it is stored."),
        },
        required=("complete", "partitions"),
        about="What the answer includes, by partition (docs/query.md).",
    ),
    "Filter": any_of(
        members(
            {
                "column": text(about="A field's name."),
                "op": one_of(*_OPS),
                "value": any_of(_VALUE, listed(_VALUE, most=limits.FILTER_VALUES_MAX)),
            },
            required=("op",),
        ),
        members(
            {
                "filter_combination": one_of("AND", "OR", "NONE"),
                "filters": listed(ref("Filter"), least=1, most=limits.QUERY_LIST_ITEMS_MAX),
            },
            required=("filters",),
        ),
        about="A condition, or a group of conditions.",
    ),
    "Calculation": members(
        {
            "op": one_of(*SUPPORTED_OPS),
            "column": _COLUMN,
            "name": text(about="The key of its values in the results."),
            "hidden": flag("Whether rows leave it out: formulas, orders and havings may use it."),
            **CONDITIONS,
        },
        required=("op",),
        about="COUNT needs no column. Filters are those of this calculation alone.",
    ),
    "Formula": members(
        {
            "name": text(least=1, most=limits.COLUMN_TEXT_CHARS_MAX),
            "expression": text(least=1, most=limits.EXPRESSION_CHARS_MAX),
        },
        required=("name", "expression"),
        about="An expression over calculations by their labels, `$errors / $total`.",
    ),
    "Order": members(
        {
            "op": one_of(*SUPPORTED_OPS),
            "column": _COLUMN,
            "order": one_of("ascending", "descending"),
        },
        about="Without `op`, `column` is a breakdown or the name of a calculation or formula.",
    ),
    "Having": any_of(
        members(
            {
                "calculate_op": one_of(*(op for op in SUPPORTED_OPS if op != "HEATMAP")),
                "column": _COLUMN,
                "op": one_of(*(one.value for one in HavingOp)),
                "value": number(),
            },
            required=("op", "value"),
        ),
        ref("Filter"),  # on a column of instances, beside `per`
    ),
    "CalculatedField": members(
        {
            "name": text(least=1, most=limits.COLUMN_TEXT_CHARS_MAX),
            "expression": text(
                least=1,
                most=limits.EXPRESSION_CHARS_MAX,
                about="What computes it (docs/calculated-fields.md).",
            ),
        },
        required=("name", "expression"),
    ),
    "Query": members(
        {
            "calculations": listed(ref("Calculation"), most=limits.QUERY_LIST_ITEMS_MAX),
            **CONDITIONS,
            "formulas": listed(ref("Formula"), most=limits.QUERY_LIST_ITEMS_MAX),
            "breakdowns": listed(_COLUMN, most=limits.QUERY_LIST_ITEMS_MAX),
            "orders": listed(ref("Order"), most=limits.QUERY_LIST_ITEMS_MAX),
            "havings": listed(ref("Having"), most=limits.QUERY_LIST_ITEMS_MAX),
            "limit": whole(1, limits.QUERY_LIMIT_NO_SERIES_MAX),
            **TIMES,
            "time_axis": one_of(
                "start", "end", about="By which time of events the range and the steps run."
            ),
            "per": text(about="A field whose values are instances, as trace.trace_id."),
            "calculated_fields": listed(ref("CalculatedField"), most=limits.QUERY_LIST_ITEMS_MAX),
            "granularity": whole(0, about="Seconds of a step; chosen unless given."),
            "compare_time_offset_seconds": whole(
                0, limits.COMPARE_OFFSET_S_MAX, about="How much earlier the compared range begins."
            ),
            "usage_mode": flag("Whether each event counts once, whatever its sample rate."),
        },
        about="The vendor's query specification, and what Bellwether adds (docs/query.md).",
    ),
    "StoredQuery": members(
        {"id": text()}, required=("id",), about="A specification, unchanged, with its id."
    ),
    "Row": members(
        {
            "time": text(),
            "samplerate": whole(1),
            "dataset": text(about="Where all datasets are asked."),
            "data": members({}),
        },
        required=("time", "samplerate", "data"),
        about="An event, as POST /1/batch takes it.",
    ),
}


def page(items: Schema, name: str) -> Schema:
    """One page of an answer of Bellwether's own API."""
    known = {
        name: listed(items),
        "next": or_null(text()),
        "coverage": ref("Coverage"),
        "notes": listed(text()),
    }
    return members(known, required=(name, "next"))
