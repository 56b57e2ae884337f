"""The hash is XXH64 and the filter the one that Arrow's writer makes."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segment.parquet.kernel.bloom import BLOCK_WORDS, bloom_insert, xxh64
from tests.segment.parquet.kernel.oracle import arrow, fixed

PRIME1, PRIME2, PRIME3 = 11400714785074694791, 14029467366897019727, 1609587929392839161
PRIME4, PRIME5 = 9650029242287828579, 2870177450012600261
ALL = (1 << 64) - 1
FACTS = {
    b"": 0xEF46DB3751D8E999,
    b"a": 0xD24EC4F1A98C6E5B,
    b"abc": 0x44BC2CF5AD770999,
    b"xxhash": 0x32DD38952C4BC720,
    b"Nobody inspects the spammish repetition": 0xFBCEA83C8A378BF1,
}


def turned(word: int, bits: int) -> int:
    word &= ALL
    return (word << bits | word >> (64 - bits)) & ALL


def slow_xxh64(text: bytes, seed: int = 0) -> int:
    def mixed(lane: int, word: int) -> int:
        return turned(lane + word * PRIME2, 31) * PRIME1 & ALL

    at = len(text) // 32 * 32
    hashed = seed + PRIME5
    if at:
        lanes = [seed + PRIME1 + PRIME2, seed + PRIME2, seed, seed - PRIME1]
        for place in range(0, at, 8):
            word = int.from_bytes(text[place : place + 8], "little")
            lanes[place // 8 % 4] = mixed(lanes[place // 8 % 4], word)
        hashed = sum(turned(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18), strict=True))
        for lane in lanes:
            hashed = (hashed ^ mixed(0, lane)) * PRIME1 + PRIME4
    hashed += len(text)
    while len(text) - at >= 8:
        word = int.from_bytes(text[at : at + 8], "little")
        hashed = turned(hashed ^ mixed(0, word), 27) * PRIME1 + PRIME4
        at += 8
    if len(text) - at >= 4:
        word = int.from_bytes(text[at : at + 4], "little")
        hashed = turned(hashed ^ word * PRIME1, 23) * PRIME2 + PRIME3
        at += 4
    for byte in text[at:]:
        hashed = turned(hashed ^ byte * PRIME5, 11) * PRIME1
    hashed &= ALL
    hashed = (hashed ^ hashed >> 33) * PRIME2 & ALL
    hashed = (hashed ^ hashed >> 29) * PRIME3 & ALL
    return hashed ^ hashed >> 32


def hashed(text: bytes, seed: int = 0) -> int:
    data = np.frombuffer(b"?" + text, np.uint8)
    return xxh64(data, 1, len(text), seed) & ALL


@pytest.mark.parametrize("text", FACTS)
def test_published_hashes(text: bytes) -> None:
    assert hashed(text) == slow_xxh64(text) == FACTS[text]


@given(st.binary(max_size=200), st.sampled_from([0, 1, 115, 2**63 - 1]))
def test_any_hash(text: bytes, seed: int) -> None:
    assert hashed(text, seed) == slow_xxh64(text, seed)


@pytest.mark.parametrize("texts", [1, 10, 3_000])
def test_the_filter_is_the_one_that_arrow_makes(texts: int) -> None:
    values = [b"%032x" % (at * 7919) for at in range(texts)] + [b"", b"x"]
    offsets, data = arrow(values, before=3)
    schema = pa.schema([pa.field("a", pa.large_binary())])
    out = io.BytesIO()
    options = {"a": {"ndv": texts, "fpp": 0.01}}
    pq.write_table(pa.table([values], schema=schema), out, bloom_filter_options=options)
    found = []
    for size in range(8):
        blocks = np.zeros((4**size) * BLOCK_WORDS, np.uint32)
        bloom_insert(offsets, data, len(values), blocks)
        found.append(blocks.tobytes() in out.getvalue())
        blocks = np.zeros((2 * 4**size) * BLOCK_WORDS, np.uint32)
        bloom_insert(offsets, data, len(values), blocks)
        found.append(blocks.tobytes() in out.getvalue())
    assert found.count(True) == 1


def test_no_text_leaves_the_filter_empty() -> None:
    blocks = np.zeros(BLOCK_WORDS, np.uint32)
    bloom_insert(fixed(np.array([4])), fixed(np.zeros(0, np.uint8)), 0, blocks)
    assert not blocks.any()
