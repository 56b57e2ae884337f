"""msgpack bodies: spans agree with the unpacker, repeated keys are kept, depth is bounded (I9)."""

from collections.abc import Callable

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.scan import fast_msgpack
from common.scan.events import Accepted, EventFault, MalformedBody, Refused, Rule
from common.scan.msgpack_events import check_msgpack_event, split_msgpack_batch
from common.scan.msgpack_spans import array_spans

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text()
    | st.binary() | st.builds(msgpack.ExtType, st.integers(0, 127), st.binary(max_size=20)),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(), inner, max_size=20),
    max_leaves=30,
)  # fmt: skip


FLOATS = (
    st.sampled_from(
        [0.0, -0.0, 1.0, 0.1, 1e-4, 9.999e-5, 1e15, 9999999999999998.0, 1e16, 1e22, -1e300, 5e-324]
    )
    | st.floats()
)
FIELDS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | FLOATS | st.text(max_size=9)
    | st.builds(msgpack.Timestamp, st.integers(0, 2**40), st.just(5)) | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=3) | st.integers(0, 9), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "data": st.dictionaries(st.text(max_size=3), FIELDS, max_size=4) | FIELDS,
        "time": FIELDS | st.integers(0, 2**31),
        "samplerate": FIELDS | st.integers(1, 9),
        "other": FIELDS,
    },
)


def outcomes(split: Callable[[bytes, int, int], object], body: bytes, depth: int) -> object:
    try:
        return split(body, depth, 5)
    except MalformedBody as error:
        return str(error)


def packed_strangely(pairs: list[tuple[object, object]]) -> bytes:
    """A map whose keys may repeat."""
    return bytes([0x80 | len(pairs)]) + b"".join(
        msgpack.packb(name) + msgpack.packb(value) for name, value in pairs
    )


@given(st.lists(EVENTS | FIELDS, max_size=4), st.integers(0, 2), st.sampled_from([0, 1, 3]))
def test_fast_splitter_gives_what_the_reference_gives(
    events: list[object], depth: int, cut: int
) -> None:
    body = msgpack.packb(events)
    body = body[: len(body) - cut]
    assert outcomes(fast_msgpack.split_batch, body, depth) == outcomes(
        split_msgpack_batch, body, depth
    )


@pytest.mark.parametrize(
    "event",
    [
        packed_strangely([("data", {"a": 1}), ("data", {"b": 1})]),
        packed_strangely([("data", {"a": 1}), (b"data", {"b": 1})]),
        packed_strangely([("data", {"a": 1}), (1, 2), (True, 3), ([1], 4), ({}, 5)]),
        b"\x81\xa4data" + packed_strangely([("a", 1), ("a", None)]),
        b"\x81\xa4data" + packed_strangely([("a", 1), (b"a", 2), (7, 3)]),
        b"\x81\xa4data\x81\xa1\xff\x01",
        b"\x81\xa4data\x81\xa1a\xa1\xff",
        b"\x81\xa4data\x81\xa1a" + b"\x91" * 250 + b"\x01",
        b"\x81\xa4data\x81\xa1a" + b"\x91" * 300 + b"\x01",
        msgpack.packb({"data": {"a": "x" * 65_536}}),
        msgpack.packb({"data": {"a": {f"k{n}": n for n in range(2_001)}}}),
        msgpack.packb({"data": {"a": msgpack.ExtType(5, b"x")}}),
        b"\x81\xa4data\x81\xa1a\xd6\xa4abcd",
        b"\x82\xd6\xa4abcd\x01\xa4data\x81\xa1a\x01",
        msgpack.packb({"data": {"a": ['\n\u2028"', 1.5, None, True]}, "time": 1_700_000_000.25}),
    ],
)
def test_strange_events_come_out_the_same_in_the_fast_way(event: bytes) -> None:
    body = b"\x92" + event + msgpack.packb({"data": {"n": 1.5}})
    for depth in (0, 1):
        assert outcomes(fast_msgpack.split_batch, body, depth) == outcomes(
            split_msgpack_batch, body, depth
        )


@pytest.mark.parametrize("kind", [0, 5, 127, 128, 164, 254])
def test_an_extension_refuses_its_own_event_whatever_its_type(kind: int) -> None:
    event = b"\x81\xa4data\x81\xa1a\xd6" + bytes([kind]) + b"abcd"
    refused, accepted = split_msgpack_batch(
        b"\x92" + event + msgpack.packb({"data": {"n": 1}}), 0, 1
    )
    assert isinstance(refused, Refused)
    assert refused.rule is Rule.UNSUPPORTED_VALUE
    assert accepted == Accepted(1, 1, b'{"n":1}')


