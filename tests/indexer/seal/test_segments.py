"""A sealed segment holds exactly the rows it was given, and says so (I3, I4)."""

import os
import tempfile
from pathlib import Path

import duckdb
import pytest

from common import limits
from common.errors import DamagedObject
from indexer.seal.segment_files import remove_leftovers, seal, seal_all
from indexer.shred.interface import ShredInput
from indexer.shred.reference import ReferenceShredder
from indexer.state.live_rows import CutRows
from segment.columns import ColumnBlock, ColumnKey, FieldType, block_bytes, concat
from segment.columns.digest import block_digest
from segment.columns.gather import compact
from segment.columns.key import TIME
from segment.columns.segment import SegmentFile
from segment.columns.segment_read import SegmentReader, describe_segment, file_hash
from segment.parquet.reference import ReferenceEncoders
from tests.generate import START_NS, wide_records
from tests.segment.columns.equality import assert_same_block

DAY_NS = 24 * 3600 * 10**9


def shred(*lines: bytes, offset: int = 0, depth: int = 0) -> ColumnBlock:
    record = ShredInput(offset, START_NS, depth, b"".join(line + b"\n" for line in lines))
    shredded = ReferenceShredder().shred([record])
    assert not shredded.quarantined
    return shredded.block


def line(data: str, time_ns: int = START_NS) -> bytes:
    return b'{"t":%d,"r":1,"d":%b}' % (time_ns, data.encode())


def cut(*blocks: ColumnBlock, dataset: str = "d1") -> CutRows:
    return CutRows(dataset, blocks, START_NS, START_NS + 5)


def sealed(rows: CutRows, folder: Path, partition: int = 0) -> tuple[SegmentFile, ...]:
    """The segments of a cut, as the reference writes them."""
    return seal(rows, epoch="e", partition=partition, folder=folder, encoders=ReferenceEncoders())


def test_sealed_rows_read_back_exactly(tmp_path: Path) -> None:
    block = ReferenceShredder().shred(wide_records(500)).block
    (segment,) = seal(
        cut(block), epoch="e", partition=3, folder=tmp_path, encoders=ReferenceEncoders()
    )
    with SegmentReader(segment.path) as reader:
        assert_same_block(reader.block(), block)
        assert reader.digest() == block_digest(block) == segment.info.digest
        some = frozenset(list(block.columns)[:3])
        assert frozenset(reader.block(some).columns) == some
    assert describe_segment(segment.path) == segment
    assert segment.path.name == f"{segment.object_hash}.parquet"
    assert file_hash(segment.path) == segment.object_hash
    info = segment.info
    assert (info.dataset, info.epoch, info.partition, info.rows) == ("d1", "e", 3, 500)
    assert (info.first_offset, info.end_offset) == (0, 5)
    assert (info.append_min_ns, info.append_max_ns) == (START_NS, START_NS + 5)
    with SegmentReader(segment.path) as reader:
        assert reader.columns == frozenset(block.columns)


def test_sealing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    block = ReferenceShredder().shred(wide_records(200)).block
    first = sealed(cut(block), tmp_path)
    assert sealed(cut(block), tmp_path) == first
    assert [path.name for path in tmp_path.iterdir()] == [first[0].path.name]


def test_twins_that_read_in_different_blocks_seal_the_same_bytes(tmp_path: Path) -> None:
    records = wide_records(300, per_record=20)
    shredder = ReferenceShredder()
    whole = cut(shredder.shred(records).block)
    parts = cut(*(shredder.shred(some).block for some in (records[:1], records[1:9], records[9:])))
    left = sealed(whole, tmp_path)
    assert sealed(parts, tmp_path) == left


