"""Events with ever-new names cost memory by their bytes, not an object for each name (I11, I12)."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from common import limits
from common.objects.directory import DirectoryObjects
from indexer.seal.segment_files import seal
from indexer.serve.footers import Footers
from indexer.shred.compiled.shredder import KernelShredder
from indexer.shred.interface import ShredInput
from indexer.shred.reference import ReferenceShredder
from indexer.state.live_rows import CutRows, LiveDataset, LiveRows
from segment.columns import ColumnBlock, ColumnKey, FieldType, SparseColumn, concat
from segment.columns.digest import block_digest
from segment.columns.packed import PackedColumns
from segment.columns.segment import SegmentFile
from segment.columns.segment_read import SegmentReader
from segment.parquet.reference import ReferenceEncoders
from snapshot.cache import SegmentCache
from snapshot.documents.locations import SegmentLocation

FIELDS = 20


def event(number: int, value: str = "1") -> bytes:
    """An event of names that no other one has, of 20 to 59 bytes."""
    names = (f"{number:06d}-{at:02d}-{'xY' * (5 + number % 20)}" for at in range(FIELDS))
    return b"{%b}" % ",".join(f'"{name}":{value}' for name in names).encode()


def records(events: list[bytes]) -> list[ShredInput]:
    return [
        ShredInput(offset, 1, 0, b'{"t":1,"r":1,"d":%b}\n' % one)
        for offset, one in enumerate(events)
    ]


def added(live: LiveRows, block: ColumnBlock) -> LiveRows:
    return live.added({"d": LiveDataset.of([block], 1, 2)})


@pytest.mark.parametrize("at_once", [1, 7, 200])
def test_live_rows_of_ever_new_names_take_no_more_than_four_times_their_json(at_once: int) -> None:
    events = [event(number) for number in range(300)]
    shredder, live = ReferenceShredder(), LiveRows(0)
    given = records(events)
    warm = live  # what is made or imported once is not counted
    for one in given[:17]:
        warm = added(warm, shredder.shred([one]).block)
    del warm
    tracemalloc.start()
    try:
        for begin in range(0, len(given), at_once):
            live = added(live, shredder.shred(given[begin : begin + at_once]).block)
        objects_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert live.rows == 300
    assert len(concat(live.blocks("d")).columns) == 300 * FIELDS
    json_bytes = sum(map(len, events))
    assert live.memory_bytes < 4 * json_bytes
    assert objects_bytes < 4 * json_bytes


@pytest.mark.parametrize("value", ["1", "0.5", "true", '"v"', "[1]"])
def test_rows_of_ever_new_names_are_the_same_however_they_are_kept(
    tmp_path: Path, kernel: KernelShredder, value: str
) -> None:
    given = records([event(number % 70, value) for number in range(100)])
    wanted = ReferenceShredder().shred(given).block
    live = LiveRows(0)
    for begin in range(0, 100, 9):
        (block,) = kernel.shred(given[begin : begin + 9]).blocks
        live = added(live, block)
    assert all(isinstance(block.columns, PackedColumns) for block in live.blocks("d"))
    assert block_digest(concat(live.blocks("d"))) == block_digest(wanted)
    segment = sealed(tmp_path, live)
    with SegmentReader(segment.path) as reader:
        assert reader.digest() == segment.info.digest == block_digest(wanted)


def test_a_column_of_a_packed_block_is_found_by_its_name(kernel: KernelShredder) -> None:
    (block,) = kernel.shred(records([event(number) for number in range(50)])).blocks
    assert isinstance(block.columns, PackedColumns)
    key = ColumnKey(f"000017-03-{'xY' * 22}", FieldType.INT)
    assert block.columns[key].rows.tolist() == [17]
    assert ColumnKey(key.field, FieldType.STRING) not in block.columns


def test_footers_are_kept_up_to_a_number_of_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEGMENT_COLUMNS_MAX_V1", 256)
    segments = []
    for number in range(5):
        block = ReferenceShredder().shred(records([event(n) for n in range(number, 100)])).block
        segments.append(sealed(tmp_path, added(LiveRows(0), block)))
    cache = SegmentCache(DirectoryObjects(tmp_path / "store"), tmp_path / "cache", 2**30)
    for segment in segments:
        cache.adopt(segment.object_hash, segment.path)
    places = [SegmentLocation(one.object_hash, one.size_bytes) for one in segments]
    footers = Footers(bytes_max=250_000)
    for _ in range(2):
        for where in places:
            footer = footers.read(where, cache)
            assert len(footer.own) == 256
            assert len(footer.own) + len(footer.overflow) >= 95 * FIELDS
            assert footers.bytes_held <= 250_000
    assert footers.bytes_held > 100_000  # at least one of them stays
    assert Footers(bytes_max=1_000).read(places[0], cache).nbytes > 1_000


def test_a_block_says_how_much_memory_its_columns_objects_take() -> None:
    column = SparseColumn(
        np.zeros(1, np.uint32),
        ReferenceShredder()
        .shred(records([b'{"a":1}']))
        .block.columns[ColumnKey("a", FieldType.INT)]
        .values,
    )
    block = ReferenceShredder().shred(records([b"{}"])).block
    many = {ColumnKey(str(number), FieldType.INT): column for number in range(1_000)}
    told = LiveDataset.of([_with(block, many)], 1, 1)
    assert isinstance(told.blocks[0].columns, PackedColumns)
    assert told.sizes[0] < 100 * 1_000


def _with(block: ColumnBlock, columns: dict[ColumnKey, SparseColumn]) -> ColumnBlock:
    return ColumnBlock(
        block.time_ns, block.rate, block.offset, block.index_in_record, block.late_or_early, columns
    )


def sealed(folder: Path, live: LiveRows) -> SegmentFile:
    cut = CutRows("d", live.blocks("d"), 1, 2)
    (segment,) = (
        one
        for one in seal(cut, epoch="e", partition=0, folder=folder, encoders=ReferenceEncoders())
    )
    return segment
