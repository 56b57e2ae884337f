"""One trace, asked of a real `up`: over datasets, spellings of its id, pages and commands."""

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from opentelemetry import trace as trace_api
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.system.harness import System, running

pytestmark = pytest.mark.system
BASE_S = 1_700_000_000
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("traces")) as found:
        yield found


def trace(system: System, trace_id: str, status: int = 200, **given: object) -> Any:
    query = "&".join(f"{name}={quote(str(value))}" for name, value in given.items())
    answer = system.http("GET", f"/bw/1/traces/{quote(trace_id)}?{query}")
    assert answer.status == status, answer.body
    return answer.json()


def event(at_s: float, **data: object) -> dict[str, Any]:
    """An event at a time; names with two underscores stand for dots."""
    named = {name.replace("__", "."): value for name, value in data.items()}
    return {"time": f"{int((BASE_S + at_s) * 1e9)}", "data": named}


def span(at_s: float, duration_ms: float, span_id: str, parent_id: str = "", **data: object) -> Any:
    ids = {"trace__trace_id": TRACE, "trace__span_id": span_id, "trace__parent_id": parent_id}
    known = {name: value for name, value in {**ids, **data}.items() if value != ""}
    return event(at_s, duration_ms=duration_ms, **known)


def wait_for(system: System, trace_id: str, lines: int) -> Any:
    """The trace once it has so many lines."""
    found: Any = None

    def there() -> bool:
        nonlocal found
        answer = system.http("GET", f"/bw/1/traces/{quote(trace_id)}")
        found = answer.json()
        return answer.status == 200 and found["lines_in_all"] == lines

    system.wait_until(there, f"{lines} lines of {trace_id}")
    return found


def test_a_trace_is_one_tree_over_datasets_days_spellings_and_log_lines(system: System) -> None:
    system.send("front", [span(0, 5_000, "a1", name="GET /cart", service__name="front")])
    assert system.run("cut").returncode == 0  # one part in a segment, the others in memory
    system.send("back", [
        span(1, 2_000, "b1", "a1", name="load", service__name="back", status_code=2, error="False"),
        span(86_400 * 3, 10, "b2", "gone", name="late", service__name="back"),
        event(1.5, trace__trace_id=TRACE, trace__parent_id="b1", name="retry",
              meta__annotation_type="span_event", meta__signal_type="trace"),
        event(1, trace__trace_id=TRACE, trace__parent_id="b1", meta__annotation_type="link",
              trace__link__trace_id="00ff", trace__link__span_id="0a"),
    ])  # fmt: skip
    system.send("logs", [
        event(2, trace_id=TRACE.upper(), span_id="A1", message="cart is empty", n=2**60),
        event(2.5, trace_id=TRACE, message="no span"),
        event(2.6, trace_id="another", message="of another trace"),
    ])  # fmt: skip
    found = wait_for(system, TRACE, 8)
    shape = [(n["depth"], n["kind"], n.get("name") or n.get("message")) for n in found["lines"]]
    assert shape == [
        (0, "span", "GET /cart"), (1, "span", "load"), (2, "link", None), (2, "event", "retry"),
        (1, "event", "cart is empty"), (0, "event", "no span"), (0, "missing", None),
        (1, "span", "late"),
    ]  # fmt: skip
    root, load, link, *_ = found["lines"]
    assert root["self_ms"] == 3_000.0
    assert (load["error"], load["error_by"], root["error"]) == (True, ["status_code"], False)
    assert link["link"] == {"trace_id": "00ff", "span_id": "0a"}
    assert found["datasets"] == {"back": 4, "logs": 2, "front": 1}
    assert found["open"] == {"interrupted": 1}
    assert found["coverage"]["complete"]
    for spelling in (TRACE.upper(), f"00-{TRACE}-00f067aa0ba902b7-01"):
        assert trace(system, spelling)["lines"] == found["lines"]
    fields = trace(system, TRACE, field="n")["lines"]
    assert [line["fields"] for line in fields if "fields" in line] == [{"n": 2**60}]


def test_a_short_id_finds_the_padded_one_and_the_other_way_round(system: System) -> None:
    short = "00f067aa0ba902b7"
    system.send("short", [event(0, trace__trace_id=short, trace__span_id="1", duration_ms=1)])
    padded = event(1, traceId="0" * 16 + short, id="2", parentId="1", durationMs=1)
    system.send("padded", [padded])
    wait_for(system, short, 2)
    for spelling in ("0" * 16 + short.upper(), short.lstrip("0")):
        assert [n["depth"] for n in trace(system, spelling)["lines"]] == [0, 1]


def test_links_are_followed_from_a_trace_and_to_it(system: System) -> None:
    one, other = "1" * 32, "2" * 32
    ids = {"trace__trace_id": one, "duration_ms": 5.0, "service__name": "s"}
    system.send("linking", [
        event(0, trace__span_id="a", name="asked", **ids),
        event(0, trace__trace_id=one, trace__parent_id="a", meta__annotation_type="link",
              trace__link__trace_id=other.upper(), trace__link__span_id="b"),
        event(0, trace__trace_id=one, trace__parent_id="a", meta__annotation_type="link",
              trace__link__trace_id="3" * 32),
    ])  # fmt: skip
    system.send("linked", [
        event(9, **{**ids, "trace__trace_id": other}, trace__span_id="b", name="done later",
              error=True),
    ])  # fmt: skip
    wait_for(system, one, 3)
    wait_for(system, other, 1)
    found = trace(system, one, links="true")["links"]
    assert found["to"] == []
    known, unknown = sorted(found["from"], key=lambda link: link["trace_id"])
    assert (known["trace_id"], known["span_id"], known["own_span_id"]) == (other, "b", "a")
    assert (known["name"], known["service"], known["errors"]) == ("done later", "s", 1)
    assert (unknown["trace_id"], unknown["note"]) == ("3" * 32, "no event of it is stored")
    back = trace(system, other, links="true")["links"]
    assert back["from"] == []
    assert [(b["trace_id"], b["span_id"], b["own_span_id"]) for b in back["to"]] == [
        (one, "a", "b")
    ]
    assert back["to"][0]["name"] == "asked"
    assert "links" not in trace(system, one)
    shown = system.run("trace", other, "--links").stdout
    assert f"links to this trace:\n  trace {one}  span a  asked  [s]" in shown