def test_far_events_never_widen_the_time_range_of_ordinary_ones(tmp_path: Path) -> None:
    block = shred(
        line('{"a":1}'),
        line('{"a":2}', 0),
        line('{"a":3}', START_NS - limits.TIME_PAST_BOUND_NS_V1),
        line('{"a":4}', START_NS + limits.TIME_FUTURE_BOUND_NS_V1 + 1),
    )
    ordinary, far = seal(
        cut(block), epoch="e", partition=0, folder=tmp_path, encoders=ReferenceEncoders()
    )
    assert (ordinary.info.far, ordinary.info.rows) == (False, 2)
    assert ordinary.info.time_min_ns == START_NS - limits.TIME_PAST_BOUND_NS_V1
    assert ordinary.info.time_max_ns == START_NS
    assert (far.info.far, far.info.rows, far.info.time_min_ns) == (True, 2, 0)
    with SegmentReader(far.path) as reader:
        found = reader.block()
    assert found.late_or_early.all()
    assert found.columns[ColumnKey("a", FieldType.INT)].values.to_pylist() == [2, 4]


def test_no_rows_make_no_segment(tmp_path: Path) -> None:
    assert sealed(cut(), tmp_path) == ()
    assert list(tmp_path.iterdir()) == []


def test_every_dataset_of_a_cut_is_sealed_in_the_order_of_ids(tmp_path: Path) -> None:
    block = shred(line('{"a":1}'))
    cuts = [cut(block, dataset="z"), cut(block, dataset="b")]
    segments = seal_all(cuts, epoch="e", partition=0, folder=tmp_path, encoders=ReferenceEncoders())
    assert [segment.info.dataset for segment in segments] == ["b", "z"]


def test_rarest_columns_of_a_wide_segment_share_one_and_stay_exact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEGMENT_COLUMNS_MAX_V1", 2)
    block = shred(
        line('{"a":1,"Ä b":"x\\u0000","f":-0.0,"g":5e-324,"h":true,"i":9223372036854775807}'),
        line('{"a":2,"Ä b":"y","j":[1, {"k":1e2}],"f":1.0}'),
        line('{"a":3}'),
    )
    (segment,) = seal(
        cut(block), epoch="e", partition=0, folder=tmp_path, encoders=ReferenceEncoders()
    )
    with SegmentReader(segment.path) as reader:
        assert reader.columns == {ColumnKey("a", FieldType.INT), ColumnKey("f", FieldType.FLOAT)}
        assert len(reader.overflow_columns) == 5
    with SegmentReader(segment.path) as reader:
        assert_same_block(reader.block(), block)
        assert reader.digest() == block_digest(block)


@pytest.mark.parametrize(("often_in", "own"), [(10, 3), (11, 5)])
def test_columns_that_are_not_rare_keep_one_of_their_own_beyond_the_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, often_in: int, own: int
) -> None:
    monkeypatch.setattr(limits, "SEGMENT_COLUMNS_FEW", 3)
    monkeypatch.setattr(limits, "SEGMENT_RARE_ROWS", 100)
    some = ('"a":1,', '"b":1,', '"c":1,', '"d":1,', '"e":1,')
    lines = [f'{{{"".join(some)}"f":1}}' if at < 1 else "{}" for at in range(10)]
    often = [f"{{{''.join(some)[:-1]}}}" for _ in range(often_in - 1)]
    rows = [*lines, *often, *["{}"] * (1_100 - 10 - len(often))]
    (segment,) = seal(
        cut(shred(*map(line, rows))),
        epoch="e",
        partition=0,
        folder=tmp_path,
        encoders=ReferenceEncoders(),
    )
    with SegmentReader(segment.path) as reader:
        assert (len(reader.columns), len(reader.overflow_columns)) == (own, 6 - own)


def test_ten_thousand_sparse_columns_are_sealed_and_read_back(tmp_path: Path) -> None:
    lines = [line(f'{{"field{i}":{i},"common":"c","also{i % 4090}":1.5}}') for i in range(5000)]
    block = shred(*lines)
    assert len(block.columns) == 9091
    assert block_bytes(compact(block)) < 2_000_000
    (segment,) = seal(
        cut(block), epoch="e", partition=0, folder=tmp_path, encoders=ReferenceEncoders()
    )
    with SegmentReader(segment.path) as reader:
        assert len(reader.columns) == limits.SEGMENT_COLUMNS_FEW  # one or two values are rare
        assert len(reader.overflow_keys) == 9091 - limits.SEGMENT_COLUMNS_FEW
    with SegmentReader(segment.path) as reader:
        assert reader.digest() == segment.info.digest


