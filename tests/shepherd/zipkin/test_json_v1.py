"""Version 1 of Zipkin's JSON: kinds, times, endpoints from annotations; one object, two spans."""

from typing import Any

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given

from shepherd.zipkin.media import Form
from tests.shepherd.zipkin.reading import ARRIVAL_NS, Event, Read, read

US = 1_795_248_341_000_000
WEB = {"serviceName": "web", "ipv4": "10.0.0.1", "port": 80}
USERS = {"serviceName": "users", "ipv4": "10.0.0.2", "port": 8080}
IDS = {"traceId": "a3ce929d0e0e4736", "id": "2", "parentId": "1", "name": "get"}


def note(value: str, after_us: int, at: object = WEB) -> dict[str, Any]:
    return {"value": value, "timestamp": US + after_us, "endpoint": at}


def binary(key: str, value: object, at: object = WEB) -> dict[str, Any]:
    return {"key": key, "value": value, "endpoint": at}


def of(span: dict[str, Any]) -> Read:
    return read([{**IDS, **span}], form=Form.JSON_V1)


def spans(span: dict[str, Any]) -> list[Event]:
    return [e for e in of(span).events if "meta.annotation_type" not in e.fields]


def test_a_client_span() -> None:
    (event,) = spans(
        {
            "timestamp": US,
            "duration": 500,
            "annotations": [note("cs", 0), note("cr", 500)],
            "binaryAnnotations": [
                binary("http.path", "/users"),
                binary("http.status_code", "200"),
                binary("sa", True, USERS),
            ],
        }
    )
    assert (event.dataset, event.time_ns) == ("web", US * 1_000)
    assert event.fields == {
        "trace.trace_id": "a3ce929d0e0e4736",
        "trace.span_id": "0" * 15 + "2",
        "trace.parent_id": "0" * 15 + "1",
        "name": "get",
        "service.name": "web",
        "type": "client",
        "span.kind": "client",
        "duration_ms": 0.5,
        "span.num_events": 0,
        "meta.signal_type": "trace",
        "network.local.address": "10.0.0.1",
        "network.local.port": 80,
        "network.peer.address": "10.0.0.2",
        "network.peer.port": 8080,
        "peer.service": "users",
        "http.path": "/users",
        "http.status_code": 200,
    }


def test_a_server_that_has_begun_its_span() -> None:
    (event,) = spans(
        {
            "timestamp": US + 1,
            "duration": 90,
            "annotations": [note("sr", 1, USERS), note("ss", 91, USERS)],
            "binaryAnnotations": [binary("ca", True, WEB)],
        }
    )
    assert (event.dataset, event.fields["span.kind"]) == ("users", "server")
    assert event.fields["peer.service"] == "web"
    assert "shared" not in event.fields


def test_a_server_that_joined_its_clients_span_has_times_from_its_annotations() -> None:
    (event,) = spans({"annotations": [note("sr", 10, USERS), note("ss", 60, USERS)]})
    assert event.time_ns == (US + 10) * 1_000
    assert (event.fields["duration_ms"], event.fields["shared"]) == (0.05, True)


def test_both_sides_in_one_object_are_two_spans() -> None:
    client, server = spans(
        {
            "timestamp": US,
            "duration": 100,
            "annotations": [
                note("cs", 0),
                note("sr", 20, USERS),
                note("ss", 70, USERS),
                note("cr", 100),
                note("retry", 5),
            ],
            "binaryAnnotations": [
                binary("client.tag", "c"),
                binary("server.tag", "s", USERS),
                binary("ca", True, WEB),
                binary("sa", True, USERS),
            ],
        }
    )
    assert (client.dataset, server.dataset) == ("web", "users")
    assert (client.fields["duration_ms"], server.fields["duration_ms"]) == (0.1, 0.05)
    assert server.time_ns - client.time_ns == 20_000
    assert client.fields["trace.span_id"] == server.fields["trace.span_id"]
    assert "shared" not in client.fields
    assert server.fields["shared"] is True
    assert (client.fields["client.tag"], server.fields["server.tag"]) == ("c", "s")
    assert not {"server.tag", "ca"} & client.fields.keys()
    assert (client.fields["peer.service"], server.fields["peer.service"]) == ("users", "web")
    assert (client.fields["span.num_events"], server.fields["span.num_events"]) == (1, 0)


