"""A summary says what plain Python finds in the values, within its bounds, whoever makes it."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from segment.columns import ColumnKey, FieldType
from segment.parquet.encoders import Encoders
from segment.parquet.load_compiled import load
from segment.parquet.reference import ReferenceEncoders
from segment.summary.compute import summarize, summarize_column, summarize_file
from segment.summary.sizes import (
    BOUND_BYTES,
    DISTINCT_TABLE_MAX,
    HASHES_MAX,
    SUMMARY_BYTES_MAX,
    VALUE_BYTES_MAX,
    VALUES_MAX,
)
from segment.summary.summary import (
    SUMMARY_FORMAT,
    ColumnSummary,
    NoSummary,
    SegmentSummary,
    all_columns,
    encode_summary,
    is_newer_format,
)
from segment.xxh64 import word_hashes
from tests.kernel_cache import KERNEL_CACHE
from tests.query.share.rows import Json, Row, segment

HASH = "ab" * 32
REFERENCE = ReferenceEncoders()


@pytest.fixture(params=["reference", "kernel"])
def encoders(request: pytest.FixtureRequest) -> Encoders:
    return REFERENCE if request.param == "reference" else load(KERNEL_CACHE)


def texts(values: list[str]) -> pa.Array:
    return pa.array(values, pa.large_string())


def of(values: list[Any], field_type: FieldType, encoders: Encoders = REFERENCE) -> ColumnSummary:
    return summarize_column(field_type, pa.array(values, field_type.arrow), encoders)


VALUES: dict[FieldType, st.SearchStrategy[Any]] = {
    FieldType.INT: st.one_of(st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1)),
    FieldType.FLOAT: st.one_of(st.floats(), st.sampled_from([0.0, -0.0, 50.0, 1e300])),
    FieldType.BOOL: st.booleans(),
    FieldType.STRING: st.text(st.sampled_from("abü\U0010ffff\0"), max_size=70),
    FieldType.JSON: st.sampled_from(["[1]", '{"a":1}', ""]),
}


def raw(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_column_is_summarized_as_plain_python_does(data: st.DataObject) -> None:
    field_type = data.draw(st.sampled_from(list(FieldType)))
    values = data.draw(st.lists(VALUES[field_type], min_size=1, max_size=60))
    found = of(values, field_type)
    counts = Counter("nan" if v != v else raw(v) for v in values)
    real = [raw(v) for v in values if v == v]
    assert (found.rows, found.distinct) == (len(values), len(counts))
    assert found.has_nan == ("nan" in counts)
    if real:
        assert found.low is not None
        assert found.high is not None
        assert found.low <= min(real)
        assert found.high >= max(real)
    if isinstance(found.high, bytes):
        assert len(found.high) <= BOUND_BYTES
        assert found.size_bytes == sum(map(len, real))
    else:
        assert (found.low, found.high) == ((min(real), max(real)) if real else (None, None))
    listed = [("nan" if v != v else v, n) for v, n in found.values]
    if all(len(v) <= VALUE_BYTES_MAX for v in counts if isinstance(v, bytes)):
        assert all(counts[v] == n for v, n in listed)
        assert found.values_complete == (len(counts) <= VALUES_MAX)
    assert [n for _, n in listed] == sorted(counts.values(), reverse=True)[:VALUES_MAX]
    left = sorted(counts.values(), reverse=True)[VALUES_MAX:]
    assert found.others_most >= max(left, default=0)
    if found.prefixes_complete:
        assert {v[: found.prefix_bytes] for v in real} == set(found.prefixes)


def test_compiled_and_reference_make_the_same_bytes(encoders: Encoders) -> None:
    dice = random.Random(2)
    rows = 9_000
    columns = {
        ColumnKey("id", FieldType.STRING): texts(
            [f"{dice.getrandbits(64):x}" for _ in range(rows)]
        ),
        ColumnKey("few", FieldType.STRING): texts(
            [f"host-{dice.randrange(50)}" for _ in range(rows)]
        ),
        ColumnKey("n", FieldType.INT): pa.array([dice.randrange(9_000) for _ in range(rows)]),
        ColumnKey("x", FieldType.FLOAT): pa.array([dice.random() for _ in range(rows)]),
        ColumnKey("ok", FieldType.BOOL): pa.array([dice.random() < 0.1 for _ in range(rows)]),
    }
    made = [summarize(HASH, rows, columns.items(), e, complete=True) for e in (encoders, REFERENCE)]
    assert made[0] == made[1]
    summary = SegmentSummary.decode(made[0], HASH)
    assert summary.complete
    assert summary.keys == columns.keys()
    assert summary.column(ColumnKey("id", FieldType.INT)) is None


@pytest.mark.parametrize("kind", [FieldType.STRING, FieldType.INT, FieldType.FLOAT])
def test_many_distinct_values_are_counted_exactly(kind: FieldType, encoders: Encoders) -> None:
    make: dict[FieldType, Any] = {FieldType.STRING: str, FieldType.INT: int, FieldType.FLOAT: float}
    size = DISTINCT_TABLE_MAX + 1_000
    values = [make[kind](n) for n in range(size)] + [make[kind](n) for n in range(40)] * 3
    random.Random(3).shuffle(values)
    found = of(values, kind, encoders)
    assert found.distinct == size
    assert not found.values_complete
    assert [count for _, count in found.values] == [4] * VALUES_MAX
    assert found.others_most == 4
    assert {make[kind](v.decode() if isinstance(v, bytes) else v) for v, _ in found.values} <= {
        make[kind](n) for n in range(40)
    }
    assert len(found.hashes) == 8 * HASHES_MAX
    unique = [make[kind](n) for n in range(size)]
    assert of(unique, kind, encoders).values == ()
    assert of(unique, kind, encoders).others_most == 1


def test_hashes_are_the_smallest_xxh64_of_the_distinct_values() -> None:
    numbers = np.array([0, 1, -1, 2**63 - 1, -(2**63), 12345], np.int64)
    own = [xxhash.xxh64_intdigest(n.tobytes()) for n in numbers]
    assert word_hashes(numbers.view(np.uint64), 0).tolist() == own
    found = of([5, 5, 7], FieldType.INT)
    assert found.hashes == of([7.0, 5.0, 5.0], FieldType.FLOAT).hashes
    expected = sorted(xxhash.xxh64_intdigest(t) for t in (b"a", b"b"))
    assert np.frombuffer(of(["a", "b", "a"], FieldType.STRING).hashes, "<u8").tolist() == expected


def texts_of_one_hash(count: int) -> list[str]:
    """Different texts of 16 ASCII characters with the same XXH64: anybody can make them.

    A text's second half is chosen so that the state after it is the same for all first halves. All
    arithmetic is modulo 2^64.
    """
    one, two, four, five = (
        np.uint64(prime)
        for prime in (
            11400714785074694791,
            14029467366897019727,
            9650029242287828579,
            2870177450012600261,
        )
    )
    one_back, two_back = (np.uint64(pow(int(prime), -1, 2**64)) for prime in (one, two))
    high_bits = np.uint64(0x8080808080808080)

    def turned(words: Any, bits: int) -> Any:
        return (words << np.uint64(bits)) | (words >> np.uint64(64 - bits))

    dice = np.random.default_rng(5)
    first = dice.integers(0, 2**63, 400 * count, dtype=np.uint64) & ~high_bits
    state = (five + np.uint64(16)) ^ (turned(first * two, 31) * one)
    state = turned(state, 27) * one + four
    second = turned((state ^ np.uint64(12345)) * one_back, 33) * two_back
    ascii_only = (second & high_bits) == 0
    pairs = np.stack([first[ascii_only], second[ascii_only]], axis=1)[:count]
    found = [pair.astype("<u8").tobytes().decode("ascii") for pair in pairs]
    assert len({*found}) == count
    assert len({xxhash.xxh64_intdigest(text.encode()) for text in found}) == 1
    return found


def test_values_of_one_hash_are_not_taken_for_few(encoders: Encoders) -> None:
    values = texts_of_one_hash(DISTINCT_TABLE_MAX + 1)
    found = of(values, FieldType.STRING, encoders)
    assert not found.values_complete
    assert found.distinct == len(values)
    assert found.others_most >= 1
    assert found.rows == len(values)


def wide(columns: int, values: int) -> dict[ColumnKey, ColumnSummary]:
    """Columns whose summaries are large, the first ones with the most rows."""
    listed = [f"{n:03d}".ljust(VALUE_BYTES_MAX, "x") for n in range(values)]
    one = of(listed, FieldType.STRING)
    return {
        ColumnKey(f"f{n:05d}", FieldType.STRING): ColumnSummary(
            rows=columns - n,
            size_bytes=1,
            distinct=one.distinct,
            low=one.low,
            high=one.high,
            values=one.values,
            values_complete=one.values_complete,
            others_most=one.others_most,
            hashes=one.hashes,
            prefixes=one.prefixes,
            prefix_bytes=one.prefix_bytes,
            prefixes_complete=one.prefixes_complete,
        )
        for n in range(columns)
    }


@pytest.mark.parametrize("columns", [1, 30, 60, 900, 5_000])
def test_a_summary_is_bounded_and_keeps_what_prunes_longest(columns: int) -> None:
    given = wide(columns, 200)
    data = encode_summary(HASH, 10, given, complete=True)
    assert len(data) <= SUMMARY_BYTES_MAX
    summary = SegmentSummary.decode(data, HASH)
    kept = dict(all_columns(summary))
    assert summary.complete == (len(kept) == columns)
    assert len(kept) >= min(columns, 700)
    assert min(c.rows for c in kept.values()) == columns - len(kept) + 1  # those with most rows
    for key, column in kept.items():
        assert (column.low, column.high, column.distinct) == (
            given[key].low, given[key].high, given[key].distinct
        )  # fmt: skip
        assert column.values or column.others_most == 1


def test_a_column_name_of_any_length_is_bounded_as_well() -> None:
    names = {
        ColumnKey("n" * 60_000 + str(n), FieldType.INT): of([1], FieldType.INT) for n in range(9)
    }
    data = encode_summary(HASH, 1, names, complete=True)
    assert len(data) <= SUMMARY_BYTES_MAX
    assert not SegmentSummary.decode(data, HASH).complete


def test_damage_other_formats_and_other_segments_are_no_summary() -> None:
    data = encode_summary(
        HASH, 1, {ColumnKey("a", FieldType.INT): of([1], FieldType.INT)}, complete=True
    )
    newer = data[:7] + bytes([SUMMARY_FORMAT + 1]) + data[8:]
    assert is_newer_format(newer)
    assert not is_newer_format(data)
    assert not is_newer_format(b"")
    for wrong in (b"", data[:-1], data + b"x", data[:60] + b"?" + data[61:], newer):
        with pytest.raises(NoSummary):
            SegmentSummary.decode(wrong, HASH)
    with pytest.raises(NoSummary):
        SegmentSummary.decode(data, "cd" * 32)


def test_a_file_of_the_writer_is_summarized(tmp_path: Path) -> None:
    made = segment([Row(1, {"a": 1, "b": "x"}), Row(2, {"a": "y", "c": Json("[1]")})], tmp_path)
    summary = SegmentSummary.decode(summarize_file(made.path, HASH, REFERENCE), HASH)
    assert (summary.rows, summary.keys) == (2, made.columns)
    column = summary.column(ColumnKey("c", FieldType.JSON))
    assert column is not None
    assert column.values == ((b"[1]", 1),)
