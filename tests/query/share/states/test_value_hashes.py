"""Hashes of values are XXH64 of their bytes, whatever the batch they come in."""

import random
import struct

import pyarrow as pa
import pytest
import xxhash

from query.share.states.value_hashes import HashTexts, hashes_of
from segment.parquet.load_compiled import load
from segment.parquet.reference import ReferenceEncoders
from tests.kernel_cache import KERNEL_CACHE

TEXTS = ["", "a", "ü\0x", *(chr(97 + n % 26) * n for n in range(140)), "long" * 300, "é" * 511]


@pytest.fixture(scope="module", params=["reference", "kernel"])
def hash_texts(request: pytest.FixtureRequest) -> HashTexts:
    encoders = ReferenceEncoders() if request.param == "reference" else load(KERNEL_CACHE)
    return encoders.hashes


@pytest.mark.parametrize("count", [1, 7, len(TEXTS)])
def test_texts_are_hashed_as_the_reference_hashes_them(count: int, hash_texts: HashTexts) -> None:
    some = random.Random(count).sample(TEXTS, count)
    expected = [xxhash.xxh64_intdigest(text.encode(), ord("s")) for text in some]
    assert hashes_of({"s": pa.array(some)}, hash_texts)[0].tolist() == expected
    sliced = pa.array(["before", *some, "after"]).slice(1, count)
    assert hashes_of({"s": sliced}, hash_texts)[0].tolist() == expected


def test_each_kind_of_value_has_its_own_hashes_and_a_missing_one_has_none(
    hash_texts: HashTexts,
) -> None:
    parts = {
        "n": pa.array([5, -(2**63), None, None, None, None], pa.int64()),
        "f": pa.array([None, None, 0.5, None, None, None], pa.float64()),
        "b": pa.array([None, None, None, True, None, None]),
        "s": pa.array([None, None, None, None, "5", None], pa.string()),
    }
    hashes, held = hashes_of(parts, hash_texts)
    packed = [("n", struct.pack("<q", 5)), ("n", struct.pack("<q", -(2**63))),
              ("f", struct.pack("<d", 0.5)), ("b", struct.pack("<q", 1)), ("s", b"5")]  # fmt: skip
    expected = [xxhash.xxh64_intdigest(data, ord(kind)) for kind, data in packed]
    assert hashes[:5].tolist() == expected
    assert held.tolist() == [True] * 5 + [False]