def test_both_sides_in_one_service_are_two_spans_too() -> None:
    found = spans({"annotations": [note("cs", 0), note("sr", 1), note("ss", 2), note("cr", 3)]})
    assert [event.fields["span.kind"] for event in found] == ["client", "server"]


@pytest.mark.parametrize(
    ("notes", "kind", "begin", "ms"),
    [
        ([note("cs", 5)], "client", 5, None),
        ([note("cr", 5)], "client", 5, None),
        ([note("ms", 5), note("ws", 8)], "producer", 5, 0.003),
        ([note("wr", 5), note("mr", 8)], "consumer", 5, 0.003),
        ([note("mr", 5)], "consumer", 5, None),
        ([note("cs", 5), note("cr", 3)], "client", 5, 0.0),
    ],
)
def test_kinds_and_times_from_annotations(
    notes: list[dict[str, Any]], kind: str, begin: int, ms: float | None
) -> None:
    (event,) = spans({"annotations": notes})
    assert event.fields["span.kind"] == kind
    assert event.time_ns == (US + begin) * 1_000
    assert event.fields.get("duration_ms") == ms
    assert event.fields.get("meta.invalid_duration") == (True if ms == 0.0 else None)


def test_local_work_has_no_kind_and_the_endpoint_of_what_is_noted() -> None:
    (event,) = spans(
        {
            "timestamp": US,
            "duration": 0,
            "binaryAnnotations": [binary("lc", "parser", USERS), binary("n", "7", USERS)],
        }
    )
    assert event.dataset == "users"
    assert "span.kind" not in event.fields
    assert (event.fields["lc"], event.fields["n"]) == ("parser", 7)
    assert event.fields["duration_ms"] == 0.0


@pytest.mark.parametrize(("key", "kind"), [("sa", "client"), ("ca", "server"), (None, None)])
def test_an_address_alone(key: str | None, kind: str | None) -> None:
    address = {"value": True, "endpoint": USERS} | ({"key": key} if key else {})
    (event,) = spans({"binaryAnnotations": [binary("a", "b"), address]})
    assert (event.dataset, event.fields.get("span.kind")) == ("web", kind)
    assert event.fields["peer.service"] == "users"


def test_an_address_for_no_side_is_counted() -> None:
    found = of({"annotations": [note("cs", 0)], "binaryAnnotations": [binary("ca", True, USERS)]})
    assert found.mended == [("unsupported_value", "binaryAnnotations")]
    assert "peer.service" not in found.events[0].fields


def test_the_tag_error_and_other_annotations() -> None:
    found = of(
        {
            "timestamp": US,
            "annotations": [note("cs", 0), note("error", 2)],
            "binaryAnnotations": [binary("error", "timeout"), binary("raw", None)],
        }
    )
    event, span = found.events
    assert (event.fields["name"], event.fields["meta.annotation_type"]) == ("error", "span_event")
    assert (span.fields["error"], span.fields["status_message"]) == (True, "timeout")
    assert "raw" not in span.fields


def test_a_span_with_nothing_but_ids() -> None:
    (event,) = spans({})
    assert (event.dataset, event.time_ns) == ("unknown_service", ARRIVAL_NS)


JSON = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=5)
NAMES = st.sampled_from(["cs", "cr", "sr", "ss", "ms", "mr", "wr", "ws", "x", ""])
HOST = st.none() | st.fixed_dictionaries({"serviceName": st.sampled_from(["a", "b", ""])}) | JSON
NOTE = st.fixed_dictionaries({"value": NAMES, "timestamp": JSON, "endpoint": HOST}) | JSON
BINARY = JSON | st.fixed_dictionaries(
    {"key": st.sampled_from(["sa", "ca", "ma", "lc", "error", ""]), "value": JSON, "endpoint": HOST}
)


@given(st.lists(NOTE, max_size=6), st.lists(BINARY, max_size=6), JSON, JSON)
def test_anything_in_it_is_one_or_two_spans(
    notes: list[Any], binaries: list[Any], timestamp: object, duration: object
) -> None:
    given = {"annotations": notes, "binaryAnnotations": binaries}
    found = of({**given, "timestamp": timestamp, "duration": duration})
    own = [e for e in found.events if "meta.annotation_type" not in e.fields]
    assert found.refused == []
    assert 1 <= len(own) <= 4
    assert len({event.fields.get("trace.span_id") for event in own}) == 1
    orjson.dumps([event.fields for event in own])
