"""An output holds exactly the rows of its inputs, and proves it (I2, I3)."""

from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from common import limits
from common.errors import DamagedObject
from segment.columns.segment_read import SegmentReader
from segment.columns.segment_write import encode_segment
from segment.summary.compute import summarize_file, summarize_rows
from snapshot.cache import file_sha256
from snapshot.compaction.compacted import Input
from snapshot.compaction.merge import OutputTooLarge, Source, merge, merged_rows
from snapshot.compaction.proof import unproved_inputs
from snapshot.documents.manifest import SegmentEntry
from tests.snapshot.compaction.pieces import ENCODERS, Piece, piece, pieces


def merged(made: list[Piece], folder: Path) -> Path:
    entries = [one.entry for one in made]
    encoded = merge([Source(one.path) for one in made], entries, ENCODERS)
    path = folder / f"{encoded.object_hash}.parquet"
    path.write_bytes(encoded.data)
    return path


def test_an_output_can_be_cut_back_into_its_inputs(tmp_path: Path) -> None:
    made = pieces(tmp_path, 7)
    output = merged(made, tmp_path)
    with SegmentReader(output) as reader:
        assert reader.info.rows == 21
        assert reader.info.first_offset == made[0].entry.first_offset
        assert reader.info.end_offset == made[-1].entry.end_offset
        assert reader.info.append_max_ns == made[-1].entry.append_max_ns
        assert reader.digest() == reader.info.digest
    assert unproved_inputs(output, [one.entry for one in made], 21) == []


def test_small_and_large_segments_are_put_together(tmp_path: Path) -> None:
    rows = [3, limits.SMALL_SEGMENT_ROWS, limits.SMALL_SEGMENT_ROWS + 1, 1]
    made = [
        one for at, count in enumerate(rows) for one in pieces(tmp_path, 1, rows=count, first=at)
    ]
    output = merged(made, tmp_path)
    assert unproved_inputs(output, [one.entry for one in made], sum(rows)) == []


def test_the_proof_finds_every_input_that_is_another_one(tmp_path: Path) -> None:
    made = pieces(tmp_path / "a", 5)
    other = pieces(tmp_path / "b", 5)
    other[2] = piece(tmp_path / "b", 2, ['{"n":200}', '{"n":201}', '{"n":999}'])
    output = merged(other, tmp_path)
    (found,) = unproved_inputs(output, [one.entry for one in made], 15)
    assert found.entry == made[2].entry
    fewer = msgspec.structs.replace(made[1].entry, rows=2)
    more = msgspec.structs.replace(made[3].entry, rows=4)
    entries: list[SegmentEntry] = [made[0].entry, fewer, other[2].entry, more, made[4].entry]
    assert [one.entry for one in unproved_inputs(output, entries, 15)] == [fewer, more]
    with pytest.raises(DamagedObject, match="its inputs have 12"):
        unproved_inputs(output, [one.entry for one in made[:4]], 15)


def test_outputs_of_outputs_have_the_bytes_of_an_output_of_segments(tmp_path: Path) -> None:
    made = pieces(tmp_path, 6)
    entries = [one.entry for one in made]
    parts = [merged(made[:4], tmp_path), merged(made[4:], tmp_path)]
    again = merge([Source(path) for path in parts], entries, ENCODERS)
    assert merged(made, tmp_path).read_bytes() == again.data


@pytest.mark.parametrize("rows", [3, limits.SMALL_SEGMENT_ROWS + 1])
def test_one_alone_gets_another_name_each_time_and_the_same_on_every_indexer(
    tmp_path: Path, rows: int
) -> None:
    (made,) = pieces(tmp_path, 1, rows=rows)
    names, file = {made.entry.object}, made.path
    for number in range(1, 4):
        encoded = merge([Source(file)], [made.entry], ENCODERS)
        again = merge([Source(file.read_bytes())], [made.entry], ENCODERS)
        assert encoded.data == again.data
        file = tmp_path / f"moved-{number}.parquet"
        file.write_bytes(encoded.data)
        assert unproved_inputs(file, [made.entry], rows) == []
        names.add(encoded.object_hash)
        assert len(names) == number + 1


