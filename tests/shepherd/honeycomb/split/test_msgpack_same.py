"""The compiled splitter gives of msgpack what the reference gives: lines, refusals, errors (I9)."""

import random
import struct
from collections.abc import Iterator

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import limits
from shepherd.honeycomb.media import Media
from shepherd.honeycomb.split.compiled.splitter import KernelSplitter
from shepherd.honeycomb.split.kernel import memory
from tests.common.scan.test_msgpack import EVENTS, FIELDS
from tests.generate import wide_event
from tests.shepherd.honeycomb.split import same
from tests.shepherd.honeycomb.split.packed import (
    BODIES,
    GOOD,
    SAMPLE,
    TIMES,
    any_body,
    container,
    event,
    in_every_width,
    scalars,
    text_in_every_width,
)
from tests.shepherd.honeycomb.split.same import NOW, Told, exact, outcome, told

PACKED = Media.MSGPACK


def assert_same(splitter: KernelSplitter, body: bytes, depth: int = 0) -> tuple[object, ...]:
    return same.assert_same(splitter, body, depth, PACKED)


@pytest.mark.parametrize("body", BODIES)
def test_bodies_at_the_edge(splitter: KernelSplitter, body: bytes) -> None:
    for depth in range(3):
        assert_same(splitter, body, depth)


def test_every_scalar_as_a_value_and_as_a_name(splitter: KernelSplitter) -> None:
    for value in scalars():
        for one in (event(value), event(b"\x91" + value), event(b"\x02", name=value), value):
            assert_same(splitter, container([GOOD, one, GOOD], is_map=False), 1)


def test_every_form_of_a_time_and_a_rate(splitter: KernelSplitter) -> None:
    texts = (b"2023-11-14T22:13:20.5Z", b"2023-11-14T22:13:20.25+01:00", b"1700000000", b" 1.5 ",
             b"2023-11-14T22:13:20.5", b"", b"yesterday", b"1.5" + b"0" * 90, b"1700000000.25",
             b"1700000000.", b".5", b"01700000000", b"9223372036.854775808")  # fmt: skip
    times = [*TIMES, *(one for text in texts for one in text_in_every_width(text))]
    rates = [one for rate in (0, 1, 7, 2**31 - 1, 2**31, -1, 2**63) for one in in_every_width(rate)]
    rates += [b"\xc0", b"\xc3", b"\xa12", b"\x80", b"\xcb" + struct.pack(">d", 2.0)]
    for time in times:  # a digit behind a time is not part of it
        body = container([b"\xa4data\x81\xa1a\x01", b"\xa4time" + time, b"\x30\x31"], is_map=False)
        assert_same(splitter, b"\x91\x83" + body[1:])
    for rate in rates:
        assert_same(splitter, b"\x91\x82\xaasamplerate" + rate + b"\xa4data\x81\xa1a\x01")


@given(st.lists(EVENTS | FIELDS, max_size=4), st.integers(0, 3), st.sampled_from([0, 0, 1, 3]))
def test_generated_bodies(
    splitter: KernelSplitter, events: list[object], depth: int, cut: int
) -> None:
    body = msgpack.packb(events)
    assert_same(splitter, body[: len(body) - cut], depth)


def test_random_bodies_of_every_form(splitter: KernelSplitter) -> None:
    dice = random.Random(17)
    some = scalars()
    plain = [value for value in some if len(exact(b"\x91" + event(value), 0, PACKED)[-1:][0]) == 0]
    assert len(plain) > 100
    for at in range(1_000):
        assert_same(splitter, any_body(dice, plain if at % 4 else some), at % 3)


@given(st.text(max_size=80), st.integers(0, 40))
def test_any_text(splitter: KernelSplitter, text: str, before: int) -> None:
    for value in text_in_every_width(b"y" * before + text.encode()):
        found = assert_same(splitter, b"\x91" + event(value, name=value))
        assert found[0] == 1


def test_text_ends_where_its_length_says(splitter: KernelSplitter) -> None:
    """Whatever the next byte is, also one that would go on as a character."""
    for text in ("é", "x" * 31 + "é", "€" * 11, "\n"):
        for head in (b"\x01", b"\xa1x", b"\x81\xa1a\x01", b"\xc0", b"\xe0", b"\x90"):
            for value in text_in_every_width(text.encode()):
                data = container([b"\xa1a", value, value, head], is_map=True)
                body = container([b"\xa4data", data], is_map=True)
                assert_same(splitter, b"\x92" + body + GOOD)


def events_at_limits() -> Iterator[bytes]:
    over = limits.STRING_BYTES_MAX + 1
    for size in (over - 1, over):
        value = text_in_every_width(b"x" * size)[-1]
        yield from (event(value), event(b"\x01", name=value), event(b"\x91" + value))
        yield event(text_in_every_width(b"\x01" * size)[-1])
    for fields in (limits.EVENT_FIELDS_MAX, limits.EVENT_FIELDS_MAX + 1):
        yield msgpack.packb({"data": {f"k{n}": n for n in range(fields)}})
        yield msgpack.packb({"data": {"o": {f"k{n}": [{"x": n}] for n in range(fields)}}})
        yield msgpack.packb({"data": {"o": {f"k{n}": {} for n in range(fields - 1)}, "p": {}}})
    most = limits.UNPACKED_NAME_BYTES_MAX
    for size in (most, most + 1):
        names = [*(f"n{at:03d}" for at in range(199)), "r" * (size - 199 * 2_505 - 2_501)]
        yield msgpack.packb({"data": {"x" * 2_500: dict.fromkeys(names, (1,)), "y": 2}})
        names[-1] = names[-1][2_503:]
        yield msgpack.packb({"data": {"x" * 2_500: {**dict.fromkeys(names), "é": {}}, "y": 2}})
    for levels in (limits.NESTING_DEPTH_MAX - 1, limits.NESTING_DEPTH_MAX, 600, 2_000):
        yield event(b"\x91" * levels + b"\x01")
        yield event(b"\x91" * (levels - 1) + b"\x90")
        yield event(b"\x81\xa1a" * levels + b"\x01")


