"""Headers are decoded as they were encoded; the checksum finds damage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.log.embedded.frame import checksum, decode_headers, encode_headers, restore
from common.model.record import LogRecord, RecordError, decode

PAIRS = st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=40)), max_size=8).map(tuple)


@given(PAIRS)
def test_headers_round_trip(pairs: tuple[tuple[str, bytes], ...]) -> None:
    assert decode_headers(encode_headers(pairs)) == pairs


@given(PAIRS, st.binary(min_size=15, max_size=17), st.binary(max_size=20))
def test_headers_that_end_with_a_batch_id_or_look_so_round_trip(
    pairs: tuple[tuple[str, bytes], ...], batch: bytes, before: bytes
) -> None:
    last = (("batch", batch),)
    looks_so = (("via", before + encode_headers(last)),)
    for some in (pairs + last, pairs + looks_so, pairs + last + last, pairs + looks_so + last):
        for _ in range(2):  # what was read is remembered
            assert decode_headers(encode_headers(some)) == some


@given(PAIRS, st.data())
def test_headers_that_are_cut_off_are_refused_or_shorter(
    pairs: tuple[tuple[str, bytes], ...], data: st.DataObject
) -> None:
    pairs = data.draw(st.sampled_from([pairs, (*pairs, ("batch", bytes(16)))]))
    whole = encode_headers(pairs)
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    try:
        read = decode_headers(cut)
    except ValueError:
        return
    assert read == pairs[: len(read)]


@given(st.binary(min_size=1, max_size=50), st.data())
def test_any_flipped_bit_of_a_value_is_found(value: bytes, data: st.DataObject) -> None:
    headers = encode_headers((("v", b"1"),))
    crc = checksum(7, 9, headers, value)
    assert restore(0, 7, 9, headers, value, crc) == LogRecord(0, 7, 9, (("v", b"1"),), value)
    flipped = bytearray(value)
    flipped[data.draw(st.integers(0, len(value) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    damaged = restore(0, 7, 9, headers, bytes(flipped), crc)
    assert (damaged.offset, damaged.append_ns, damaged.headers, damaged.value) == (7, 0, (), b"")
    assert damaged.damage is not None
    with pytest.raises(RecordError):
        decode(damaged)
