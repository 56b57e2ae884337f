"""Operations about traces: one as a tree, those that are found, how two differ, and flows."""

from typing import Final

from common import limits
from query.api.document.operation import Operation, Parameter
from query.api.document.operations.differing import EXAMPLE_TRACES
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
from query.api.document.shared import AFTER, POPULATION, REQUIRED_COVERAGE, in_query

KINDS: Final = ("span", "missing", "event", "link")
HOW: Final = ("inferred", "announced", "interrupted", "unknown")
WHAT: Final = ("missing", "failed", "added", "repeated", "slower", "recovered", "field")

_COUNTS: Final[Schema] = {"type": "object", "additionalProperties": whole(0)}
_ENDS: Final = {"coverage": ref("Coverage"), "notes": listed(text())}

_OPEN: Final = members(
    {
        "how": one_of(*HOW),
        "known_by": one_of(*HOW),
        "since": text(),
        "last": text(about="The last sign of it."),
        "why": text(),
    },
    required=("how", "known_by", "since", "last", "why"),
    about="Of a span that has not ended, as far as is known.",
)
_LINE: Final = members(
    {
        "kind": one_of(*KINDS),
        "depth": whole(0),
        "span_id": text(about="Of what happened in a span: that span."),
        "start": text(),
        "offset_ms": number(about="From the trace's start."),
        "duration_ms": or_null(number()),
        "spans_below": whole(0),
        "parent_id": or_null(text()),
        "name": text(),
        "service": text(),
        "dataset": text(),
        "error": flag(),
        "error_by": listed(text(), about="Fields that say so."),
        "self_ms": or_null(number(about="In which none of its children ran.")),
        "link": members({"trace_id": text(), "span_id": text()}, required=("trace_id", "span_id")),
        "span_kind": text(),
        "process": text(),
        "marks": listed(text()),
        "outside_parent_ms": number(),
        "message": text(),
        "fields": members({}, about="Those that were asked for, as far as it has them."),
        "open": _OPEN,
    },
    required=("kind", "depth", "span_id", "start", "offset_ms", "duration_ms"),
)
_LINKED: Final = members(
    {
        "trace_id": text(),
        "span_id": text(),
        "own_span_id": text(about="The span of this trace."),
        "start": text(),
        "duration_ms": number(),
        "name": or_null(text()),
        "service": or_null(text()),
        "spans": whole(0),
        "errors": whole(0),
        "note": text(about="Why nothing is known of it."),
    },
    required=("trace_id", "span_id", "own_span_id"),
)

TRACE: Final = members(
    {
        "trace_id": text(),
        "lines": listed(_LINE, about="Each span before those below it."),
        "next": or_null(text(about="The cursor of the next page.")),
        "first_line": whole(0),
        "lines_in_all": whole(0),
        "start": text(),
        "end": text(),
        "duration_ms": number(),
        **{
            name: whole(0)
            for name in (
                "spans", "events", "linked", "errors", "roots", "missing", "outside_parent",
            )
        },
        "open": _COUNTS,
        "marks": _COUNTS,
        "services": _COUNTS,
        "datasets": _COUNTS,
        "judged_at": text(),
        "silent_s": number(),
        "skew_ms": number(),
        "links": members(
            {"from": listed(_LINKED), "to": listed(_LINKED)}, required=("from", "to")
        ),
        **_ENDS,
    },
    required=("trace_id", "lines", "next", "coverage", "notes"),
)  # fmt: skip

_ROOT: Final = members(
    {
        "name": or_null(text()),
        "service": or_null(text()),
        "start": text(),
        "duration_ms": or_null(number()),
        "error": flag(),
    },
    required=("name", "service", "start", "error"),
)
_FOUND: Final = members(
    {
        "trace_id": text(),
        "start": text(),
        "duration_ms": number(),
        "root": or_null(_ROOT),
        "spans": whole(0),
        "errors": whole(0),
        "services": listed(text()),
    },
    required=("trace_id", "start", "duration_ms", "root", "spans", "errors", "services"),
)

TRACES: Final = members(
    {
        "traces": listed(_FOUND),
        "found": whole(0, about="All that were found, of which some are listed."),
        "start": text(),
        "end": text(),
        "margin_s": whole(0, about="Around the range, where other spans were looked for."),
        **_ENDS,
    },
    required=("traces", "found", "margin_s", "coverage", "notes"),
)

