"""What log records become."""

from typing import Any

import orjson
import pytest

from common import limits
from common.scan.events import Mended, Rule
from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import DecodedRequest, OtlpBody, Signal
from shepherd.otlp.decode.reference.decoder import ReferenceDecoder
from tests.shepherd.otlp.messages import ARRIVAL_NS, SPAN, START_NS, TRACE
from tests.shepherd.otlp.signals import logs_of, logs_request, record, wrapped

UNKNOWN = "unknown_log_source"
MAPPING = {"severity": "unspecified", "severity_code": 0, "meta.signal_type": "log"}


def decode(body: bytes, **more: Any) -> DecodedRequest:
    return ReferenceDecoder().decode(OtlpBody(Signal.LOGS, body, ARRIVAL_NS, **more), Work())


def line_of(*args: Any, **members: Any) -> Any:
    """The line of a single record."""
    (group,) = decode(logs_request(logs_of(record(*args, **members)))).groups
    return orjson.loads(group.events.lines.text)


def data_of(*args: Any, **members: Any) -> Any:
    return line_of(*args, **members)["d"]


def test_a_record_with_nothing_has_its_severity() -> None:
    assert line_of() == {"t": START_NS, "r": 1, "d": MAPPING}


def test_every_member_of_a_record_is_a_field() -> None:
    found = data_of(
        "started",
        {"k": 1, "map": {"a": True}},
        severity_number=17,
        severity_text="ERR",
        event_name="app.started",
        trace_id=TRACE,
        span_id=SPAN,
        flags=1,
        dropped_attributes_count=3,
    )
    assert found == {
        "severity": "error",
        "severity_code": 17,
        "severity_text": "ERR",
        "event.name": "app.started",
        "meta.signal_type": "log",
        "flags": 1,
        "trace.trace_id": TRACE.hex(),
        "meta.annotation_type": "span_event",
        "trace.parent_id": SPAN.hex(),
        "body": "started",
        "meta.dropped_attributes_count": 3,
        "k": 1,
        "map.a": True,
    }


@pytest.mark.parametrize(
    ("number", "name"),
    [
        *((0, "unspecified"), (1, "trace"), (4, "trace"), (5, "debug"), (8, "debug"), (9, "info")),
        *((12, "info"), (13, "warn"), (17, "error"), (20, "error"), (21, "fatal"), (24, "fatal")),
        *((25, "unspecified"), (-1, "unspecified")),
    ],
)
def test_severity_has_the_vendors_names(number: int, name: str) -> None:
    found = data_of(severity_number=number)
    assert (found["severity"], found["severity_code"]) == (name, number)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ("text", {"body": "text"}),
        ("", {"body": ""}),
        (7, {"body": 7}),
        (2.5, {"body": 2.5}),
        (False, {"body": False}),
        ([1, "a", None], {"body": '[1,"a",null]\n'}),
        (b"\x01", {"body": '"AQ=="\n'}),
        (
            {"a": 1, "b": {"c": "d"}, "e": [1]},
            {
                "body": '{"a":1,"b":{"c":"d"},"e":[1]}\n',
                "body.a": 1,
                "body.b.c": "d",
                "body.e": "[1]\n",
            },
        ),
        ({}, {}),
        (float("nan"), {}),
    ],
)
def test_a_body_of_any_type(body: Any, fields: dict[str, Any]) -> None:
    assert data_of(body) == MAPPING | fields


def test_own_attributes_come_before_the_mappings_fields_the_scopes_and_the_resources() -> None:
    body = logs_request(
        logs_of(
            record({"x": 1}, {"severity": "mine", "body": "mine", "body.x": "mine"}),
            resource={"r": "resource", "severity": "resource", "library.name": "resource"},
            scope={"name": "scope"},
        )
    )
    (group,) = decode(body).groups
    found = orjson.loads(group.events.lines.text)["d"]
    assert (found["severity"], found["body"], found["body.x"]) == ("mine", "mine", "mine")
    assert (found["r"], found["library.name"]) == ("resource", "scope")


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({"time_unix_nano": 5, "observed_time_unix_nano": 7}, 5),
        ({"time_unix_nano": 0, "observed_time_unix_nano": 7}, 7),
        ({"time_unix_nano": 0}, ARRIVAL_NS),
        ({"time_unix_nano": 0, "observed_time_unix_nano": 2**64 - 1}, ARRIVAL_NS),
        ({"time_unix_nano": 2**63, "observed_time_unix_nano": 7}, 7),
        ({"time_unix_nano": 2**63 - 1}, 2**63 - 1),
    ],
)
def test_the_time_is_the_records_else_when_it_was_observed_else_its_arrival(
    times: dict[str, int], expected: int
) -> None:
    assert line_of(**times)["t"] == expected


def test_ids_of_zeros_are_none_and_short_ids_are_as_they_are() -> None:
    assert data_of(trace_id=bytes(16), span_id=bytes(8)) == MAPPING
    found = data_of(trace_id=bytes(8) + TRACE[:8], span_id=b"\x01")
    assert (found["trace.trace_id"], found["trace.parent_id"]) == (TRACE[:8].hex(), "01")
    assert "meta.annotation_type" not in data_of(span_id=SPAN)


@pytest.mark.parametrize(
    ("service", "header", "dataset"),
    [
        ("web", "h", "web"),
        (" web ", "", "web"),
        ("unknown_service:python", "h", "h"),
        (" unknown_service", "", UNKNOWN),
        ("", "h", "h"),
        (None, "", UNKNOWN),
        (7, "", UNKNOWN),
    ],
)
@pytest.mark.parametrize("classic", [False, True])
def test_the_dataset_is_the_service_else_the_headers_with_any_key(
    service: Any, header: str, dataset: str, classic: bool
) -> None:
    resource = {} if service is None else {"service.name": service}
    body = logs_request(logs_of(record(), resource=resource))
    (group,) = decode(body, dataset=header, classic=classic).groups
    assert group.dataset == dataset


def test_the_sample_rate_is_an_attributes() -> None:
    found = line_of(None, {"SampleRate": 4, "sampleRate": 0})
    assert (found["r"], found["d"]) == (4, MAPPING)
    assert line_of(None, {"sampleRate": "2.5"})["r"] == 3
    body = logs_request(logs_of(record(None, {"sampleRate": 2}), resource={"SampleRate": 9}))
    (group,) = decode(body).groups
    assert orjson.loads(group.events.lines.text)["r"] == 2


def test_a_body_with_too_many_members_is_cut_and_the_record_is_stored() -> None:
    many = {f"k{number}": number for number in range(3_000)}
    (group,) = decode(logs_request(logs_of(record(many, {"own": 1})))).groups
    found = orjson.loads(group.events.lines.text)["d"]
    assert len(found) == limits.EVENT_FIELDS_MAX
    assert (found["own"], found["body.k0"], found["meta.signal_type"]) == (1, 0, "log")
    assert Mended(Rule.TOO_MANY_FIELDS, "(other)") in group.events.mended[0][1]


def test_wrong_utf8_and_an_infinite_number_harm_only_their_field() -> None:
    message = record("good", {"k": 1, "inf": float("inf")}, severity_text="zz").SerializeToString()
    (group,) = decode(wrapped(message.replace(b"zz", b"\xffz"))).groups
    found = orjson.loads(group.events.lines.text)["d"]
    assert (found["body"], found["k"], found["severity_text"]) == ("good", 1, "\ufffdz")
    assert set(group.events.mended[0][1]) == {
        Mended(Rule.NOT_FINITE, "inf"),
        Mended(Rule.NOT_UTF8, "severity_text"),
    }
