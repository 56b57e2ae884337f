"""Batches are decoded as they were encoded, and damaged content is never used."""

import struct
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import LogUnavailable
from common.log.kafka.wire.aiokafka_parts import calc_crc32c
from common.log.kafka.wire.batch import (
    BATCH_OVERHEAD_BYTES,
    Headers,
    decode_records,
    encode_batch,
    record_bytes,
)
from common.model.record import encode_headers
from common.model.record_value import events_record

_ATTRIBUTES, _MAX_TIMESTAMP = 21, 35  # places in the batch header
_APPEND_MS = 1_700_000_000_123


@dataclass(frozen=True, slots=True)
class One:
    headers: Headers
    value: bytes


NAMES = st.text(st.characters(max_codepoint=127), max_size=20)
ITEMS = st.lists(
    st.builds(
        One,
        st.lists(st.tuples(NAMES, st.binary(max_size=40)), max_size=5).map(tuple),
        st.binary(max_size=300),
    ),
    min_size=1,
    max_size=20,
)


def as_stored(data: bytes | bytearray, base: int) -> bytes:
    """The batch as a broker with LogAppendTime stores it, with its offset and its time."""
    stored = bytearray(data)
    struct.pack_into(">q", stored, 0, base)
    struct.pack_into(">h", stored, _ATTRIBUTES, 0x08)
    struct.pack_into(">q", stored, _MAX_TIMESTAMP, _APPEND_MS)
    struct.pack_into(">I", stored, 17, calc_crc32c(bytes(stored[21:])))
    return bytes(stored)


@given(ITEMS, st.integers(0, 2**40), st.integers(0, 25), st.integers(1, 2000))
def test_records_are_read_back_from_any_offset(
    items: list[One], base: int, skip: int, max_bytes: int
) -> None:
    found = decode_records(3, as_stored(encode_batch(items, 1), base), base + skip, max_bytes)
    wanted = items[skip:]
    assert [(r.headers, r.value) for r in found] == [
        (i.headers, i.value) for i in wanted[: len(found)]
    ]
    assert [r.offset for r in found] == list(range(base + skip, base + skip + len(found)))
    assert all((r.partition, r.append_ns) == (3, _APPEND_MS * 10**6) for r in found)
    size = sum(len(r.value) for r in found)
    assert len(found) == len(wanted) or size >= max_bytes
    assert len(found) <= 1 or size - len(found[-1].value) < max_bytes


@given(ITEMS)
def test_size_is_never_underestimated(items: list[One]) -> None:
    bound = sum(record_bytes(i.headers, i.value) for i in items) + BATCH_OVERHEAD_BYTES
    assert len(encode_batch(items, _APPEND_MS)) <= bound


@given(ITEMS, st.data())
def test_damage_is_refused_and_a_cut_batch_is_left_for_later(
    items: list[One], data: st.DataObject
) -> None:
    stored = as_stored(encode_batch(items, 1), 0)
    whole = decode_records(0, stored, 0, 10**9)
    cut = data.draw(st.integers(1, len(stored) - 1))
    after = decode_records(
        0, stored + as_stored(encode_batch(items, 1), len(items))[:cut], 0, 10**9
    )
    assert after == whole
    index = data.draw(st.integers(_ATTRIBUTES, len(stored) - 1))
    broken = bytearray(stored)
    broken[index] ^= 1 << data.draw(st.integers(0, 7))
    found = decode_records(0, bytes(broken), 0, 10**9)
    assert found
    assert [r.offset for r in found] == list(range(len(found)))
    assert all(r.damage is not None and not r.headers and not r.value for r in found)
    before = as_stored(encode_batch(items, 1), 0)
    struct.pack_into(">q", broken, 0, len(items))
    following = as_stored(encode_batch(items, 1), 2 * len(items))
    found = decode_records(0, before + bytes(broken) + following, 0, 10**9)
    assert [r.offset for r in found] == list(range(3 * len(items)))
    assert [r.damage is None for r in found] == [
        not len(items) <= at < 2 * len(items) for at in range(3 * len(items))
    ]
    assert found[: len(items)] == whole


@given(ITEMS, st.integers(1, 50))
def test_offsets_that_are_in_no_batch_are_returned_as_damaged(items: list[One], lost: int) -> None:
    first = as_stored(encode_batch(items, 1), 0)
    second = as_stored(encode_batch(items, 1), len(items) + lost)
    found = decode_records(0, first + second, 0, 10**9)
    assert [r.offset for r in found] == list(range(2 * len(items) + lost))
    assert sum(r.damage is not None for r in found) == lost
    assert len(decode_records(0, second, len(items), 10**9)) == len(items) + lost


@given(st.binary(max_size=300), st.integers(0, 2**40))
def test_no_bytes_whatever_end_in_an_error(data: bytes, offset: int) -> None:
    found = decode_records(0, data, offset, 1000)
    assert [r.offset for r in found] == list(range(offset, offset + len(found)))


def test_damaged_record_still_says_which_dataset_it_was_probably_of() -> None:
    one = events_record(
        team="t", env="e", dataset="d", batch=bytes(16), depth=0, via="random", lines=[b"{}\n"] * 3
    )
    items = [One(encode_headers(one), one.value)] * 2
    broken = bytearray(as_stored(encode_batch(items, 1), 7))
    at = broken.rfind(one.value)
    broken[at + len(one.value) - 3] ^= 1
    found = decode_records(0, bytes(broken), 7, 10**9)
    assert [r.offset for r in found] == [7, 8]
    first, last = (r.damage for r in found)
    assert first is not None
    assert last is not None
    assert dict(last.headers)["dataset"] == b"d"
    assert "decompress" in last.reason
    assert "its value is whole" in first.reason


def test_batch_without_the_brokers_time_is_refused() -> None:
    with pytest.raises(LogUnavailable, match="LogAppendTime"):
        decode_records(0, bytes(encode_batch([One((), b"x")], 1)), 0, 100)
