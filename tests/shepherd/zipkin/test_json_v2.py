"""Version 2 of Zipkin's JSON: what becomes of each member of a span (docs/zipkin.md)."""

from typing import Any

import pytest

from tests.shepherd.zipkin.reading import ARRIVAL_NS, one, read

START_US = 1_795_248_341_123_456
SPAN: dict[str, Any] = {
    "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
    "id": "00f067aa0ba902b7",
    "parentId": "0000000000000001",
    "name": "get /users",
    "kind": "SERVER",
    "timestamp": START_US,
    "duration": 207_123,
    "localEndpoint": {"serviceName": "users", "ipv4": "10.0.0.7", "port": 8080},
    "remoteEndpoint": {"serviceName": "web", "ipv6": "2001:db8::1", "port": 40_000},
    "tags": {"http.method": "GET", "http.status_code": "200"},
}


def test_a_whole_span() -> None:
    event = one(SPAN)
    assert (event.dataset, event.time_ns, event.rate) == ("users", START_US * 1_000, 1)
    assert event.fields == {
        "trace.trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "trace.span_id": "00f067aa0ba902b7",
        "trace.parent_id": "0000000000000001",
        "name": "get /users",
        "service.name": "users",
        "type": "server",
        "span.kind": "server",
        "duration_ms": 207.123,
        "span.num_events": 0,
        "meta.signal_type": "trace",
        "network.local.address": "10.0.0.7",
        "network.local.port": 8080,
        "network.peer.address": "2001:db8::1",
        "network.peer.port": 40_000,
        "peer.service": "web",
        "http.method": "GET",
        "http.status_code": 200,
    }


def test_a_span_with_nothing_but_its_ids_is_stored_at_its_arrival() -> None:
    event = one({"traceId": "1", "id": "2"})
    assert (event.dataset, event.time_ns) == ("unknown_service", ARRIVAL_NS)
    assert event.fields == {
        "trace.trace_id": "0000000000000001",
        "trace.span_id": "0000000000000002",
        "span.num_events": 0,
        "meta.signal_type": "trace",
    }


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("0000000000000000a3ce929d0e0e4736", "a3ce929d0e0e4736"),
        ("A3CE929D0E0E4736", "a3ce929d0e0e4736"),
        ("bc1", "0000000000000bc1"),
        ("0bc1", "0000000000000bc1"),
        ("14bf92f3577b34da6", "000000000000000" + "14bf92f3577b34da6"),
        ("0" * 31 + "1", "0000000000000001"),
        (12, "0000000000000012"),
        ("not hex", "not hex"),
        ("6F1C-2", "6F1C-2"),
    ],
)
def test_trace_ids_have_the_form_of_otlps(sent: object, stored: str) -> None:
    assert one({**SPAN, "traceId": sent}).fields["trace.trace_id"] == stored


@pytest.mark.parametrize("parent", [None, "", "0", "0000000000000000"])
def test_no_parent_in_any_form(parent: object) -> None:
    assert "trace.parent_id" not in one({**SPAN, "parentId": parent}).fields


def test_span_ids_are_padded_and_lower_case() -> None:
    fields = one({**SPAN, "id": "AB", "parentId": "0" * 16 + "00000000000000CD"}).fields
    assert fields["trace.span_id"] == "00000000000000ab"
    assert fields["trace.parent_id"] == "00000000000000cd"


@pytest.mark.parametrize("kind", [None, "", "server", "SERVER", " Server "])
def test_kinds_in_any_case_and_none(kind: str | None) -> None:
    fields = one({**SPAN, "kind": kind}).fields
    expected = "server" if kind else None
    assert (fields.get("span.kind"), fields.get("type")) == (expected, expected)


@pytest.mark.parametrize(
    ("timestamp", "time_ns"),
    [
        (START_US, START_US * 1_000),
        (str(START_US), START_US * 1_000),
        (START_US + 0.5, START_US * 1_000 + 500),
        (None, ARRIVAL_NS),
        (0, ARRIVAL_NS),
        ("", ARRIVAL_NS),
    ],
)
def test_times(timestamp: object, time_ns: int) -> None:
    found = read([{**SPAN, "timestamp": timestamp}])
    assert [event.time_ns for event in found.events] == [time_ns]
    assert found.mended == []