@pytest.mark.parametrize("more", [0, limits.SMALL_SEGMENT_ROWS])
def test_another_engine_reads_a_segment_and_its_trace_filter(tmp_path: Path, more: int) -> None:
    block = concat(
        [
            shred(line('{"Status":1,"status":2,"_time":"x"}'), offset=0),
            *(
                shred(line('{"trace.trace_id":"t1","ok":true}'), offset=1 + n)
                for n in range(1 + more)
            ),
        ]
    )
    (segment,) = seal(
        cut(block), epoch="e", partition=0, folder=tmp_path, encoders=ReferenceEncoders()
    )
    rows = duckdb.sql(
        f'select {TIME}, "f:%53tatus:i", "f:status:i", "f:_time:s", "f:ok:b" '
        f"from '{segment.path}' order by _offset"
    ).fetchall()
    assert rows[:2] == [(START_NS, 1, 2, "x", None), (START_NS, None, None, None, True)]
    blooms = duckdb.sql(
        f"select path_in_schema from parquet_metadata('{segment.path}') "
        "where bloom_filter_offset is not null"
    ).fetchall()
    assert blooms == ([("f:trace.trace_id:s",)] if more else [])  # a small segment needs none


def test_a_full_disk_leaves_nothing_under_a_segments_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        seal(
            cut(shred(line('{"a":1}'))),
            epoch="e",
            partition=0,
            folder=tmp_path,
            encoders=ReferenceEncoders(),
        )
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".sealing-abc").write_bytes(b"half")
    seal(
        cut(shred(line('{"a":1}'))),
        epoch="e",
        partition=0,
        folder=tmp_path,
        encoders=ReferenceEncoders(),
    )
    remove_leftovers(tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".parquet"]


def test_a_damaged_file_is_told_apart(tmp_path: Path) -> None:
    (segment,) = seal(
        cut(shred(line('{"a":1}'))),
        epoch="e",
        partition=0,
        folder=tmp_path,
        encoders=ReferenceEncoders(),
    )
    whole = segment.path.read_bytes()
    for damaged in (b"", whole[:-1], whole[: len(whole) // 2], whole[:-9] + b"x" + whole[-8:]):
        segment.path.write_bytes(damaged)
        with pytest.raises(DamagedObject):
            describe_segment(segment.path)


@pytest.mark.parametrize("datasets", [1, 5])
def test_a_cut_of_small_segments_is_one_file_and_one_fsync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, datasets: int
) -> None:
    real, synced = os.fsync, list[int]()

    def fsync(descriptor: int) -> None:
        synced.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    block = shred(line('{"a":1}'))
    cuts = [cut(block, dataset=f"dataset-{number}") for number in range(datasets)]
    files = seal_all(
        cuts, epoch="e", partition=0, folder=tmp_path, encoders=ReferenceEncoders(), packing=True
    )
    assert len(files) == datasets
    assert [file.path for file in files] == list(tmp_path.iterdir()) * datasets
    assert len(synced) == 1


def test_a_cut_of_large_segments_makes_no_file_for_a_pack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PACKED_SEGMENT_BYTES_MAX", 1)
    real, made = tempfile.mkstemp, list[str]()

    def mkstemp(**options: str) -> tuple[int, str]:
        found = real(**options)
        made.append(found[1])
        return found

    monkeypatch.setattr(tempfile, "mkstemp", mkstemp)
    (file,) = seal_all(
        [cut(shred(line('{"a":1}')))],
        epoch="e",
        partition=0,
        folder=tmp_path,
        encoders=ReferenceEncoders(),
        packing=True,
    )
    assert [file.path] == list(tmp_path.iterdir())
    assert len(made) == 1
