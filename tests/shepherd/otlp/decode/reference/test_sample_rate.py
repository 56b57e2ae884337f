"""The sample rate of spans."""

from typing import Any

import orjson
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from common.scan.events import Mended, Rule
from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import OtlpBody, Signal
from shepherd.otlp.decode.reference.decoder import ReferenceDecoder
from shepherd.otlp.decode.reference.sample_rate import rate_of_trace_state
from tests.shepherd.otlp.messages import key_values, of_service, request, span

MOST = 2**31 - 1


def rates(one: Span, **group: Any) -> tuple[list[int], bool]:
    """The rates of a span's events, and whether one was mended; none holds the attribute."""
    body = request(of_service(one, **group))
    (found,) = ReferenceDecoder().decode(OtlpBody(Signal.TRACES, body, 1), Work()).groups
    lines = [orjson.loads(line) for line in found.events.lines.text.splitlines()]
    assert not any({"sampleRate", "SampleRate"} & line["d"].keys() for line in lines)
    faults = {fault for _, fields in found.events.mended for fault in fields}
    assert faults <= {Mended(Rule.SAMPLE_RATE, "samplerate")}
    return [line["r"] for line in lines], bool(faults)


@pytest.mark.parametrize(
    ("fields", "rate", "is_mended"),
    [
        ({}, 1, False),
        ({"sampleRate": 5}, 5, False),
        ({"SampleRate": 5}, 5, False),
        ({"samplerate": 5}, 1, False),
        ({"sampleRate": 5, "SampleRate": 7}, 5, False),
        ({"sampleRate": 0, "SampleRate": 7}, 7, False),
        ({"sampleRate": -1, "SampleRate": 7}, 7, False),
        ({"sampleRate": "junk", "SampleRate": 7}, 7, False),
        ({"sampleRate": 0}, 1, False),
        ({"sampleRate": "12"}, 12, False),
        ({"sampleRate": 2.5}, 3, True),
        ({"sampleRate": "2.5"}, 3, True),
        ({"sampleRate": 0.2}, 1, True),
        ({"sampleRate": -3}, 1, True),
        ({"sampleRate": "junk"}, 1, True),
        ({"sampleRate": True}, 1, True),
        ({"sampleRate": 2**40}, MOST, True),
        ({"sampleRate": 4.0}, 4, False),
    ],
)
def test_rates_of_attributes(fields: dict[str, Any], rate: int, is_mended: bool) -> None:
    assert rates(span(fields)) == ([rate], is_mended)
    assert rates(span(), resource=fields) == ([rate], is_mended)


def test_the_rate_is_that_of_all_events_of_the_span() -> None:
    event = Span.Event(name="e", attributes=key_values({"sampleRate": 9}))
    sent = span({"sampleRate": 4}, events=[event], links=[Span.Link()])
    assert rates(sent, resource={"sampleRate": 2})[0] == [4, 4, 4]


@pytest.mark.parametrize(
    ("state", "rate"),
    [
        ("", 0),
        ("ot=th:8", 2),
        ("ot=th:c", 4),
        ("ot=rv:1234;th:c", 4),
        ("ot=th:c;rv:1234", 4),
        ("a=b, ot=th:c,c=d", 4),
        ("ot=th:0", 1),
        ("th=c", 4),
        ("ot=th:fd70a3d70a3d71", 100),
        ("ot=th:fffffffffffff", 2**31 - 1 if 2**52 > 2**31 else 0),
        ("ot=th:ffff", 65_536),
        ("ot=th:xyz", 0),
        ("ot=th:" + "8" * 15, 0),
        ("ot=th:", 0),
        ("other=th:c", 0),
        ("ot=oth:c", 0),
        ("not=th:c", 0),
    ],
)
def test_rates_of_trace_states(state: str, rate: int) -> None:
    span_id = memoryview(b"\xff" * 8)
    assert rate_of_trace_state(state, span_id) == rate
    assert rates(span(trace_state=state, span_id=bytes(span_id)))[0] == [rate or 1]
    assert rates(span({"sampleRate": 3}, trace_state=state))[0] == [3]


def test_fractions_are_rounded_so_that_the_mean_is_right() -> None:
    state = "ot=th:6"  # 1.6
    found = [
        rate_of_trace_state(state, memoryview((n << 54).to_bytes(8, "little"))) for n in range(1000)
    ]
    assert set(found) == {1, 2}
    assert 1.55 < sum(found) / len(found) < 1.65
