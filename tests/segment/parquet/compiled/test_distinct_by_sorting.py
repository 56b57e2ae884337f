"""Values chosen to meet in the compiled dictionaries' table change no byte of a file."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segment.parquet.column_chunk.values import Column, Ints
from segment.parquet.compiled.distinct_by_sorting import (
    distinct_texts_by_sorting,
    distinct_words_by_sorting,
)
from segment.parquet.encoders import Distinct, Encoders, Texts, texts_of
from segment.parquet.reference import ReferenceEncoders
from tests.segment.parquet.columns import INT64, written

_VALUES = 1_700
_TIMES = 16
Words = npt.NDArray[np.int64]


def meeting(kernel: Encoders, bits: int) -> Words:
    """Eight-byte words whose hash, in a table of 2**bits slots, is one of the first few."""
    from segment.parquet.compiled.encoders import _SEEDS
    from segment.parquet.kernel.dictionary import _MIX0, _MIX1

    assert kernel.name == "kernel"  # now its modules may be imported
    candidates = np.arange(2**17, dtype=np.uint64) * np.uint64(0x01010101) | np.uint64(
        0x3030303030303030  # bytes of ASCII, so that they are texts too
    )
    candidates = np.unique(candidates & np.uint64(0x7F7F7F7F7F7F7F7F))
    left = candidates ^ np.uint64((_SEEDS[0] ^ _MIX0) % 2**64)
    right = (_SEEDS[1] ^ _MIX1) % 2**64
    products = [int(one) * right for one in left]
    hashes = np.array([(one ^ one >> 64) & (1 << bits) - 1 for one in products])
    first = np.argsort(hashes, kind="stable")[:_VALUES]
    found: Words = candidates[np.sort(first)].view(np.int64)
    return found


@pytest.fixture(scope="module")
def words(kernel: Encoders) -> Words:
    """Each several times, not in order."""
    return np.tile(meeting(kernel, 12), _TIMES)[::-1].copy()


def texts(words: Words) -> Texts:
    return Texts(np.arange(len(words) + 1, dtype=np.int64) * 8, words.view(np.uint8))


def same(found: Distinct | None, right: Distinct | None) -> bool:
    if found is None or right is None:
        return found is right
    return all(one.tolist() == other.tolist() for one, other in zip(found, right, strict=True))


def test_the_values_really_meet(words: Words) -> None:
    from segment.parquet.compiled.encoders import _SEEDS
    from segment.parquet.kernel.dictionary import TOO_MANY_COLLISIONS, distinct_words, table_words

    table, indices = np.zeros(table_words(_VALUES), np.int64), np.zeros(len(words), np.uint32)
    fixed = words.view()
    fixed.flags.writeable = False
    assert (
        distinct_words(fixed, _VALUES, *_SEEDS, table, indices, indices.copy())
        == TOO_MANY_COLLISIONS
    )


@pytest.mark.parametrize("bloom", [False, True])
def test_texts_that_meet_get_the_reference_s_dictionary(
    words: Words, kernel: Encoders, bloom: bool
) -> None:
    column = Column("t", None, texts(words), bloom)
    assert written(kernel, [column], len(words)) == written(
        ReferenceEncoders(), [column], len(words)
    )
    assert same(
        kernel.distinct_texts(texts(words), _VALUES),
        ReferenceEncoders().distinct_texts(texts(words), _VALUES),
    )


def test_integers_that_meet_get_the_reference_s_dictionary(words: Words, kernel: Encoders) -> None:
    column = Column("n", None, Ints(words))
    assert written(kernel, [column], len(words)) == written(
        ReferenceEncoders(), [column], len(words)
    )
    assert kernel.distinct_words(words, _VALUES - 1) is None


@given(st.lists(INT64 | st.integers(0, 3), min_size=1), st.integers(0, 40))
def test_sorting_finds_the_words_that_the_reference_finds(values: list[int], limit: int) -> None:
    words = np.array(values, np.int64)
    right = ReferenceEncoders().distinct_words(words, limit)
    assert same(distinct_words_by_sorting(words, limit), right)


@given(st.lists(st.text(max_size=3), min_size=1), st.integers(0, 40), st.integers(0, 3))
def test_sorting_finds_the_texts_that_the_reference_finds(
    values: list[str], limit: int, before: int
) -> None:
    texts = texts_of(pa.array(["x"] * before + values, pa.large_string()).slice(before))
    right = ReferenceEncoders().distinct_texts(texts, limit)
    assert same(distinct_texts_by_sorting(texts, limit), right)