@pytest.mark.parametrize("timestamp", [-1, 10**16, "yesterday", "9" * 30, [], {}, True])
def test_a_time_that_is_none_costs_no_span(timestamp: object) -> None:
    found = read([{**SPAN, "timestamp": timestamp}])
    assert [event.time_ns for event in found.events] == [ARRIVAL_NS]
    assert [field for _, field in found.mended] == ["timestamp"]


@pytest.mark.parametrize(
    ("duration", "ms"), [(0, 0.0), (1, 0.001), ("1500", 1.5), (2.5, 0.0025), (None, None)]
)
def test_durations(duration: object, ms: float | None) -> None:
    fields = one({**SPAN, "duration": duration}).fields
    assert fields.get("duration_ms") == ms
    assert ms is None or isinstance(fields["duration_ms"], float)
    assert "meta.invalid_duration" not in fields


def test_a_duration_below_zero_is_zero_and_marked() -> None:
    fields = one({**SPAN, "duration": -5}).fields
    assert (fields["duration_ms"], fields["meta.invalid_duration"]) == (0.0, True)


@pytest.mark.parametrize(
    ("name", "dataset"),
    [
        ("users", "users"),
        (" users ", "users"),
        ("", "unknown_service"),
        (None, "unknown_service"),
    ],
)
def test_the_service_is_the_dataset(name: str | None, dataset: str) -> None:
    event = one({**SPAN, "localEndpoint": {"serviceName": name}})
    assert event.dataset == dataset
    assert event.fields.get("service.name") == (dataset if name else None)


def test_a_service_that_is_not_known_keeps_its_own_name_in_the_event() -> None:
    for name in ("unknown_service:python", "long" * 100, "control\x01"):
        event = one({**SPAN, "localEndpoint": {"serviceName": name}})
        assert event.dataset == "unknown_service"
        assert event.fields["service.name"] == name


def test_datasets_from_the_header_and_from_tags() -> None:
    tagged = {**SPAN, "tags": {"honeycomb.dataset": "special", "a": "b"}}
    event = one(tagged, dataset="header")
    assert event.dataset == "special"
    assert "honeycomb.dataset" not in event.fields
    assert one(SPAN, dataset="header").dataset == "header"


@pytest.mark.parametrize(
    ("tags", "rate"),
    [
        ({"honeycomb.samplerate": "8"}, 8),
        ({"sampleRate": "4", "SampleRate": "2"}, 4),
        ({"sampleRate": "0", "SampleRate": "2"}, 2),
        ({"sampleRate": "often", "SampleRate": "2"}, 2),
        ({"sampleRate": "0"}, 1),
        ({"sampleRate": ""}, 1),
        ({"honeycomb.samplerate": 16}, 16),
    ],
)
def test_sample_rates_are_the_events_and_no_fields(tags: dict[str, object], rate: int) -> None:
    found = read([{**SPAN, "tags": tags, "annotations": [{"timestamp": START_US, "value": "a"}]}])
    assert [event.rate for event in found.events] == [rate, rate]
    assert found.mended == []
    assert not any(name in event.fields for name in tags for event in found.events)