def test_whole_inputs_may_be_left_out(tmp_path: Path) -> None:
    made = pieces(tmp_path, 4)
    whole = merged(made, tmp_path)
    kept = [made[1].entry, made[3].entry]
    names = tuple(Input(one.object, one.first_offset, one.end_offset) for one in kept)
    rest = merge([Source(whole, names)], kept, ENCODERS)
    assert unproved_inputs(rest.data, kept, rest.info.rows) == []


def test_what_is_left_of_an_output_has_another_name_than_all_that_had_its_rows(
    tmp_path: Path,
) -> None:
    """Those may be deleted by their names yet: the newest deletions are repeated after a start."""
    first, second, third = pieces(tmp_path, 3)
    entry = second.entry
    only = (Input(entry.object, entry.first_offset, entry.end_offset),)
    moved = tmp_path / "moved.parquet"
    moved.write_bytes(merge([Source(second.path)], [entry], ENCODERS).data)
    names = {entry.object, file_sha256(moved)}
    for at, (file, others) in enumerate(((second.path, [first, second]), (moved, [second, third]))):
        both = [Source(file if one is second else one.path) for one in others]
        whole = merge(both, [one.entry for one in others], ENCODERS)
        left = merge([Source(whole.data, only)], [entry], ENCODERS)
        assert unproved_inputs(left.data, [entry], entry.rows) == []
        names.add(left.object_hash)
        assert len(names) == 3 + at


def test_columns_that_overflow_in_some_inputs_stay_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEGMENT_COLUMNS_FEW", 3)
    monkeypatch.setattr(limits, "SEGMENT_COLUMNS_MAX_V1", 3)
    wide = [
        f'{{"a":{at},"b":"t{at}","c":{at}.25,"d":true,"e":[{at}],"f":{{}},"g":null}}'
        for at in range(4)
    ]
    made = [piece(tmp_path, 0, wide), piece(tmp_path, 1, ['{"e":1}', '{"b":"x"}'])]
    made.append(piece(tmp_path, 2, wide[2:]))
    output = merged(made, tmp_path)
    with SegmentReader(output) as reader:
        assert reader.overflow_columns
    assert unproved_inputs(output, [one.entry for one in made], 8) == []


def test_what_needs_too_much_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = pieces(tmp_path, 3)
    monkeypatch.setattr(limits, "COMPACTED_DECODED_BYTES_MAX", 100)
    with pytest.raises(OutputTooLarge):
        merged(made, tmp_path)


def test_many_small_files_are_refused_for_what_they_take_not_for_what_they_might(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An output was made of few larger ones; it is made again of all its inputs."""
    made = pieces(tmp_path, 40, rows=1)
    monkeypatch.setattr(limits, "COMPACTED_DECODED_BYTES_MAX", 100_000)
    assert sum(one.path.stat().st_size for one in made) * 32 > 1_000_000
    assert unproved_inputs(merged(made, tmp_path), [one.entry for one in made], 40) == []


@pytest.mark.parametrize("overflows", [False, True])
def test_a_summary_of_merged_rows_is_that_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overflows: bool
) -> None:
    if overflows:
        monkeypatch.setattr(limits, "SEGMENT_COLUMNS_FEW", 4)
        monkeypatch.setattr(limits, "SEGMENT_COLUMNS_MAX_V1", 4)
    made = pieces(tmp_path, 7, rows=40)
    entries = [one.entry for one in made]
    block, origin = merged_rows([Source(one.path) for one in made], entries, ENCODERS)
    encoded = encode_segment(block, origin, ENCODERS)
    path = tmp_path / "output.parquet"
    path.write_bytes(encoded.data)
    name = encoded.object_hash
    with SegmentReader(path) as reader:
        assert bool(reader.overflow_columns) == overflows
    assert summarize_rows(block, name, ENCODERS) == summarize_file(path, name, ENCODERS)


def test_of_a_damaged_file_nothing_is_said_but_that_it_is_damaged(tmp_path: Path) -> None:
    """Any other error would end the compaction of all partitions."""
    one, other = pieces(tmp_path, 2)
    data, entries = one.path.read_bytes(), [one.entry, other.entry]
    for at in range(len(data)):
        damaged = bytearray(data)
        damaged[at] ^= 0xFF
        for source in (Source(bytes(damaged)), Source(bytes(damaged), ())):
            with suppress(DamagedObject):
                merge([source, Source(other.path.read_bytes())], entries, ENCODERS)