_DIFFERENCE: Final = members(
    {
        "what": one_of(*WHAT),
        "name": text(),
        "service": text(),
        "kind": text(),
        "span_id": text(about="Of the trace; of a missing span, of the reference."),
        "start": text(),
        "parent": text(about="Name of the span above it."),
        "spans": whole(0, about="It and those below it."),
        "share": number(about="Of the reference's traces that have it."),
        "field": text(),
        "usual": anything(),
        "found": anything(),
    },
    required=("what", "name", "service", "kind", "span_id", "parent", "spans", "share"),
)

DIFFERENCES_OF_TRACES: Final = members(
    {
        "trace": members({"id": text(), "spans": whole(0)}, required=("id", "spans")),
        "reference": members(
            {"id": text(), "spans": whole(0), "traces": whole(0)},
            required=("id", "spans", "traces"),
        ),
        "counts": _COUNTS,
        "differences": listed(_DIFFERENCE, about="The most telling first."),
        **_ENDS,
    },
    required=("trace", "reference", "counts", "differences", "coverage", "notes"),
)

_TRACES: Final = "Traces"
_NAME: Final = text(least=1)
_TRACE_ID: Final = text(least=1, most=256)
_DATASETS: Final = listed(_NAME, least=1, about="All of the environment unless given.")
_FIELD: Final = Parameter("field", "query", listed(text()), "A field of each line; may be repeated")

OPERATIONS: Final = (
    Operation(
        "get",
        "/bw/1/traces/{trace_id}",
        "trace",
        _TRACES,
        "One trace as a tree.",
        {200: TRACE},
        parameters=(
            Parameter("trace_id", "path", _TRACE_ID),
            _FIELD,
            in_query("limit", whole(1, 10_000), "Lines of a page."),
            in_query("cursor", text(), "`next` of the page before."),
            in_query("links", one_of("true", "false"), "Whether links are followed."),
            in_query("silent_s", number(0), "After which an open span counts as interrupted."),
            in_query("skew_ms", number(0), "What two clocks may differ by."),
            in_query("coverage", REQUIRED_COVERAGE["coverage"], ""),
            in_query("after", text(), ""),
        ),
        errors=(400, 401, 403, 404, 410, 413, 422, 429, 503),
    ),
    Operation(
        "post",
        "/bw/1/traces",
        "searchTraces",
        _TRACES,
        "Traces by what holds of their spans.",
        {200: TRACES},
        members(
            {
                "query": text(about="WHERE, a time range and LIMIT, instead of the members."),
                **POPULATION,
                "datasets": _DATASETS,
                "order": one_of("newest", "slowest", "spans"),
                "limit": whole(1, limits.TRACES_LIMIT_MAX),
                **REQUIRED_COVERAGE,
            }
        ),
        parameters=(AFTER,),
    ),
    Operation(
        "post",
        "/bw/1/traces/compare",
        "compareTraces",
        _TRACES,
        "How a trace differs from another, or from the typical one of many.",
        {200: DIFFERENCES_OF_TRACES},
        members(
            {
                "trace": _TRACE_ID,
                "with": _TRACE_ID,
                "against": any_of(text(), members({})),
                "limit": whole(1, limits.COMPARED_LISTED_MAX),
                **REQUIRED_COVERAGE,
            },
            required=("trace",),
        ),
        parameters=(AFTER,),
    ),
    EXAMPLE_TRACES,
    Operation(
        "post",
        "/bw/1/flows",
        "flows",
        _TRACES,
        "States, what follows what, and which steps ran at the same time.",
        {200: members({"coverage": ref("Coverage")})},
        members(
            {
                **POPULATION,
                "datasets": _DATASETS,
                "instance": _NAME,
                "step": _NAME,
                "next": _NAME,
                "process": _NAME,
                "terminal": listed(text()),
                "silent_s": number(0),
                "skew_ms": number(0),
                "repeats_over": whole(0),
                "against": members(dict(POPULATION)),
                "limit": whole(1, limits.FLOW_LISTED_MAX),
                **REQUIRED_COVERAGE,
            }
        ),
        parameters=(AFTER,),
    ),
)
