"""docs/otlp.md is true: its limits are the code's, its fields are those that spans get."""

import re
from pathlib import Path

import orjson
import pytest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from common import limits
from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import OtlpBody, Signal
from shepherd.otlp.decode.reference.decoder import ReferenceDecoder
from tests.shepherd.otlp.messages import SPAN, TRACE, key_values, of_service, request, span

PAGE = (Path(__file__).parents[3] / "docs" / "otlp.md").read_text("utf-8")
LIMITS = re.findall(r"^\| `([A-Z_]+)` \| ([\d,]+) ", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("name", "value"), LIMITS)
def test_limits_of_the_page_are_those_of_the_code(name: str, value: str) -> None:
    assert getattr(limits, name) == int(value.replace(",", ""))


def test_every_field_that_the_mapping_makes_is_on_the_page() -> None:
    assert len(LIMITS) == 5
    raised = key_values({f"exception.{part}": "x" for part in ("message", "type", "escaped")})
    sent = span(
        parent_span_id=SPAN,
        trace_state="a=b",
        status=Status(code=Status.STATUS_CODE_ERROR, message="m"),
        dropped_attributes_count=1,
        end_time_unix_nano=1,
        events=[Span.Event(name="exception", time_unix_nano=1, attributes=raised)],
        links=[Span.Link(trace_id=TRACE, span_id=SPAN)],
    )
    scope = InstrumentationScope(name="io.opentelemetry.x", version="1")
    group = of_service(sent, scope=scope, schema_url="s")
    group.schema_url = "r"
    (found,) = ReferenceDecoder().decode(OtlpBody(Signal.TRACES, request(group), 1), Work()).groups
    names = {
        name for line in found.events.lines.text.splitlines() for name in orjson.loads(line)["d"]
    }
    assert len(names) > 30
    written = set(re.findall(r"`([\w.]+)`", PAGE))
    written |= {f"exception{part}" for part in written if part.startswith(".")}
    assert names <= written


def test_the_example_in_json_is_a_request() -> None:
    (text,) = re.findall(r"/v1/traces\".* -d '(\{.*?\})'\n", PAGE, re.DOTALL)
    found = orjson.loads(text)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert found["name"] == "GET /"