def test_a_rate_that_is_none_is_counted() -> None:
    found = read([{**SPAN, "tags": {"sampleRate": "often"}}])
    assert ([event.rate for event in found.events], found.mended) == (
        [1],
        [("samplerate", "samplerate")],
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("-7", -7),
        ("007", "007"),
        ("+7", "+7"),
        ("-0", "-0"),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", "9223372036854775808"),
        ("1.5", 1.5),
        ("-0.25", -0.25),
        ("1.0", 1.0),
        ("1.10", "1.10"),
        (".5", ".5"),
        ("1e3", "1e3"),
        ("0.00001", "0.00001"),
        ("3.14159265358979323846", "3.14159265358979323846"),
        ("1.2.3", "1.2.3"),
        (" 7", " 7"),
        ("NaN", "NaN"),
        ("true", True),
        ("false", False),
        ("True", "True"),
        ("٣", "٣"),
        ("", ""),
        (7, 7),
        (1.5, 1.5),
        (True, True),
        ([1, "a"], '[1,"a"]\n'),
        ({"a": 1}, '{"a":1}\n'),
    ],
)
def test_types_of_tags(text: object, value: object) -> None:
    stored = one({**SPAN, "tags": {"t": text}}).fields["t"]
    assert (stored, type(stored)) == (value, type(value))


def test_null_tags_are_no_fields() -> None:
    assert "t" not in one({**SPAN, "tags": {"t": None}}).fields
    assert one({**SPAN, "tags": None}).fields["name"] == "get /users"


def test_tags_go_before_other_fields_of_their_names() -> None:
    fields = one({**SPAN, "tags": {"name": "mine", "peer.service": "theirs"}}).fields
    assert (fields["name"], fields["peer.service"]) == ("mine", "theirs")


@pytest.mark.parametrize("text", ["", "true", "false", "0", "500", "no such user", "False"])
def test_the_tag_error_means_failed_whatever_it_says(text: str) -> None:
    annotations = [{"timestamp": START_US, "value": "retry"}]
    found = read([{**SPAN, "tags": {"error": text}, "annotations": annotations}])
    assert [event.fields["error"] for event in found.events] == [True, True]
    fields = found.events[-1].fields
    assert fields["status_code"] == 2
    assert fields.get("status_message") == (text if text not in ("", "true") else None)


def test_an_annotation_error_is_no_failure() -> None:
    found = read([{**SPAN, "annotations": [{"timestamp": START_US, "value": "error"}]}])
    assert not any("error" in event.fields for event in found.events)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"otel.status_code": "OK"}, {"status_code": 1}),
        ({"otel.status_code": "ERROR"}, {"status_code": 2, "error": True}),
        (
            {"otel.status_code": "ERROR", "error": "why"},
            {"status_code": 2, "error": True, "status_message": "why"},
        ),
        (
            {"otel.status_code": "ERROR", "otel.status_description": "why", "error": "true"},
            {"status_code": 2, "error": True, "status_message": "why"},
        ),
        ({"otel.status_code": "UNSET"}, {}),
    ],
)
def test_the_status_of_opentelemetry(tags: dict[str, str], expected: dict[str, object]) -> None:
    fields = one({**SPAN, "tags": tags}).fields
    names = ("status_code", "error", "status_message")
    assert {name: fields[name] for name in names if name in fields} == expected
    assert fields["otel.status_code"] == tags["otel.status_code"]


def test_shared_and_debug() -> None:
    fields = one({**SPAN, "shared": True, "debug": True}).fields
    assert (fields["shared"], fields["debug"]) == (True, True)
    fields = one({**SPAN, "shared": False, "debug": None}).fields
    assert not {"shared", "debug"} & fields.keys()


def test_both_addresses_of_an_endpoint() -> None:
    endpoint = {"serviceName": "users", "ipv4": "10.0.0.7", "ipv6": "::1", "port": "80"}
    fields = one({**SPAN, "localEndpoint": endpoint}).fields
    assert fields["network.local.address"] == "10.0.0.7"
    assert fields["network.local.address_ipv6"] == "::1"
    assert fields["network.local.port"] == 80


@pytest.mark.parametrize("port", [-1, 65_536, 1.5, "http", [], True])
def test_a_port_that_is_none_is_left_out_and_counted(port: object) -> None:
    found = read([{**SPAN, "localEndpoint": {"serviceName": "users", "port": port}}])
    assert "network.local.port" not in found.events[0].fields
    assert len(found.mended) == 1


