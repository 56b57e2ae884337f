"""Operations of Zipkin's API that read; each is there under `/zipkin` too (docs/zipkin.md)."""

from typing import Final

from query.api.document.operation import Operation, Parameter
from query.api.document.schema import Schema, listed, members, text, whole
from query.api.document.shared import in_query

_GROUP: Final = "Zipkin"
_SPANS: Final = listed(members({"traceId": text(), "id": text()}, required=("traceId", "id")))
_NAMES: Final = listed(text())
_SERVICE: Final = in_query("serviceName", text(), "A service's name.")


def _read(path: str, id_: str, summary: str, answer: Schema, *given: Parameter) -> Operation:
    return Operation("get", path, id_, _GROUP, summary, {200: answer}, parameters=given)


OPERATIONS: Final = (
    _read("/api/v2/services", "zipkinServices", "Names of services.", _NAMES),
    _read("/api/v2/spans", "zipkinSpanNames", "Names of a service's spans.", _NAMES, _SERVICE),
    _read(
        "/api/v2/remoteServices",
        "zipkinRemoteServices",
        "Names of the services that a service calls.",
        _NAMES,
        _SERVICE,
    ),
    _read(
        "/api/v2/traces",
        "zipkinTraces",
        "Traces by conditions.",
        listed(_SPANS),
        _SERVICE,
        in_query("spanName", text(), "The name of one of its spans."),
        in_query("annotationQuery", text(), "Tags and annotations, joined by ` and `."),
        in_query("minDuration", whole(0), "Microseconds."),
        in_query("maxDuration", whole(0), "Microseconds."),
        in_query("endTs", whole(0), "Unix milliseconds; now unless given."),
        in_query("lookback", whole(0), "Milliseconds before endTs."),
        in_query("limit", whole(1), "Traces of the answer."),
    ),
    _read(
        "/api/v2/trace/{trace_id}",
        "zipkinTrace",
        "The spans of a trace.",
        _SPANS,
        Parameter("trace_id", "path", text(least=1)),
    ),
    _read(
        "/api/v2/traceMany",
        "zipkinTraceMany",
        "The spans of several traces.",
        listed(_SPANS),
        in_query("traceIds", text(), "Ids, separated by commas."),
    ),
    _read(
        "/api/v2/dependencies",
        "zipkinDependencies",
        "Which service calls which, and how often.",
        listed(members({"parent": text(), "child": text(), "callCount": whole(0)})),
        in_query("endTs", whole(0), "Unix milliseconds."),
        in_query("lookback", whole(0), "Milliseconds before endTs."),
    ),
)