def test_what_is_not_there_and_what_cannot_be_read_is_told(system: System) -> None:
    refused = trace(system, "ffffffffffffffff", 404)
    assert "no event has the trace id ffffffffffffffff" in refused["detail"]
    assert "limit" in json.dumps(trace(system, TRACE, 422, limit=0))
    done = system.run("trace", "ffffffffffffffff")
    assert done.returncode == 1
    assert "no event has the trace id" in done.stderr


def test_a_long_trace_comes_in_pages_and_the_command_shows_it(system: System) -> None:
    ids = {"trace__trace_id": "ab" * 16, "service__name": "long", "duration_ms": 10.0}
    count = 2_500
    for at in range(0, count, 500):
        some = range(at, at + 500)
        system.send("long", [
            event(n / 1000, trace__span_id=f"{n:016x}", name=f"step {n}",
                  **({"trace__parent_id": f"{n - 1:016x}"} if n else {}), **ids)
            for n in some
        ])  # fmt: skip
    wait_for(system, "ab" * 16, count)
    names, cursor = list[str](), None
    while True:
        more = {} if cursor is None else {"cursor": cursor}
        page = trace(system, "ab" * 16, limit=700, **more)
        names += [line["name"] for line in page["lines"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert names == [f"step {n}" for n in range(count)]
    shown = system.run("trace", "AB" * 16)
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0].startswith("trace")
    assert f"{count:,} spans" in lines[0]
    assert len(lines) == 3 + 500
    assert "2,000 more lines (-n, --all)" in shown.stderr
    whole = json.loads(system.run("trace", "ab" * 16, "--all", "--json").stdout)
    assert len(whole["lines"]) == count
    assert whole["next"] is None


def test_spans_events_links_and_logs_of_opentelemetrys_sdk_are_one_tree(system: System) -> None:
    headers = {"x-honeycomb-team": system.key}
    front, back = (Resource.create({"service.name": name}) for name in ("otel-a", "otel-b"))
    tracers = []
    for resource in (front, back):
        provider = TracerProvider(resource=resource)
        exporter = OTLPSpanExporter(endpoint=f"{system.url}/v1/traces", headers=headers)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        tracers.append(provider.get_tracer("test"))
    logs = LoggerProvider(resource=back)
    log_exporter = OTLPLogExporter(endpoint=f"{system.url}/v1/logs", headers=headers)
    logs.add_log_record_processor(SimpleLogRecordProcessor(log_exporter))
    logger = logging.Logger("otel-test")
    logger.addHandler(LoggingHandler(logger_provider=logs))
    linked = trace_api.SpanContext(0xABC, 0xDEF, is_remote=True)
    with tracers[0].start_as_current_span("ask", links=[trace_api.Link(linked)]) as root:
        with tracers[1].start_as_current_span("serve", kind=trace_api.SpanKind.SERVER) as child:
            child.set_attribute("error", "False")
            logger.warning("about to fail")
            child.record_exception(ValueError("no room"))
            child.set_status(trace_api.StatusCode.ERROR)
        trace_id = f"{root.get_span_context().trace_id:032x}"
    found = wait_for(system, trace_id, 5)
    lines = {(n["kind"], n.get("name") or n.get("message")): n for n in found["lines"]}
    shape = [(n["depth"], *key) for key, n in lines.items()]
    assert shape == [
        (0, "span", "ask"), (1, "link", None), (1, "span", "serve"),
        (2, "event", "about to fail"), (2, "event", "exception"),
    ]  # fmt: skip
    served = lines["span", "serve"]
    assert (served["error"], served["error_by"]) == (True, ["status_code"])
    assert lines["event", "exception"]["message"] == "no room"
    assert lines["event", "exception"]["error"] is False, "that is said of its span"
    assert lines["link", None]["link"]["span_id"] == f"{0xDEF:016x}"
    assert found["errors"] == 1
    shown = system.run("trace", trace_id).stdout
    assert "serve  [otel-b]  ERROR" in shown
    assert "- exception: no room" in shown


def test_a_span_that_zipkins_client_and_server_share_is_two_lines(system: System) -> None:
    ids = {"traceId": "5af7183fb1d4cf5f", "id": "352bff9a74ca9ad2"}
    body = [
        {**ids, "kind": "CLIENT", "name": "get", "timestamp": BASE_S * 10**6, "duration": 9_000,
         "localEndpoint": {"serviceName": "asks"}},
        {**ids, "kind": "SERVER", "name": "get", "timestamp": BASE_S * 10**6 + 2_000,
         "duration": 5_000, "shared": True, "localEndpoint": {"serviceName": "serves"},
         "annotations": [{"timestamp": BASE_S * 10**6 + 3_000, "value": "cache miss"}]},
    ]  # fmt: skip
    sent = system.http("POST", "/api/v2/spans", json.dumps(body).encode())
    assert sent.status == 202, sent.body
    found = wait_for(system, ids["traceId"], 3)
    assert [(n["depth"], n["service"], n.get("marks")) for n in found["lines"]] == [
        (0, "asks", None), (1, "serves", ["shared_id"]), (2, "serves", None),
    ]  # fmt: skip
    assert found["lines"][0]["self_ms"] == 4.0
