"""What spans become."""

from typing import Any

import orjson

from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import DecodedRequest, OtlpBody, Signal
from shepherd.otlp.decode.reference.decoder import ReferenceDecoder
from tests.shepherd.otlp.messages import ARRIVAL_NS, START_NS, of_service, request, span


def decode(body: bytes, **more: Any) -> DecodedRequest:
    return ReferenceDecoder().decode(OtlpBody(Signal.TRACES, body, ARRIVAL_NS, **more), Work())


def lines(decoded: DecodedRequest) -> dict[str, list[Any]]:
    """The lines of each dataset."""
    return {
        group.dataset: [orjson.loads(line) for line in group.events.lines.text.splitlines()]
        for group in decoded.groups
    }


def test_a_span_with_nothing_but_what_it_needs() -> None:
    (line,) = lines(decode(request(of_service(span()))))["web"]
    assert line == {
        "t": START_NS,
        "r": 1,
        "d": {
            "trace.trace_id": "0102030405060708090a0b0c0d0e0f10",
            "trace.span_id": "0102030405060708",
            "name": "GET /",
            "type": "unspecified",
            "span.kind": "unspecified",
            "status_code": 0,
            "duration_ms": 1.5,
            "span.num_links": 0,
            "span.num_events": 0,
            "meta.signal_type": "trace",
            "service.name": "web",
        },
    }
