"""Filters of trace ids in memory rule a segment out only if no row of it has one of the ids."""

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from query.share.pruning.trace_filters import TextLookup, TraceFilters
from query.share.view.view import SegmentView
from segment.parquet.bloom import blocks_of, bloom_filter, hash_text
from segment.parquet.encoders import texts_of
from tests.query.share.rows import Row, segment

FIELDS = ("trace.trace_id", "trace_id", "traceId")


def learned(filters: TraceFilters, one: SegmentView, lookup: TextLookup) -> bool:
    filters.learn(one.object_hash, one.path, one.columns, one.overflow_columns, lookup)
    return filters.ruled_out([one.object_hash], lookup)[0]


def rows(name: str, ids: list[object]) -> list[Row]:
    return [Row(10**18 + at, {name: one, "n": at}) for at, one in enumerate(ids)]  # type: ignore[dict-item]


def test_a_segment_is_ruled_out_unless_it_may_have_the_id(tmp_path: Path) -> None:
    chance = random.Random(1)
    ids = [f"{chance.getrandbits(128):032x}" for _ in range(2_000)]
    filters, other = TraceFilters(), 0
    one = segment(rows("trace_id", list(ids[:1_000])), tmp_path)
    for at, text in enumerate(ids):
        out = learned(filters, one, TextLookup.of(FIELDS, [text]))
        if at < 1_000:
            assert not out
        else:
            other += not out
    assert other < 60  # one in a hundred is expected
    assert learned(filters, one, TextLookup.of(FIELDS, ids[1_100:1_101]))
    assert not learned(filters, one, TextLookup.of(FIELDS, [*ids[1_100:1_101], ids[7]]))


def test_what_no_filter_knows_is_never_ruled_out(tmp_path: Path) -> None:
    filters, lookup = TraceFilters(), TextLookup.of(FIELDS, ["17"])
    assert filters.ruled_out(["unknown"], lookup) == [False]
    assert filters.ruled_out([], lookup) == []
    numbers = segment(rows("traceId", [16, 17]), tmp_path)
    assert not learned(filters, numbers, lookup)
    without = segment(rows("other", ["17"]), tmp_path)
    assert learned(filters, without, lookup)
    many = [{**{f"x{at}": 1 for at in range(400)}, "trace_id": "17"}]
    wide = segment([Row(10**18, {**many[0]}), *rows("a", list(range(5_000)))], tmp_path)
    assert not learned(filters, wide, lookup)


def test_many_segments_are_judged_as_each_alone(tmp_path: Path) -> None:
    chance = random.Random(2)
    made, ids = [], []
    for at in range(40):
        own = [f"{chance.getrandbits(128):032x}" for _ in range(chance.choice([3, 40, 700]))]
        names = ("trace_id", "trace.trace_id", "other")
        made.append(segment(rows(names[at % 3], list(own)), tmp_path))
        ids += own
    filters, hashes = TraceFilters(), [one.object_hash for one in made]
    for text in chance.sample(ids, 60):
        lookup = TextLookup.of(FIELDS, [text, text.upper()])
        alone = [learned(filters, one, lookup) for one in made]
        assert filters.ruled_out([*hashes, "unknown"], lookup) == [*alone, False]
    assert filters.bytes_held > 5_000


def test_filters_are_held_within_a_bound_which_is_emptied_after_many_lookups(
    tmp_path: Path,
) -> None:
    made = [
        segment(rows("trace_id", [f"{at:04}{n:028}" for n in range(300)]), tmp_path)
        for at in range(5)
    ]
    lookup = TextLookup.of(FIELDS, ["no"])
    filters = TraceFilters(bytes_max=2_500)
    known = [learned(filters, one, lookup) for one in made]
    assert known[0]
    assert not known[-1]
    for _ in range(100):
        assert filters.bytes_held <= 2_500
        filters.ruled_out([made[0].object_hash], lookup)
    assert learned(filters, made[-1], lookup)
    assert not filters.ruled_out([made[0].object_hash], lookup)[0]


def test_a_file_that_cannot_be_read_is_left_to_whoever_reads_it(tmp_path: Path) -> None:
    filters, lookup = TraceFilters(), TextLookup.of(FIELDS, ["no"])
    one = segment(rows("trace_id", ["a"]), tmp_path)
    one.path.write_bytes(b"damaged")
    assert not learned(filters, one, lookup)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=50), st.integers(0, 5))
def test_every_text_of_a_filter_is_in_its_block(some: list[str], power: int) -> None:
    blocks, column = 2**power, pa.array(some, pa.large_string())
    words = bloom_filter(texts_of(column), blocks * 32).view(np.uint32).reshape(-1, 8)
    begin, size = np.array([0], np.uint64), np.array([blocks], np.uint64)
    for text in some:
        wanted = hash_text(text.encode())
        [block] = words[blocks_of(wanted, begin, size)]
        assert ((block & wanted.bits) == wanted.bits).all()
