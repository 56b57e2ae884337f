"""What OTLP and Zipkin cost: all ways send the same spans, and all are stored. Never a time."""

import subprocess
import sys

import orjson
import pytest

from benchmarks.otlp.bodies import Form, body_of, messages
from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import Signal
from shepherd.otlp.json.transcode import to_protobuf
from tests.system.harness import ROOT

START_NS = 1_790_000_000 * 10**9
OTHER_ID = bytes(range(16))


def test_every_form_holds_the_same_spans() -> None:
    first, second = messages(7, 2, 3, START_NS)
    assert first != second
    assert to_protobuf(Signal.TRACES, body_of(Form.JSON, first).content, Work()) == first
    events = orjson.loads(body_of(Form.BATCH, first).content)
    spans = orjson.loads(body_of(Form.ZIPKIN, first).content)
    assert [one["id"] for one in spans] == [one["data"]["trace.span_id"] for one in events]
    assert len({one["id"] for one in spans}) == 3
    for span, event in zip(spans, events, strict=True):
        assert span["timestamp"] == event["time"] // 1_000
        assert span["localEndpoint"] == {"serviceName": "shop"}
        assert span["tags"]["url.path"] == event["data"]["url.path"]
        assert span["tags"]["cache.hit"] == str(event["data"]["cache.hit"]).lower()
        assert span["tags"]["host.name"] == event["data"]["host.name"]


@pytest.mark.parametrize("form", Form)
def test_a_body_is_sent_again_with_another_trace(form: Form) -> None:
    (message,) = messages(7, 1, 2, START_NS)
    body = body_of(form, message)
    new = body.renewed(OTHER_ID)
    assert new != body.content
    assert len(new) == len(body.content)
    expected = OTHER_ID if form is Form.PROTOBUF else OTHER_ID.hex().encode()
    assert new.count(expected) == 1
    assert new.replace(expected, body.trace_id) == body.content


@pytest.mark.scenario
@pytest.mark.parametrize(
    ("workload", "ways", "stored"),
    [
        ("otlp-storing", ("OTLP/gRPC", "OTLP/JSON", "/1/batch", "1 span a request"), 4 * 80 + 8),
        ("zipkin", ("Zipkin v2 JSON", "OTLP protobuf", "OTLP/JSON"), 3 * 80),
    ],
)
def test_all_that_a_workload_sends_is_stored(
    workload: str, ways: tuple[str, ...], stored: int
) -> None:
    command = [sys.executable, "-m", "benchmarks", workload, "--quick"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert ran.returncode == 0, ran.stderr
    assert f"{stored} spans stored, as many as sent" in " ".join(ran.stdout.split())
    assert all(one in ran.stdout for one in ways)


@pytest.mark.scenario
@pytest.mark.parametrize(
    ("signal", "what"),
    [("traces", "8 spans of 20 attributes"), ("logs", "8 log records of 8 attributes")],
)
def test_decoding_is_compared(signal: str, what: str) -> None:
    command = [sys.executable, "-m", "benchmarks", "otlp", "--spans", "8", "--turns", "1"]
    command += ["--signal", signal]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert ran.returncode == 0, ran.stderr
    for one in ("decoder", "protobuf", "splitter", "reference", what):
        assert one in ran.stdout


@pytest.mark.scenario
def test_every_receiver_writes_what_it_is_sent() -> None:
    """Where there is no Go and no rotel, only Bellwether: the run says so."""
    command = [sys.executable, "-m", "benchmarks", "otlp-peers", "--quick"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=3_600)
    assert ran.returncode == 0, ran.stderr
    said = " ".join(ran.stdout.split())
    assert "80 spans sent to each" in said
    assert "without a Collector" in said or "a Collector to a file, proto" in said
    assert "without rotel" in said or "rotel, which throws away" in said
