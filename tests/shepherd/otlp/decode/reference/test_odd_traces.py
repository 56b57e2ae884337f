"""Spans with odd values, damaged messages and hostile ones: what is kept, and what it costs."""

import math
import tracemalloc

import pytest

from common import limits
from common.scan.events import MalformedBody, Mended, Rule
from common.scan.work_budget import TooMuchWork, Work
from shepherd.otlp.decode.interface import OtlpBody, Signal
from shepherd.otlp.decode.reference.decoder import ReferenceDecoder
from shepherd.otlp.decode.reference.events import TooManyEventBytes
from tests.shepherd.otlp.decode.reference.decoding import (
    decode,
    in_request,
    length_delimited,
    mended,
    stored,
    with_deep_lists,
)
from tests.shepherd.otlp.decode.reference.lines import lines
from tests.shepherd.otlp.messages import (
    ARRIVAL_NS,
    TRACE,
    of_service,
    request,
    span,
)

TRACE_TEXT = TRACE.hex()


def test_numbers_that_are_none_leave_out_their_field_alone() -> None:
    sent = span({"a": math.nan, "b": -math.inf, "c": [1, math.inf], "d": None, "e": 1, "": 2})
    fields = stored(sent, resource={"a": "of the resource"})
    assert fields["a"] == "of the resource"
    assert not {"b", "d", ""} & fields.keys()
    assert (fields["c"], fields["e"]) == ("[1,null]\n", 1)
    assert mended(sent) == {
        Mended(Rule.NOT_FINITE, "a"),
        Mended(Rule.NOT_FINITE, "b"),
        Mended(Rule.NOT_FINITE, "c"),
        Mended(Rule.UNSUPPORTED_VALUE, "d"),
        Mended(Rule.UNSUPPORTED_VALUE, ""),
    }


def test_texts_that_are_not_utf8_are_stored_with_a_mark_where_they_are_not() -> None:
    sent = span({"key": "value", "list": ["value"], "fine": 1}, name="name").SerializeToString()
    damaged = (
        sent.replace(b"value", b"val\xffe").replace(b"key", b"k\xc3y").replace(b"name", b"n\xffme")
    )
    decoded = decode(in_request(damaged))
    (line,) = lines(decoded)["unknown_service"]
    assert line["d"]["name"] == "n\ufffdme"
    assert line["d"]["k\ufffdy"] == "val\ufffde"
    assert line["d"]["list"] == '["val\ufffde"]\n'
    assert line["d"]["fine"] == 1
    ((_, fields),) = decoded.groups[0].events.mended
    assert {field.field for field in fields} == {"name", "k\ufffdy", "list"}
    assert {field.rule for field in fields} == {Rule.NOT_UTF8}


def test_values_within_values_end_at_a_depth() -> None:
    most = limits.OTLP_VALUE_DEPTH_MAX
    decoded = decode(with_deep_lists({"a": most, "b": most + 1, "c": 20_000}))
    (line,) = lines(decoded)["unknown_service"]
    assert line["d"]["a"] == line["d"]["b"] == line["d"]["c"]
    assert line["d"]["a"] == "[" * most + "null" + "]" * most + "\n"
    ((_, faults),) = decoded.groups[0].events.mended
    assert set(faults) == {Mended(Rule.TOO_DEEP, "b"), Mended(Rule.TOO_DEEP, "c")}


def test_fields_beyond_the_limit_are_left_out_but_never_those_of_the_span() -> None:
    sent = span({f"a{number}": number for number in range(10_000)}, trace_state="x=y")
    fields = stored(sent, resource={"b": 1})
    assert len(fields) == limits.EVENT_FIELDS_MAX
    assert fields["trace.trace_id"] == TRACE_TEXT
    assert fields["trace.trace_state"] == "x=y"
    assert "a0" in fields
    assert not {"a9999", "b", "service.name"} & fields.keys()
    assert mended(sent) == {Mended(Rule.TOO_MANY_FIELDS, "(other)")}


def test_exactly_as_many_fields_as_may_be_are_all_stored() -> None:
    usual = len(stored(span()))
    sent = span({f"a{number}": number for number in range(limits.EVENT_FIELDS_MAX - usual)})
    assert len(stored(sent)) == limits.EVENT_FIELDS_MAX
    assert mended(sent) == set()


def test_names_that_are_too_long_are_left_out() -> None:
    longest = "n" * limits.STRING_BYTES_MAX
    sent = span({longest: 1, longest + "n": 2, "é" * 32_768: 3, "a": {longest: 4}})
    fields = stored(sent)
    assert [fields[name] for name in fields if len(name) > 100] == [1]
    assert {one.rule for one in mended(sent)} == {Rule.KEY_TOO_LONG}


def test_long_texts_are_cut_and_named() -> None:
    sent = span({"a": "x" * 70_000, "list": ["y" * 70_000], "b": 1}, name="n" * 70_000)
    fields = stored(sent)
    assert fields["a"] == "x" * limits.STRING_BYTES_MAX
    assert len(fields["list"]) == len(fields["name"]) == limits.STRING_BYTES_MAX
    assert fields["meta.truncated_fields"] == "a,list,name"
    assert {one.field for one in mended(sent)} == {"a", "list", "name"}


def test_texts_in_a_list_beyond_what_can_be_stored_are_not_written() -> None:
    sent = span({"list": ["\x01" * 10_000] * 1_000, "map": {"k" * 10_000: ["\x02" * 10**7]}})
    body = request(of_service(sent))
    tracemalloc.start()
    (group,) = decode(body).groups
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60_000_000  # as JSON in JSON they are 160 MB
    assert len(group.events.lines.text) < 2 * 7 * limits.STRING_BYTES_MAX
    assert {one.rule for one in mended(sent)} == {Rule.STRING_TOO_LONG}


