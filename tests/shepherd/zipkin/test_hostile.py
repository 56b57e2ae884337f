"""One span's fault refuses no other; a body that cannot be read is refused whole, within bounds."""

import json
from typing import Any

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given

from common import limits
from common.errors import BadRequest
from common.scan.events import MalformedBody
from common.scan.work_budget import TooMuchWork, Work
from shepherd.http.body import EmptyBody
from shepherd.zipkin.json import body
from shepherd.zipkin.media import Form
from tests.shepherd.zipkin.reading import read

GOOD: dict[str, Any] = {"traceId": "1", "id": "2", "name": "good"}
GOOD_JSON = orjson.dumps(GOOD)


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        (b"7", "not_an_object"),
        (b"null", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"[]", "not_an_object"),
        (b"NaN", "not_an_object"),
        (b"{}", "data_empty"),
        (b'{"duration":5}', "data_empty"),
        (b'{"name":"\xff"}', "not_utf8"),
        (b'{"name":"x","tags":{"a":%b}}' % (b"[" * 2_000 + b"]" * 2_000), "too_deep"),
    ],
)
def test_a_refused_span_leaves_its_neighbours(bad: bytes, rule: str) -> None:
    found = read(b"[%b,%b,%b]" % (GOOD_JSON, bad, GOOD_JSON))
    assert [event.fields["name"] for event in found.events] == ["good", "good"]
    assert found.refused == [(1, rule)]


@pytest.mark.parametrize(
    ("bad", "fields", "mended"),
    [
        (b'{"name":"x","tags":{"a":NaN,"b":"1"}}', {"b": 1}, [("not_finite", "tags.a")]),
        (b'{"name":"x","duration":-Infinity}', {}, [("not_finite", "duration")]),
        (b'{"name":"\\ud800","tags":{"a":"1"}}', {"name": "\ufffd", "a": 1}, []),
        (b'{"name":"x","tags":[1]}', {}, [("unsupported_value", "tags")]),
        (b'{"name":"x","tags":{"a":1e999}}', {}, [("number_out_of_range", "tags.a")]),
        (b'{"name":"x","tags":{"a":18446744073709551616}}', {"a": 1.8446744073709552e19}, []),
        (
            b'{"name":"x","annotations":[7,{"value":["y"]}]}',
            {},
            [("unsupported_value", "annotations"), ("unsupported_value", "value")],
        ),
        (b'{"name":{"x":1},"id":"5"}', {}, [("unsupported_value", "name")]),
        (b'{"name":"x","localEndpoint":"web"}', {}, [("unsupported_value", "localEndpoint")]),
        (b'{"name":"x","future":{"deep":[1]}}', {"name": "x"}, []),
    ],
)
def test_a_bad_value_costs_neither_its_span_nor_others(
    bad: bytes, fields: dict[str, object], mended: list[tuple[str, str]]
) -> None:
    found = read(b"[%b,%b,%b]" % (GOOD_JSON, bad, GOOD_JSON))
    assert found.refused == []
    own = [event.fields for event in found.events if "meta.annotation_type" not in event.fields]
    assert [own[0]["name"], own[-1]["name"]] == ["good", "good"]
    assert len(own) == 3
    assert fields.items() <= own[1].items()
    assert found.mended == mended


def test_tags_that_are_too_many_or_too_large_are_left_out_and_counted() -> None:
    many = {f"k{n}": "v" for n in range(3_000)}
    found = read([GOOD, {**GOOD, "tags": many}, {**GOOD, "tags": {"k" * 70_000: "v", "a": "b"}}])
    assert found.refused == []
    _, first, second = (event.fields for event in found.events)
    assert len(first) == limits.EVENT_FIELDS_MAX
    assert (first["name"], first["k0"], second["a"]) == ("good", "v", "b")
    assert found.mended == [("too_many_fields", "(other)"), ("key_too_long", "k" * 100)]
    large = {f"k{n}": "x" * 60_000 for n in range(40)}
    found = read([{**GOOD, "tags": {**large, "small": "1"}}])
    (event,) = found.events
    assert (event.fields["name"], event.fields["small"]) == ("good", 1)
    assert len(event.fields) < 25
    assert {rule for rule, _ in found.mended} == {"too_large"}
    note = orjson.dumps({"e": {f"k{n}": n for n in range(3_000)}}).decode()
    found = read([{**GOOD, "annotations": [{"value": note}]}])
    assert [event.fields["name"] for event in found.events] == ["e", "good"]


@pytest.mark.parametrize("depth", [254, 300, 1_000])
def test_tags_nested_deeper_than_they_can_be_written_are_left_out(depth: int) -> None:
    deep = b"[" * depth + b"]" * depth
    found = read(b'[%b,{"id":"5","name":"x","tags":{"a":%b,"b":"1"}}]' % (GOOD_JSON, deep))
    assert found.events[-1].fields["b"] == 1
    assert ("a" in found.events[-1].fields) == (depth < 255)
    assert found.mended == ([] if depth < 255 else [("too_deep", "tags")])
    note = (b'{"e":{"a":{"b":%b}}}' % deep).decode()
    events = read([{**GOOD, "annotations": [{"value": note}]}]).events
    names = [event.fields["name"] for event in events]
    assert names == ["e" if depth < 255 else note, "good"]


def test_many_annotations_of_version_1_cost_their_number_and_not_the_square() -> None:
    at = {"endpoint": {"serviceName": "peer"}}
    span = {
        **GOOD,
        "annotations": [{"value": "x"}] * 20_000,
        "binaryAnnotations": [{"key": "sa", "value": True, **at}] * 20_000,
    }
    found = read([span], form=Form.JSON_V1)
    assert len(found.events) == 20_001
    assert found.events[-1].fields["peer.service"] == "peer"