def test_events_at_and_beyond_every_limit(splitter: KernelSplitter) -> None:
    for one in events_at_limits():
        for depth in (0, 1):
            assert_same(splitter, b"\x93" + GOOD + one + GOOD, depth)


def test_events_as_large_as_any_may_be(splitter: KernelSplitter) -> None:
    events = []
    for size in (limits.EVENT_BYTES_MAX, limits.EVENT_BYTES_MAX + 1):
        values = ["x" * 60_000] * 16
        rest = size - len('{"a":[,""],"z":0}') - sum(len(value) + 3 for value in values) + 1
        events.append(msgpack.packb({"data": {"a": [*values, "x" * rest], "z": 0}}))
        split = splitter.split(b"\x91" + events[-1], PACKED, 0, NOW)
        assert [int(one) for one in split.lines.data_bytes] == [size] * (size % 2 == 0)
    events.append(msgpack.packb({"data": {"a": [b"\x01" * 65_000] * 3}}))
    events.append(msgpack.packb({"data": {"a": ["x" * 60_000] * 20}}))
    assert_same(splitter, container([GOOD, *events, GOOD], is_map=False))


def test_every_truncation(splitter: KernelSplitter) -> None:
    for end in range(len(SAMPLE) + 1):
        assert_same(splitter, SAMPLE[:end], 1)


def test_every_corruption_of_one_byte(splitter: KernelSplitter) -> None:
    dice = random.Random(5)
    for at in range(len(SAMPLE)):
        for byte in {SAMPLE[at] ^ 1, SAMPLE[at] ^ 0x80, *dice.choices(range(256), k=24)}:
            assert_same(splitter, SAMPLE[:at] + bytes([byte]) + SAMPLE[at + 1 :], at % 3)


def test_every_alignment(splitter: KernelSplitter) -> None:
    for pad in range(70):
        data = {"k" * pad: "v" * (69 - pad), "n": pad, "s": "é" * pad + "\n"}
        assert_same(splitter, msgpack.packb([{"data": data, "time": 1_700_000_000_123}] * 3))


def test_bodies_go_on_over_the_end_of_a_pass(splitter: KernelSplitter) -> None:
    bad = event(b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00")
    small = [GOOD] * (memory.ROWS_MAX + 7)
    assert_same(splitter, container([*small, bad, *small, bad], is_map=False))
    large = msgpack.packb({"data": {"a": ["x" * 9_990] * 60}})
    assert_same(splitter, container([large, bad, large, large, b"\x07", large], is_map=False))


def test_a_batch_of_too_many_events_is_refused(
    splitter: KernelSplitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = limits.BATCH_EVENTS_MAX
    split = splitter.split(struct.pack(">BI", 0xDD, most) + GOOD * most, PACKED, 0, NOW)
    assert (split.events, split.lines.events) == (most, most)
    told: list[bytes] = []
    monkeypatch.setattr(splitter, "_reference", Told(told))  # it takes a second to say so itself
    body = struct.pack(">BI", 0xDD, most + 1) + GOOD * (most + 1)
    splitter.split(body, PACKED, 0, NOW)
    assert told == [body]


def test_wide_events_are_read_by_the_kernel_alone() -> None:
    handed: list[int] = []
    splitter = KernelSplitter(on_fallback=handed.append)
    dice = random.Random(3)
    times = [1_700_000_000, 1_700_000_000.25, "2023-11-14T22:13:20.5Z", None]
    times.append(msgpack.Timestamp(1_700_000_000, 7))
    events = [
        {"data": wide_event(dice, "0" * 32), "time": time, "samplerate": 1 + n}
        for n, time in enumerate(times)
    ]
    body = msgpack.packb(events * 20)
    assert len(body) > limits.OFF_LOOP_BODY_BYTES
    quick = splitter.split_quickly(body, PACKED, 0, NOW)
    assert quick is not None
    assert told(quick) == exact(body, 0, PACKED)
    assert not handed


def test_what_the_kernel_does_not_know_is_handed_over_one_by_one() -> None:
    handed: list[int] = []
    splitter = KernelSplitter(on_fallback=handed.append)
    strange = [event(b"\xc4\x01\xff"), b"\x07", event(b"\xd6\xff\x65\x00\x00\x00")]
    body = container([GOOD, strange[0], GOOD, strange[1], GOOD, strange[2]], is_map=False)
    assert outcome(splitter, body, 0, PACKED) == exact(body, 0, PACKED)
    assert sum(handed) == 3
    body = container([GOOD, strange[0]] * 1_000, is_map=False)
    del handed[:]
    assert outcome(splitter, body, 0, PACKED) == exact(body, 0, PACKED)
    assert sum(handed) < 40  # and then the whole body
    large = container([strange[0]] * 4_000, is_map=False)
    assert splitter.split_quickly(large, PACKED, 0, NOW) is None  # it might take long
