"""Texts and booleans are written as they are, wherever they begin and end in their buffers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segment.parquet.kernel.plain import (
    plain_bits,
    plain_bits_bound,
    plain_texts,
    plain_texts_bound,
)
from tests.segment.parquet.kernel.oracle import arrow, written

TEXTS = st.lists(st.binary(max_size=5) | st.integers(0, 100).map(bytes), max_size=40)


def assert_plain_texts(
    texts: list[bytes], first: int, before: int = 0, behind: bytes = b""
) -> None:
    offsets, data = arrow(texts, before)
    data = np.frombuffer(data.tobytes() + behind, np.uint8)
    wanted = texts[first:]
    size = sum(map(len, wanted))
    given = offsets, data, first, len(texts)
    raw = written(plain_texts, plain_texts_bound(len(wanted), size), *given)
    assert raw == b"".join(len(text).to_bytes(4, "little") + text for text in wanted)


@given(TEXTS, st.integers(0, 40), st.integers(0, 40), st.binary(max_size=70))
def test_any_texts(texts: list[bytes], first: int, before: int, behind: bytes) -> None:
    assert_plain_texts(texts, min(first, len(texts)), before, behind)


def test_texts_of_every_length_near_the_end_of_their_buffer() -> None:
    for size in range(70):
        text = bytes(range(size))
        for behind in (0, 1, 31, 32, 33):
            assert_plain_texts([b"abc", text], 0, 1, bytes(behind))


def test_a_huge_text() -> None:
    assert_plain_texts([b"", b"0123456789" * 200_000, b"", b"x"], 0)


@given(st.lists(st.booleans(), max_size=300), st.integers(0, 20), st.integers(0, 20), st.booleans())
def test_any_booleans(bits: list[bool], offset: int, first: int, more: bool) -> None:
    first = min(first, len(bits))
    whole = np.array([True] * offset + bits + [True] * (50 * more), np.bool_)
    bitmap = np.packbits(whole, bitorder="little")
    given = bitmap, offset, first, len(bits)
    raw = written(plain_bits, plain_bits_bound(len(bits) - first), *given)
    assert (
        raw
        == np.packbits(whole[offset + first :][: len(bits) - first], bitorder="little").tobytes()
    )