def test_more_values_than_honest_spans_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "_VALUES_MAX", 1_000)
    monkeypatch.setattr(limits, "OTLP_EVENTS_MAX", 500)
    with pytest.raises(MalformedBody, match="objects and lists"):
        read(b"[{%b}]" % (b"[]," * 1_000))
    with pytest.raises(MalformedBody, match=r"more than 500 spans\)"):  # and not, and annotations
        read(b"[%b0]" % (b"0," * 2_001))
    many = b'{"name":"x","tags":{"a":[%b0]}}' % (b"0," * 1_001)
    found = read(b"[%b,%b]" % (GOOD_JSON, many))
    assert [event.fields["name"] for event in found.events] == ["good"]
    assert found.refused == [(1, "too_large")]


def test_long_strings_are_cut_and_marked() -> None:
    found = read([{**GOOD, "tags": {"long": "x" * 70_000}}])
    (event,) = found.events
    assert len(event.fields["long"]) == limits.STRING_BYTES_MAX
    assert event.fields["meta.truncated_fields"] == "long"
    assert found.mended == [("string_too_long", "long")]
    whole = read([{**GOOD, "tags": {"long": "x" * 70_000}}], string_max=100_000)
    assert len(whole.events[0].fields["long"]) == 70_000


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"traceId":"1","id":"2"}', "JSON array"),
        (b"7", "JSON array"),
        (b"[", "unexpected end"),
        (b'[{"id":"1"}', "unexpected end"),
        (b'[{"id":"1"},]', "expected a value"),
        (b'[{"id":"1"}] x', "text after the end"),
        (b"[{id:1}]", ""),
        (b'[{"id":"1"}\x00]', ""),
        (b"\x1f\x8b", ""),
        (b"[" * 200_000, "deeper"),
    ],
)
def test_bodies_that_cannot_be_read(body: bytes, why: str) -> None:
    with pytest.raises(MalformedBody) as raised:
        read(body)
    assert why in str(raised.value)


@pytest.mark.parametrize("body", [b"", b" \n"])
def test_empty_bodies(body: bytes) -> None:
    with pytest.raises(EmptyBody):
        read(body)


def test_no_spans_at_all() -> None:
    assert read(b"[]").events == []


def test_few_bytes_do_not_become_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OTLP_EVENTS_BYTES_MAX", 2_000_000)
    span = {**GOOD, "name": "n" * 60_000, "annotations": [{"value": "a"}] * 500}
    with pytest.raises(MalformedBody, match="its events have more than"):
        read([span])


def test_too_many_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OTLP_EVENTS_MAX", 1_000)
    with pytest.raises(MalformedBody, match="more than 1000 spans and annotations"):
        read(b"[%b]" % b",".join([b"{}"] * 1_001))
    with pytest.raises(MalformedBody, match="more than 1000 spans"):
        read(b"[%b,NaN]" % b",".join([b"{}"] * 1_001))
    assert read(b"[%b]" % b",".join([GOOD_JSON] * 1_000)).refused == []


def test_work_is_counted() -> None:
    with pytest.raises(TooMuchWork):
        read([GOOD] * 100, work=Work(50))
    with pytest.raises(TooMuchWork):
        read(b"[%b,NaN]" % b",".join([GOOD_JSON] * 1_000), work=Work(2_000))


def status(body: bytes) -> int:
    """How a body is answered."""
    try:
        read(body)
    except BadRequest as error:
        return error.status
    return 202


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["1", "-1", "1e400", "error", '{"a":{"b":1}}', "0" * 40]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=4,
)
MEMBERS = ["traceId", "id", "parentId", "name", "kind", "timestamp", "duration", "debug", "shared"]
MEMBERS += ["localEndpoint", "remoteEndpoint", "annotations", "tags"]
ENDPOINT = st.dictionaries(st.sampled_from(["serviceName", "ipv4", "ipv6", "port"]), JSON)
ANNOTATION = st.fixed_dictionaries({}, optional={"timestamp": JSON, "value": JSON})
SPANS = st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=13) | st.fixed_dictionaries(
    {},
    optional={
        "id": JSON,
        "timestamp": JSON,
        "localEndpoint": ENDPOINT,
        "annotations": st.lists(
            st.fixed_dictionaries({}, optional={"timestamp": JSON, "value": JSON})
        ),
        "tags": st.dictionaries(st.text(max_size=10), JSON, max_size=5),
    },
)


@given(st.lists(SPANS | JSON, max_size=3))
def test_any_json_is_read_and_neighbours_are_kept(spans: list[object]) -> None:
    body = json.dumps([GOOD, *spans, GOOD]).encode()  # also NaN and lone surrogates
    found = read(body)
    assert [event.fields["name"] for event in found.events if event.fields.get("name") == "good"]
    assert found.events[0].fields["name"] == "good"
    assert found.events[-1].fields["name"] == "good"
    spans_in = len(found.refused) + sum(
        "meta.annotation_type" not in event.fields for event in found.events
    )
    assert spans_in >= len(spans) + 2


@given(st.binary(max_size=200))
def test_any_bytes_are_a_clear_refusal_or_read(body: bytes) -> None:
    assert status(body) in (202, 400)


@given(st.data())
def test_any_damage_to_a_body_is_a_clear_refusal_or_read(data: st.DataObject) -> None:
    body = bytearray(orjson.dumps([{**GOOD, "tags": {"a": "é"}, "timestamp": 5}] * 3))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    assert status(bytes(body)) in (202, 400)
