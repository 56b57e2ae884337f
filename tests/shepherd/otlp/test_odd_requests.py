"""Odd but valid requests, as real SDKs send them: the same events whichever way they come."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import Signal
from shepherd.otlp.json.transcode import to_protobuf
from tests.shepherd.otlp.grpc.calls import LOGS, METRICS, TRACES, Client, client
from tests.shepherd.otlp.messages import START_NS

METHODS = {Signal.TRACES: TRACES, Signal.LOGS: LOGS, Signal.METRICS: METRICS}
DATASETS = {
    Signal.TRACES: "unknown_service",
    Signal.LOGS: "unknown_log_source",
    Signal.METRICS: "unknown_metrics",
}
WAYS = ("json", "http", "grpc")  # of one length, so that the way is written into the bytes
WAY = {"key": "way", "value": {"stringValue": "WAY_"}}
TRACE = {"traceId": "4BF92F3577B34DA6A3CE929D0E0E4736", "spanId": "00F067AA0BA902B7"}
TIMES = {"startTimeUnixNano": START_NS, "endTimeUnixNano": str(START_NS + 1_500_000)}


def pair(name: str, **value: Any) -> Any:
    return {"key": name, "value": value}


def members(*pairs: Any) -> Any:
    return {"values": list(pairs)}


KINDS_OF_VALUES = [
    pair("twice", intValue=1),
    pair("twice", stringValue="second"),
    pair("list", arrayValue=members({"intValue": "7"}, {}, {"bytesValue": "AP8="})),
    pair(
        "map",
        kvlistValue=members(
            pair("a", boolValue=True),
            pair("b", kvlistValue={}),
            pair("c", kvlistValue=members(pair("d", doubleValue=2))),
        ),
    ),
    pair("bytes", bytesValue="AP8="),
    pair("empty list", arrayValue={}),
    {"key": "no value"},
    pair("", intValue=1),
    {"value": {"intValue": 1}},
]
STORED = {
    "twice": 1, "list": '[7,null,"AP8="]\n', "map.a": True, "map.c.d": 2.0, "bytes": '"AP8="\n',
    "empty list": "[]\n",
}  # fmt: skip


def marked(item: Any) -> Any:
    return item | {"attributes": [WAY, *item.get("attributes", ())]}


def point(**more: Any) -> Any:
    return {"timeUnixNano": START_NS, "attributes": [WAY], **more}


async def ways(it: Client, signal: Signal, document: Any) -> list[Any]:
    """What is stored of a request, which must be the same whichever way it comes."""
    found: dict[str, list[Any]] = {way: [] for way in WAYS}
    for way in WAYS:
        text = orjson.dumps(document).replace(b"WAY_", way.encode())
        message = to_protobuf(signal, text, Work())
        if way == "grpc":
            await it.call(message, METHODS[signal])
        else:
            media = "json" if way == "json" else "x-protobuf"
            headers = {"Content-Type": f"application/{media}"}
            body = text if way == "json" else message
            assert (await it.server.post(f"/v1/{signal}", body, headers))[0] == 200
    for event in await it.server.events(DATASETS[signal]):
        data: Any = event.data
        found[data.pop("way")].append((event.time_ns, event.rate, data))
    assert found["json"] == found["http"] == found["grpc"]
    return found["json"]


async def test_spans_without_resource_or_scope_with_odd_values_links_and_enums(
    tmp_path: Path,
) -> None:
    odd = {
        **TRACE, **TIMES, "name": "odd", "kind": 99, "status": {"code": 7, "deprecatedCode": 2},
        "attributes": KINDS_OF_VALUES, "unknownMember": {"a": [1]}, "flags": "257",
        "links": [marked({}), marked({"spanId": "00f067aa0ba902b8"})],
        "events": [marked({}), marked({"name": None, "timeUnixNano": None})],
    }  # fmt: skip
    bare = {"parentSpanId": "", "startTimeUnixNano": START_NS, "status": {}, "name": "bare"}
    document = {
        "resourceSpans": [
            {"scopeSpans": [{"spans": [marked(odd)]}]},
            {"resource": {}, "scopeSpans": [{"scope": {}, "spans": [marked(bare)]}]},
            {"resource": None, "scopeSpans": [{"scope": None, "spans": []}, {}]},
            {},
        ]
    }
    async with client(tmp_path) as it:
        found = await ways(it, Signal.TRACES, document)
    events = [data for _, _, data in found]
    links = [one for one in events if one.get("meta.annotation_type") == "link"]
    assert [one.get("trace.link.span_id") for one in links] == [None, "00f067aa0ba902b8"]
    assert all("trace.link.trace_id" not in one for one in links)
    (span,) = [one for one in events if one.get("name") == "odd"]
    assert (span["span.kind"], span["status_code"], span["duration_ms"]) == ("unspecified", 7, 1.5)
    assert span["trace.trace_id"] == TRACE["traceId"].lower()
    assert {name: value for name, value in span.items() if name in STORED} == STORED
    assert not {"no value", "map.b", ""} & span.keys()
    (span,) = [one for one in events if one.get("name") == "bare"]
    assert span["meta.invalid_duration"] is True
    assert "trace.trace_id" not in span


async def test_log_records_with_odd_bodies_severities_and_ids(tmp_path: Path) -> None:
    record = {"timeUnixNano": START_NS}
    inner = pair("n", kvlistValue=members(pair("o", intValue=1)))
    nested = {"kvlistValue": members(pair("m", stringValue="x"), inner)}
    some = (
        {**record, "severityText": "NOTICE", "body": nested},
        {**record, "severityNumber": "SEVERITY_NUMBER_WARN2", "body": {}},
        {**record, "severityNumber": 99, "body": {"bytesValue": "AP8="}, "flags": 1},
        {**record, "body": {"arrayValue": {"values": []}}, "attributes": KINDS_OF_VALUES},
        {"observedTimeUnixNano": str(START_NS), "spanId": TRACE["spanId"], "eventName": ""},
        {**record, "traceId": "0" * 32, "spanId": "", "body": {"intValue": "9"}},
    )
    document = {"resourceLogs": [{"scopeLogs": [{"logRecords": [marked(one) for one in some]}]}]}
    async with client(tmp_path) as it:
        found = await ways(it, Signal.LOGS, document)
    assert {time for time, _, _ in found} == {START_NS}
    map_, warn, wrong, listed, observed, untraced = [data for _, _, data in found]
    assert (map_["severity"], map_["severity_text"]) == ("unspecified", "NOTICE")
    assert (map_["body.m"], map_["body.n.o"]) == ("x", 1)
    assert map_["body"] == '{"m":"x","n":{"o":1}}\n'
    assert (warn["severity"], warn["severity_code"]) == ("warn", 14)
    assert "body" not in warn
    assert (wrong["severity"], wrong["severity_code"]) == ("unspecified", 99)
    assert (wrong["body"], wrong["flags"]) == ('"AP8="\n', 1)
    assert listed["body"] == "[]\n"
    assert {name: value for name, value in listed.items() if name in STORED} == STORED
    assert observed["trace.parent_id"] == TRACE["spanId"].lower()
    assert untraced["body"] == 9
    assert not {"trace.trace_id", "trace.parent_id"} & untraced.keys()


async def test_metrics_with_odd_numbers_and_unknown_enums(tmp_path: Path) -> None:
    metrics = [
        {"name": "g", "gauge": {"dataPoints": [point(asInt="7")]}},
        {"name": "s", "sum": {"dataPoints": [point(asDouble=2)], "aggregationTemporality": 9}},
        {"name": "h", "histogram": {"dataPoints": [point(count="3", sum="NaN")]}},
        {"name": "none", "gauge": {}},
        {"name": "unknown", "someKind": {"dataPoints": [point(asInt=1)]}},
    ]
    document = {"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}, {"resource": {}}]}
    async with client(tmp_path) as it:
        (event,) = await ways(it, Signal.METRICS, document)
    assert event == (START_NS, 1, {"g": 7, "s": 2.0, "h.count": 3, "meta.signal_type": "metric"})


@pytest.mark.parametrize("signal", list(Signal))
async def test_scopes_that_are_still_called_libraries(tmp_path: Path, signal: Signal) -> None:
    """SDKs before version 0.15 of the protocol: their items would be lost without a word."""
    item = {
        Signal.TRACES: {"spans": [{**TRACE, **TIMES, "name": "old", "attributes": [WAY]}]},
        Signal.LOGS: {"logs": [{"timeUnixNano": START_NS, "attributes": [WAY]}]},
        Signal.METRICS: {"metrics": [{"name": "g", "gauge": {"dataPoints": [point(asInt=1)]}}]},
    }[signal]
    library = {"instrumentationLibrary": {"name": "io.opentelemetry.old", "version": "0.1"}, **item}
    what = {"traces": "Spans", "logs": "Logs", "metrics": "Metrics"}[signal]
    group = {f"instrumentationLibrary{what}": [library]}
    async with client(tmp_path) as it:
        (event,) = await ways(it, signal, {f"resource{what}": [group]})
    assert event[2]["library.name"] == "io.opentelemetry.old"
    assert event[2]["library.version"] == "0.1"
