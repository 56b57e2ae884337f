"""Answers about traces: the lines of one, those that were found, and how two differ."""

from typing import Final

from query.api.document.schema import (
    Schema,
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
