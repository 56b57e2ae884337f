"""Operations that send events: the vendor's, OTLP, Zipkin."""

from typing import Final

from common import limits
from query.api.document.operation import JSON, Operation, Parameter
from query.api.document.schema import anything, listed, members, text, whole
from query.api.document.shared import DATASET

_GROUP: Final = "Sending"
_MSGPACK: Final = "application/msgpack"
_PROTOBUF: Final = "application/x-protobuf"
_EVENT: Final = members({}, about="Any JSON object.")
_TIMED: Final = members(
    {
        "data": _EVENT,
        "time": anything("RFC 3339, or a unix time in s, ms, us or ns; now unless given."),
        "samplerate": whole(1, limits.SAMPLE_RATE_MAX),
    },
    required=("data",),
)
_ERRORS: Final = (400, 401, 403, 404, 413, 415, 429, 503)


def _otlp(signal: str) -> Operation:
    return Operation(
        "post",
        f"/v1/{signal}",
        f"otlp{signal.title()}",
        _GROUP,
        f"OTLP {signal}, as protobuf or JSON (docs/otlp.md); over gRPC likewise.",
        {200: members({})},
        members({}),
        takes=(_PROTOBUF, JSON),
        errors=_ERRORS,
    )


OPERATIONS: Final = (
    Operation(
        "post",
        "/1/events/{dataset}",
        "sendEvent",
        _GROUP,
        "Store one event.",
        {200: anything()},
        _EVENT,
        parameters=(
            DATASET,
            Parameter("X-Honeycomb-Event-Time", "header", text(), "As `time` of a batch."),
            Parameter("X-Honeycomb-Samplerate", "header", whole(1, limits.SAMPLE_RATE_MAX)),
        ),
        takes=(JSON, _MSGPACK),
        errors=_ERRORS,
    ),
    Operation(
        "post",
        "/1/batch/{dataset}",
        "sendBatch",
        _GROUP,
        "Store many events; each has its own status in the answer, in order.",
        {200: listed(members({"status": whole(), "error": text()}, required=("status",)))},
        listed(_TIMED, most=limits.BATCH_EVENTS_MAX),
        parameters=(
            DATASET,
            Parameter(
                "X-Bellwether-Batch-Id",
                "header",
                text(),
                "32 hexadecimal digits: a batch that is sent again under its id counts once.",
            ),
        ),
        takes=(JSON, _MSGPACK),
        errors=_ERRORS,
    ),
    *(_otlp(signal) for signal in ("traces", "logs", "metrics")),
    Operation(
        "post",
        "/api/v2/spans",
        "zipkinSpans",
        _GROUP,
        "Zipkin's spans, version 2, as JSON or protobuf (docs/zipkin.md).",
        {202: None},
        listed(members({})),
        takes=(JSON, _PROTOBUF),
        errors=_ERRORS,
    ),
    Operation(
        "post",
        "/api/v1/spans",
        "zipkinSpansOfVersion1",
        _GROUP,
        "Zipkin's spans, version 1, as JSON.",
        {202: None},
        listed(members({})),
        errors=_ERRORS,
    ),
    Operation(
        "get",
        "/1/auth",
        "auth",
        "Keys",
        "What the key is and may do.",
        {200: members({"id": text(), "type": text(), "api_key_access": members({})})},
    ),
    Operation(
        "get",
        "/x/alive",
        "alive",
        "Health",
        "Whether the server answers.",
        {200: anything()},
        key=False,
        errors=(),
    ),
)