def test_annotations_are_span_events_before_their_span() -> None:
    annotations = [
        {"timestamp": START_US + 1_500, "value": "cache miss"},
        {"timestamp": START_US - 1, "value": "early"},
        {"value": "no time"},
    ]
    found = read([{**SPAN, "annotations": annotations}])
    assert [event.fields["name"] for event in found.events] == [
        "cache miss",
        "early",
        "no time",
        "get /users",
    ]
    assert [event.time_ns - START_US * 1_000 for event in found.events] == [1_500_000, -1_000, 0, 0]
    assert found.events[0].fields == {
        "trace.trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "trace.parent_id": "00f067aa0ba902b7",
        "name": "cache miss",
        "parent_name": "get /users",
        "service.name": "users",
        "meta.annotation_type": "span_event",
        "meta.signal_type": "trace",
        "meta.time_since_span_start_ms": 1.5,
    }
    early = found.events[1].fields
    assert early["meta.time_since_span_start_ms"] == 0.0
    assert early["meta.invalid_time_since_span_start"] is True
    assert found.events[-1].fields["span.num_events"] == 3
    assert {event.dataset for event in found.events} == {"users"}


def test_packed_events_of_the_python_exporter_are_unpacked() -> None:
    packed = (
        '{"exception": {"exception.escaped": "False", "exception.message": "no",'
        ' "exception.type": "KeyError", "n": 7, "list": [1, 2], "map": {"a": {"b": 1}}}}'
    )
    found = read([{**SPAN, "annotations": [{"timestamp": START_US, "value": packed}]}])
    event, span = (event.fields for event in found.events)
    assert event["name"] == "exception"
    assert (event["n"], event["list"], event["map.a.b"]) == (7, "[1,2]\n", 1)
    for fields in (event, span):
        assert fields["exception.type"] == "KeyError"
        assert fields["exception.message"] == "no"
        assert fields["exception.escaped"] == "False"
    assert "n" not in span


def test_packed_events_of_the_collector_are_unpacked() -> None:
    texts = ['retry|{"attempt":2,"why":"a|b"}|0', "cut|{}|3", "plain"]
    notes = [{"timestamp": START_US, "value": text} for text in texts]
    events = [event.fields for event in read([{**SPAN, "annotations": notes}]).events[:3]]
    assert [event["name"] for event in events] == ["retry", "cut", "plain"]
    assert (events[0]["attempt"], events[0]["why"]) == (2, "a|b")
    assert events[1]["meta.dropped_attributes_count"] == 3
    assert "meta.dropped_attributes_count" not in events[0]


def test_links_of_the_collector_are_events() -> None:
    tags = {
        "otlp.link.0": '4BF92F3577B34DA6A3CE929D0E0E4736|a1|k=v|{"n":1,"t":"x|y"}|2',
        "otlp.link.1": "no link",
        "a": "b",
    }
    link, span = (event.fields for event in read([{**SPAN, "tags": tags}]).events)
    assert link == {
        "trace.trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "trace.parent_id": "00f067aa0ba902b7",
        "parent_name": "get /users",
        "service.name": "users",
        "meta.annotation_type": "link",
        "meta.signal_type": "trace",
        "trace.link.trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "trace.link.span_id": "00000000000000a1",
        "n": 1,
        "t": "x|y",
        "meta.dropped_attributes_count": 2,
    }
    assert (span["otlp.link.1"], span["a"], span["span.num_links"]) == ("no link", "b", 1)
    assert "otlp.link.0" not in span


@pytest.mark.parametrize(
    "text",
    [
        "a|{}",
        'a|{"b":1}|',
        "a|{}|x",
        "a|{b}|0",
        "a|{}|-1",
        "a|[1]|0",
        "a|{}|0|",
        "|",
        '{"a":1}',
        '{"a":{"b":1}',
        '{"a":{"b":1},"c":{}}',
        "{}",
        '{"a":{"b":NaN}}',
        '["a"]',
        "",
    ],
)
def test_other_texts_are_names(text: str) -> None:
    found = read([{**SPAN, "annotations": [{"timestamp": START_US, "value": text}]}])
    assert found.events[0].fields.get("name", "") == text
    assert found.refused == []
