"""Whatever events say, their segment reads back the same, also from the rest column (I3)."""

from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common import limits
from indexer.shred.interface import ShredInput
from indexer.shred.reference import ReferenceShredder
from segment.columns.digest import block_digest
from segment.columns.key import ColumnKey, FieldType, parse_physical
from segment.columns.segment import SegmentOrigin
from segment.columns.segment_read import SegmentReader
from segment.columns.segment_write import encode_segment
from segment.parquet.reference import ReferenceEncoders
from tests.indexer.shred.test_properties import events, flat_events
from tests.segment.columns.equality import assert_same_block

ORIGIN = SegmentOrigin("d", "e", 0, False, 1, 2)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.lists(events | flat_events, min_size=1, max_size=6),
    st.integers(0, 2),
    st.sampled_from([0, 1, 3, limits.SEGMENT_COLUMNS_MAX_V1]),
)
def test_a_segment_reads_back_bit_for_bit(
    tmp_path: Path, found: list[str], depth: int, columns_max: int
) -> None:
    records = [
        ShredInput(offset, 1, depth, b'{"t":1,"r":1,"d":%b}\n' % event.encode())
        for offset, event in enumerate(found)
    ]
    block = ReferenceShredder().shred(records).block
    if not block.rows:
        return
    with patch.object(limits, "SEGMENT_COLUMNS_MAX_V1", columns_max):
        segment = encode_segment(block, ORIGIN, ReferenceEncoders())
    path = tmp_path / "segment.parquet"
    path.write_bytes(segment.data)
    with SegmentReader(path) as reader:
        assert reader.info == segment.info
        assert len(reader.columns) == min(len(block.columns), columns_max)
        assert reader.columns | reader.overflow_columns == frozenset(block.columns)
        assert_same_block(reader.block(), block)
        assert reader.digest() == block_digest(block)


@given(st.text(), st.sampled_from(FieldType))
def test_physical_names_read_back_and_never_meet_a_system_column(
    field: str, field_type: FieldType
) -> None:
    key = ColumnKey(field, field_type)
    assert parse_physical(key.physical) == key
    assert key.physical == key.physical.lower()
    assert not key.physical.startswith("_")


@pytest.mark.parametrize(("columns_max", "own"), [(1, ["z"]), (2, ["a", "z"])])
def test_rest_columns_are_the_rarest_and_then_the_last_by_name(
    tmp_path: Path, columns_max: int, own: list[str]
) -> None:
    lines = b'{"t":1,"r":1,"d":{"z":1,"a":1,"m":1}}\n{"t":1,"r":1,"d":{"z":1}}\n'
    block = ReferenceShredder().shred([ShredInput(0, 1, 0, lines)]).block
    with patch.object(limits, "SEGMENT_COLUMNS_MAX_V1", columns_max):
        segment = encode_segment(block, ORIGIN, ReferenceEncoders())
    path = tmp_path / "segment.parquet"
    path.write_bytes(segment.data)
    with SegmentReader(path) as reader:
        assert [key.field for key in sorted(reader.columns)] == own