@given(FIELDS | st.dictionaries(st.text(max_size=3), FIELDS, max_size=4), st.integers(0, 2))
def test_fast_single_event_gives_what_the_reference_gives(value: object, depth: int) -> None:
    def run(check: Callable[[bytes, int], bytes]) -> object:
        try:
            return check(msgpack.packb(value), depth)
        except (EventFault, MalformedBody) as error:
            return type(error), str(error)

    assert run(fast_msgpack.check_event) == run(check_msgpack_event)


@given(st.lists(VALUES, max_size=5), st.sampled_from([b"", b"\x00"]))
def test_spans_are_those_of_the_elements(items: list[object], tail: bytes) -> None:
    packed = [msgpack.packb(item) for item in items]
    body = msgpack.packb(items) + tail
    if tail:
        with pytest.raises(ValueError, match="after"):
            array_spans(body)
        return
    assert [body[begin:end] for begin, end in array_spans(body)] == packed


def test_large_lengths_and_truncations_are_told() -> None:
    body = msgpack.packb([["x" * 300], b"y" * 70_000, list(range(70_000)), 1.5])
    assert len(array_spans(body)) == 4
    for cut in (1, 5, 400, len(body) - 1):
        with pytest.raises(ValueError, match="truncated"):
            array_spans(body[:cut])
    with pytest.raises(ValueError, match="not msgpack"):
        array_spans(b"\x91\xc1")


def test_repeated_keys_stay_in_order() -> None:
    body = b"\x91\x81\xa4data\x82\xa1a\x01\xa1a\x02"
    assert split_msgpack_batch(body, 0, 5) == [Accepted(5, 1, b'{"a":1,"a":2}')]


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (None, 5),
        (1_700_000_000, 1_700_000_000 * 10**9),
        (1_700_000_000_123, 1_700_000_000_123 * 10**6),
        (1_700_000_000.123456, 1_700_000_000_123_456_000),
        ("2023-11-14T22:13:20.5Z", 1_700_000_000_500_000_000),
        (msgpack.Timestamp(1, 1), 10**9 + 1),
        (msgpack.Timestamp(-1, 0), -(10**9)),
        (msgpack.Timestamp(0, 0), 5),
        (msgpack.Timestamp(-62_135_596_800, 0), 5),
        (msgpack.Timestamp(-62_135_596_800 + 3_600, 1), 5),
        ("0001-01-01T00:00:00Z", 5),
        ("", 5),
        ("0", 5),
        (0, 5),
        (0.0, 5),
        (-0.0, 5),
        (-62_135_596_800, 5),
        (-62_135_596_800.0, 5),
    ],
)
def test_time_forms_of_msgpack(time: object, expected: int) -> None:
    body = msgpack.packb([{"time": time, "data": {"a": 1}}])
    assert split_msgpack_batch(body, 0, 5) == [Accepted(expected, 1, b'{"a":1}')]


@pytest.mark.parametrize(
    ("member", "rule"),
    [
        ({"time": True}, Rule.TIME),
        ({"time": [1]}, Rule.TIME),
        ({"time": float("nan")}, Rule.TIME),
        ({"time": msgpack.Timestamp(2**40, 0)}, Rule.TIME),
        ({"time": msgpack.Timestamp(-62_104_060_800, 0)}, Rule.TIME),
        ({"time": msgpack.Timestamp(-62_167_219_201, 0)}, Rule.TIME),
        ({"data": {"k" * 65_536: float("nan")}}, Rule.KEY_TOO_LONG),
        ({"data": {"a": msgpack.Timestamp(2**40, 0)}}, Rule.UNSUPPORTED_VALUE),
        ({"data": {str(n): n for n in range(2_001)}}, Rule.TOO_MANY_FIELDS),
    ],
)
def test_bad_members_are_named(member: dict[str, object], rule: Rule) -> None:
    (outcome,) = split_msgpack_batch(msgpack.packb([{"data": {"a": 1}, **member}]), 0, 5)
    assert isinstance(outcome, Refused)
    assert outcome.rule is rule


def test_deep_nesting_anywhere_neither_recurses_nor_takes_long() -> None:
    with pytest.raises(MalformedBody):
        split_msgpack_batch(b"\x91" * 1_000_000, 0, 5)
    deep = b"\x91" * 1_000_000 + b"\xc0"
    (outcome,) = split_msgpack_batch(b"\x91" + deep, 0, 5)
    assert isinstance(outcome, Refused)
