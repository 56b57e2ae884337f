"""Each value gets its place in order of first appearance, whatever the hash makes of it."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.kernels.compile import Int64s
from segment.parquet.kernel.dictionary import (
    TOO_MANY,
    distinct_texts,
    distinct_words,
    table_words,
)
from tests.segment.parquet.kernel.oracle import arrow, fixed

SEEDS = [(0x0123456789ABCDEF, 0x1F3D5B79A2C4E6F8), (0, 0), (-1, 2**63 - 1)]
STEM = b"0123456789abcdef" * 5
NEAR_32 = st.integers(0, 80).map(lambda size: STEM[:size])
TEXTS = st.one_of(st.sampled_from((b"", b"a", b"north")), NEAR_32, st.binary(max_size=70))


def table_for(limit: int) -> Int64s:
    """A table in which something else was before."""
    return np.full(table_words(limit), 0x0123456700000001, np.int64)


def assert_distinct_texts(
    texts: list[bytes], limit: int, seeds: tuple[int, int], before: int = 0, behind: bytes = b""
) -> None:
    offsets, data = arrow(texts, before)
    data = np.frombuffer(data.tobytes() + behind, np.uint8)
    indices, firsts = np.zeros(len(texts), np.uint32), np.zeros(limit, np.uint32)
    found = distinct_texts(offsets, data, limit, *seeds, table_for(limit), indices, firsts)
    known = {text: at for at, text in enumerate(dict.fromkeys(texts))}
    if len(known) > limit:
        assert found == TOO_MANY
        return
    assert found == len(known)
    assert indices.tolist() == [known[text] for text in texts]
    assert firsts[:found].tolist() == [texts.index(text) for text in known]


def assert_distinct_words(values: Int64s, limit: int, seeds: tuple[int, int]) -> None:
    indices, firsts = np.zeros(len(values), np.uint32), np.zeros(limit, np.uint32)
    found = distinct_words(fixed(values), limit, *seeds, table_for(limit), indices, firsts)
    words = values.tolist()
    known = {word: at for at, word in enumerate(dict.fromkeys(words))}
    if len(known) > limit:
        assert found == TOO_MANY
        return
    assert found == len(known)
    assert indices.tolist() == [known[word] for word in words]
    assert firsts[:found].tolist() == [words.index(word) for word in known]


@given(
    st.lists(TEXTS, max_size=60),
    st.integers(1, 12),
    st.integers(1, 70),
    st.sampled_from(SEEDS),
    st.integers(0, 40),
    st.binary(max_size=40),
)
def test_any_texts(
    texts: list[bytes],
    times: int,
    limit: int,
    seeds: tuple[int, int],
    before: int,
    behind: bytes,
) -> None:
    assert_distinct_texts(texts * times, limit, seeds, before, behind)


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3), max_size=60),
    st.integers(1, 12),
    st.integers(1, 70),
    st.sampled_from(SEEDS),
)
def test_any_words(values: list[int], times: int, limit: int, seeds: tuple[int, int]) -> None:
    assert_distinct_words(np.array(values * times, np.int64), limit, seeds)


@pytest.mark.parametrize("seeds", SEEDS)
def test_texts_that_differ_in_one_byte_or_in_length_alone_are_two(seeds: tuple[int, int]) -> None:
    texts = []
    for size in (1, 2, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 63, 64, 65, 200):
        texts += [bytes(size), b"x" * size]
        for at in range(size):
            texts.append(b"x" * at + b"y" + b"x" * (size - at - 1))
    assert_distinct_texts(texts + texts[::-1] + texts, len(texts), seeds, before=3)


@pytest.mark.parametrize("seeds", SEEDS)
def test_many_distinct_values_and_none_too_many(seeds: tuple[int, int]) -> None:
    texts = [b"%d" % (at * 7919) for at in range(5_000)]
    assert_distinct_texts(texts * 2, 5_000, seeds)
    assert_distinct_texts(texts, 4_999, seeds)
    assert_distinct_words(np.arange(5_000).repeat(3) << 20, 5_000, seeds)
    assert_distinct_words(np.arange(5_000) << 40, 4_999, seeds)


def test_runs_of_one_text_and_others_after_them() -> None:
    runs = [text for at in range(60) for text in [b"x" * (at % 40)] * (at % 23)]
    assert_distinct_texts(runs, 60, SEEDS[0])
    assert_distinct_texts([b""] * 5_000, 1, SEEDS[0])
    assert_distinct_texts([b"long" * 500] * 50 + [b"long" * 499] * 50, 2, SEEDS[0])


def test_doubles_are_told_apart_by_their_bits() -> None:
    doubles = np.array([0.0, -0.0, np.nan, 1.5, -0.0, struct.unpack("<d", b"\1" * 8)[0], np.nan])
    assert_distinct_words(doubles.view(np.int64), 5, SEEDS[0])


def test_no_more_of_the_table_is_emptied_than_the_values_can_fill() -> None:
    table = table_for(100_000)
    check = fixed(np.arange(100))
    indices, firsts = np.zeros(100, np.uint32), np.zeros(100_000, np.uint32)
    found = distinct_words(check, 100_000, *SEEDS[0], table, indices, firsts)
    assert found == 100
    assert (table != 0x0123456700000001).sum() <= 256


def test_without_room_in_the_table_there_is_no_dictionary() -> None:
    indices, firsts = np.zeros(100, np.uint32), np.zeros(100, np.uint32)
    table = table_for(100)[:-1]
    assert distinct_words(fixed(np.arange(100)), 100, 1, 2, table, indices, firsts) == TOO_MANY