def test_of_an_event_that_is_too_large_the_largest_fields_are_left_out() -> None:
    sent = span({f"a{number:02}": "x" * (50_000 + number) for number in range(30)})
    fields = stored(sent)
    kept = [name for name in fields if name.startswith("a")]
    assert kept == [f"a{number:02}" for number in range(len(kept))]
    assert 15 < len(kept) < 20
    assert fields["trace.trace_id"] == TRACE_TEXT
    rules = {one.rule for one in mended(sent)}
    assert rules == {Rule.TOO_LARGE}
    assert len(mended(sent)) == 30 - len(kept)


def test_unknown_fields_are_skipped() -> None:
    sent = span()
    unknown = b"\x98\x06\x01" + b"\xa1\x06" + bytes(8) + b"\xa5\x06" + bytes(4) + b"\xaa\x06\x01x"
    group_of_fields = b"\xb3\x06\x08\x01\xb3\x06\xb4\x06\xb4\x06"
    sent.MergeFromString(unknown + group_of_fields)
    assert b"\xaa\x06\x01x" in sent.SerializeToString()
    assert stored(sent) == stored(span())
    body = request(of_service(span()))
    assert lines(decode(body + unknown + group_of_fields)) == lines(decode(body))


@pytest.mark.parametrize(
    "body",
    [
        b"\x0a",  # no length
        b"\x0a\x05abc",  # beyond the end
        b"\x0a\x03\x0a\x05a",  # beyond the end of the message around it
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  # 2**64 - 1 bytes
        b"\x00\x01",  # field 0
        b"\x0b\x0c\x0c",  # a group ends twice
        b"\x0b",  # a group without an end
        b"\x0c",  # an end without a group
        b"\x0e\x00",  # wire types 6 and 7
        b"\x0f\x00",
        b"\x08" + b"\xff" * 10,  # a number that does not end
        b"\x09\x01",  # eight bytes of which there is one
        b"\xff\xff\xff\xff\xff\x01\x00",  # a field number that is too large
        request(of_service(span()))[:-1],
        b"GET / HTTP/1.1",
    ],
)
def test_messages_that_are_none(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        decode(body)


def test_work_and_events_are_bounded() -> None:
    fields = b"\x10\x01" * 100_000
    with pytest.raises(TooMuchWork):
        decode(fields, Work(10_000))
    small = [span(name="", trace_id=b"", span_id=b"")] * 700
    large = of_service(*small, resource={"a": "x" * 65_000})
    with pytest.raises(TooManyEventBytes):
        decode(request(large))


@pytest.mark.parametrize("text", ["x" * 1_000_500, "aa" + "€" * 340_000, "a" + "😀" * 260_000])
def test_of_very_long_texts_only_the_beginning_is_read(text: str) -> None:
    sent = span({"t": text, "b": b"\xff" * 1_000_500})
    body = OtlpBody(Signal.TRACES, request(of_service(sent)), ARRIVAL_NS)
    for string_max in (limits.STRING_BYTES_MAX, 600_000):
        (found,) = lines(ReferenceDecoder(string_max).decode(body, Work())).values()
        fields = found[0]["d"]
        assert text.startswith(fields["t"])
        assert len(fields["t"].encode()) >= limits.STRING_BYTES_MAX - 3
        assert set(fields["b"][1:]) == {"/"}
        assert fields["meta.truncated_fields"] == "t,b"
    assert mended(sent) == {Mended(Rule.STRING_TOO_LONG, name) for name in "tb"}


def hostile(size: int) -> dict[str, bytes]:
    """Requests of some bytes that would be far more as objects."""

    def filled(piece: bytes) -> bytes:
        return piece * (size // len(piece))

    def with_value(value: bytes) -> bytes:
        attribute = length_delimited(1, b"a") + length_delimited(2, value)
        return in_request(usual + length_delimited(9, attribute))

    usual = span().SerializeToString()
    bad = {f"a{number}": math.nan for number in range(2_000)}
    return {
        "groups": filled(b"\x0a\x00"),
        "scopes": length_delimited(1, filled(b"\x12\x00")),
        "spans": length_delimited(1, length_delimited(2, filled(b"\x12\x00"))),
        "events": in_request(usual + filled(b"\x5a\x00")),
        "links": in_request(usual + filled(b"\x6a\x00")),
        "attributes": in_request(usual + filled(b"\x4a\x04\x0a\x02xy")),
        "list": with_value(length_delimited(5, filled(b"\x0a\x02\x2a\x00"))),
        "object": with_value(length_delimited(5, filled(b"\x0a\x02\x32\x00"))),
        "text": with_value(length_delimited(1, filled(b"\xff"))),
        "id": in_request(usual + length_delimited(1, filled(b"\xff"))),
        "inherited": request(of_service(*[span()] * 1_000, resource={"a": "x" * 60_000})),
        "mended": request(of_service(*[span(name="")] * (size // 60), resource=bad)),
    }


@pytest.mark.parametrize("kind", hostile(0))
def test_hostile_requests_take_bounded_memory(kind: str) -> None:
    size = 2**14
    body = hostile(size)[kind]
    tracemalloc.start()
    try:
        decode(body, Work(limits.OTLP_WORK_UNITS_MAX))
    except TooManyEventBytes:
        assert kind == "inherited"
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < (2 * limits.OTLP_EVENTS_BYTES_MAX if kind == "inherited" else 500 * size)
