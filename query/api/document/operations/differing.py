"""Operations that show what some events are like: in which fields they differ, and their traces."""

from typing import Final

from common import limits
from query.api.document.operation import Operation
from query.api.document.schema import (
    any_of,
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
from query.api.document.shared import AFTER, CONDITIONS, REQUIRED_COVERAGE

_SIDE: Final = members({"events": whole(0), "stored": whole(0)}, required=("events", "stored"))
_PART: Final = members(
    {"events": whole(0), "share": number(0, 1)},
    required=("events", "share"),
    about="Events of one side, weighted by sample rates, and their share of it.",
)
_PARTS: Final = {"inside": _PART, "outside": _PART}
_QUARTILES: Final = members(
    {name: or_null(number()) for name in ("median", "p25", "p75", "spread")},
    required=("median", "p25", "p75", "spread"),
)
_RANKED: Final = {
    "name": text(),
    "score": number(0, 1, about="How much it differs beyond chance."),
    "confidence": number(0, 1),
    "sampled": flag("Whether its values were counted in a part of the events."),
    "missing": members(_PARTS, required=("inside", "outside")),
}
_OF_VALUES: Final = {
    **_RANKED,
    "kind": one_of("values"),
    "values": listed(
        members({"value": any_of(text(), number(), flag()), **_PARTS},
                required=("value", "inside", "outside"))
    ),
    "others": members(
        {"values": whole(0, about="How many."), **_PARTS}, required=("values", "inside", "outside")
    ),
}  # fmt: skip
_OF_NUMBERS: Final = {
    **_RANKED,
    "kind": one_of("numbers"),
    "inside": _QUARTILES,
    "outside": _QUARTILES,
    "histogram": listed(
        members({"from": number(), "to": number(), **_PARTS},
                required=("from", "to", "inside", "outside")),
        about="The first and the last bin have what is beyond them.",
    ),
}  # fmt: skip
_REQUIRED: Final = ("name", "score", "confidence", "sampled", "missing", "kind")
_REQUIRED_OF: Final = {
    "values": (*_REQUIRED, "values"),
    "numbers": (*_REQUIRED, "inside", "outside", "histogram"),
}
_FIELD: Final = any_of(
    members(_OF_VALUES, required=_REQUIRED_OF["values"]),
    members(_OF_NUMBERS, required=_REQUIRED_OF["numbers"]),
)
_WHY: Final = {
    "why": one_of("selection", "follows"),
    "from": text(about="The field that it follows from."),
}
_SAME: Final = any_of(
    members({**_OF_VALUES, **_WHY}, required=(*_REQUIRED_OF["values"], "why")),
    members({**_OF_NUMBERS, **_WHY}, required=(*_REQUIRED_OF["numbers"], "why")),
)
_SELECTION: Final = members(
    {
        **CONDITIONS,
        "start_time": whole(about="Unix seconds, of a box of a heatmap."),
        "end_time": whole(about="Exclusive."),
        "ranges": listed(
            members(
                {"column": text(), "from": number(), "to": number(about="Exclusive.")},
                required=("column",),
                closed=True,
            ),
            most=limits.QUERY_LIST_ITEMS_MAX,
        ),
        "groups": listed(
            members({}, about="A value by breakdown; null: the field is missing."),
            most=limits.QUERY_LIST_ITEMS_MAX,
        ),
    },
    closed=True,
    about="Events inside meet all of it, and one of the groups.",
)

DIFFERENCES: Final = Operation(
    "post",
    "/bw/1/differences",
    "differences",
    "Questions",
    "In which fields some events of a query differ from its other events.",
    {
        200: members(
            {
                "inside": _SIDE,
                "outside": _SIDE,
                "fields": listed(_FIELD, about="Those that differ most first."),
                "same": listed(_SAME, about="Of the selection, or following from it."),
                "looked_at": whole(0),
                "differing": whole(0),
                "left_out": whole(0),
                "start": text(),
                "end": text(),
                "coverage": ref("Coverage"),
                "notes": listed(text()),
            },
            required=("inside", "outside", "fields", "same", "coverage", "notes"),
        )
    },
    members(
        {
            "dataset": text(least=1, about="A dataset's name, or `__all__`."),
            "query": members({}, about="A query specification; its filters and range count."),
            "selection": any_of(listed(ref("Filter"), about="Filters."), _SELECTION),
            "fields": listed(text(), least=1, most=limits.DIFFERENCES_FIELDS_MAX),
            "match": text(most=limits.FIELD_PATTERN_CHARS_MAX, about="A part, or * and ?."),
            "limit": whole(1, limits.DIFFERENCES_FIELDS_MAX),
            **REQUIRED_COVERAGE,
        },
        required=("dataset", "selection"),
        closed=True,
    ),
    parameters=(AFTER,),
)

_EXAMPLE: Final = or_null(
    members(
        {
            "trace_id": text(),
            "span_id": or_null(text()),
            "value": or_null(number(about="The number that it was chosen by.")),
        },
        required=("trace_id", "span_id", "value"),
    )
)
_ANSWER: Final = members(
    {
        "slowest": _EXAMPLE,
        "typical": _EXAMPLE,
        "failed": _EXAMPLE,
        "median": or_null(number()),
        "events": number(0, about="How many of the events are in a trace."),
        "start": text(),
        "end": text(),
        "coverage": ref("Coverage"),
        "notes": listed(text()),
    },
    required=("slowest", "typical", "failed", "median", "events", "coverage", "notes"),
)

EXAMPLE_TRACES: Final = Operation(
    "post",
    "/bw/1/traces/examples",
    "exampleTraces",
    "Traces",
    "Of some events, a trace of the slowest, of one near the median, and of one that failed.",
    {200: _ANSWER},
    members(
        {
            "dataset": text(least=1, about="A dataset's name, or `__all__`."),
            "query": ref("Query"),
            "column": text(about="Whose numbers are compared; durations unless given."),
            **REQUIRED_COVERAGE,
        },
        required=("dataset",),
    ),
    parameters=(AFTER,),
)
