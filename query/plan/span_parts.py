"""The parts of a span that a dataset defines: the vendor's sixteen, the fields that hold each one
by default, and what questions read of them.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from common.metadata import SpanDefinition
from query.plan.parts.spans import DEFAULT_NAMES, SpanNames


class SpanPart(NamedTuple):
    """A part of a span.

    what: for people.
    defaults: fields that hold it unless it is defined; the first one that an event has counts.
    reads: the member of `SpanNames` that it decides; "": it only says what a field means.
    """

    what: str
    defaults: tuple[str, ...]
    reads: str = ""


def _read(what: str, reads: str) -> SpanPart:
    return SpanPart(what, getattr(DEFAULT_NAMES, reads), reads)


SPAN_PARTS: Final[dict[str, SpanPart]] = {
    "trace_id": _read("The trace that the span belongs to.", "trace_id"),
    "parent_id": _read("The span that called it.", "parent_id"),
    "span_id": _read("The span itself.", "span_id"),
    "name": _read("The operation.", "name"),
    "service_name": _read("The service.", "service"),
    "duration_ms": _read("How long it took, in ms.", "duration_ms"),
    "error": _read("Whether it failed.", "error"),
    "route": SpanPart("The route of a request.", ("route", "http.route", "request_path")),
    "status": SpanPart(
        "The status of a response.",
        ("response.status_code", "http.status_code", "elb_status_code"),
    ),
    "user": SpanPart(
        "Who made the request.",
        ("user.id", "user.email", "request.user.id", "request.user.username"),
    ),
    "span_kind": SpanPart("Client, server and so on.", ("meta.span_type", "span.kind")),
    "annotation_type": _read("What an event is that is no span of its own.", "annotation"),
    "link_trace_id": SpanPart("The trace that a link leads to.", ("trace.link.trace_id",)),
    "link_span_id": SpanPart(
        "The span that a link leads to.", ("trace.link.span_id", "trace.span_id")
    ),
    "log_message": SpanPart("The text of a log line.", ("body",)),
    "log_severity": SpanPart("Its severity.", ("severity",)),
}


def span_names(definitions: Iterable[SpanDefinition]) -> SpanNames:
    """What questions read with a dataset's definitions. A part that is defined is in that field
    alone.
    """
    defined: dict[str, Any] = {}
    for one in definitions:
        part = SPAN_PARTS.get(one.id)
        if part is not None and part.reads and one.column_name:
            defined[part.reads] = (one.column_name,)
    return SpanNames(**defined)
