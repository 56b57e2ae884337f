"""Two segments are compared to the first differing row and column, exactly when digests differ."""

from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common import limits
from indexer.shred.interface import ShredInput
from indexer.shred.reference import ReferenceShredder
from segment.columns import ColumnBlock
from segment.columns.compare import BLOCK_ROWS, Difference, first_difference
from segment.columns.segment import SegmentOrigin
from segment.columns.segment_read import SegmentReader
from segment.columns.segment_write import encode_segment
from segment.parquet.reference import ReferenceEncoders
from tests.indexer.shred.test_properties import events, flat_events

ORIGIN = SegmentOrigin("d", "e", 0, False, 1, 2)


def shred(found: list[str]) -> ColumnBlock:
    lines = (b'{"t":1,"r":1,"d":%b}\n' % event.encode() for event in found)
    records = [ShredInput(offset, 1, 0, line) for offset, line in enumerate(lines)]
    return ReferenceShredder().shred(records).block


def compare(
    folder: Path, one: ColumnBlock, other: ColumnBlock, columns_max: int
) -> tuple[bool, Difference | None]:
    """Whether the segments' digests agree, and the difference that is found."""
    paths = []
    for name, block in (("one", one), ("other", other)):
        with patch.object(limits, "SEGMENT_COLUMNS_MAX_V1", columns_max):
            paths.append(folder / name)
            paths[-1].write_bytes(encode_segment(block, ORIGIN, ReferenceEncoders()).data)
    with SegmentReader(paths[0]) as left, SegmentReader(paths[1]) as right:
        found = first_difference(left, right)
        alike = left.digest() == right.digest()
    assert (found is None) == alike
    return alike, found


some_events = st.lists(events | flat_events, min_size=1, max_size=5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(some_events, some_events, st.sampled_from([0, 2, limits.SEGMENT_COLUMNS_MAX_V1]))
def test_a_difference_is_found_exactly_when_digests_differ(
    tmp_path: Path, left: list[str], right: list[str], columns_max: int
) -> None:
    one, other = shred(left), shred(right)
    if one.rows and other.rows:
        compare(tmp_path, one, other, columns_max)
        assert compare(tmp_path, one, one, columns_max) == (True, None)


@pytest.mark.parametrize("columns_max", [0, limits.SEGMENT_COLUMNS_MAX_V1])
@pytest.mark.parametrize(
    ("column", "one", "other"),
    [
        ("f:n:i", '{"n":1}', '{"n":2}'),
        ("f:n:f", '{"n":0.5}', '{"n":0.25}'),
        ("f:n:b", '{"n":true}', '{"n":false}'),
        ("f:n:s", '{"n":"a"}', '{"n":"b"}'),
        ("f:n:i", '{"n":1}', "{}"),
        ("f:n:i", '{"n":1}', '{"n":"1"}'),
    ],
)
def test_a_flipped_value_is_found_with_its_block(
    tmp_path: Path, column: str, one: str, other: str, columns_max: int
) -> None:
    rows, at = 3 * BLOCK_ROWS, BLOCK_ROWS + 700
    same = ['{"n":1,"x":"y"}'] * rows
    left, right = shred([*same[:at], one, *same[at:]]), shred([*same[:at], other, *same[at:]])
    alike, found = compare(tmp_path, left, right, columns_max)
    assert not alike
    assert found is not None
    assert (found.column, found.row) == (column, at)
    assert (found.first_row, found.end_row) == (BLOCK_ROWS, 2 * BLOCK_ROWS)
    assert (found.first_offset, found.last_offset) == (BLOCK_ROWS, 2 * BLOCK_ROWS - 1)


def test_a_row_more_is_found(tmp_path: Path) -> None:
    alike, found = compare(tmp_path, shred(["{}"] * 3), shred(["{}"] * 4), 10)
    assert not alike
    assert found is not None
    assert (found.row, found.end_row, found.columns) == (3, 4, 4)
