"""A row that is there twice is found, however large its offset is (I2)."""

from pathlib import Path

import numpy as np
import pytest

from indexer.seal.segment_files import seal
from indexer.state.live_rows import CutRows
from segment.columns import ColumnBlock
from segment.parquet.selected import SelectedEncoders
from snapshot.documents.manifest import SegmentEntry
from snapshot.verify.rows import ContentCheck, in_row_order, out_of_order

FIRST_OFFSETS = [0, 2**31 - 2, 2**31, 2**32 - 2, 2**53 - 2, 2**53, 2**62]


def sealed(
    folder: Path, places: list[tuple[int, int]], far: list[bool] | None = None
) -> list[tuple[SegmentEntry, Path]]:
    """Segments with rows at these (offset, index in the record), as an indexer writes them."""
    rows = len(places)
    block = ColumnBlock(
        time_ns=np.arange(rows, dtype=np.int64),
        rate=np.ones(rows, np.int64),
        offset=np.array([offset for offset, _ in places], np.int64),
        index_in_record=np.array([place for _, place in places], np.int32),
        late_or_early=np.array(far or [False] * rows, np.bool_),
        columns={},
    )
    cut = CutRows("d", (block,), 1, 2)
    folder.mkdir(exist_ok=True)
    files = seal(cut, epoch="e", partition=0, folder=folder, encoders=SelectedEncoders().now)
    return [
        (
            SegmentEntry(
                team="t",
                env="e",
                dataset="d",
                epoch_number=1,
                rows=file.info.rows,
                time_min_ns=file.info.time_min_ns,
                time_max_ns=file.info.time_max_ns,
                append_min_ns=1,
                append_max_ns=2,
                first_offset=file.info.first_offset,
                end_offset=file.info.end_offset,
                object=file.object_hash,
                size_bytes=file.size_bytes,
                digest=file.info.digest,
                far=file.info.far,
            ),
            file.path,
        )
        for file in files
    ]


def problems(*segments: tuple[SegmentEntry, Path]) -> list[str]:
    contents = ContentCheck()
    ordered = sorted(segments, key=lambda one: in_row_order(one[0]))
    return [problem for entry, path in ordered for problem in contents.problems(entry, path)]


@pytest.mark.parametrize("first", FIRST_OFFSETS)
def test_rows_in_order_are_clean_and_a_doubled_one_is_named(tmp_path: Path, first: int) -> None:
    rows = [(first, 0), (first, 1), (first + 1, 0), (first + 3, 0)]
    assert problems(*sealed(tmp_path, rows)) == []
    for at in range(len(rows)):
        doubled = [*rows[: at + 1], *rows[at:]]
        assert problems(*sealed(tmp_path / str(at), doubled)) == [
            "a row is there twice or out of order"
        ]
    swapped = [rows[1], rows[0], *rows[2:]]
    assert problems(*sealed(tmp_path / "swapped", swapped)) != []


@pytest.mark.parametrize("first", FIRST_OFFSETS)
def test_a_row_in_two_segments_of_a_cut_is_named(tmp_path: Path, first: int) -> None:
    rows = [(first, 0), (first, 1), (first + 1, 0), (first + 1, 1)]
    apart = sealed(tmp_path / "apart", rows, far=[False, True, False, True])
    assert len(apart) == 2
    assert problems(*apart) == []
    again = sealed(tmp_path / "again", [(first, 1), (first + 2, 0)])
    [problem] = problems(*apart, *again)
    assert problem.startswith("1 rows are also in segment")


def test_places_beyond_16_bits_and_equal_sums_are_told_apart() -> None:
    offset = np.array([2**53, 2**53 + 1], np.int64)
    assert not out_of_order(offset, np.array([2**31 - 1, 0], np.int32))
    assert out_of_order(offset[::-1], np.array([0, 1], np.int32))
    assert out_of_order(np.array([7, 7], np.int64), np.array([3, 3], np.int32))


def test_one_segment_named_by_two_cuts_is_found(tmp_path: Path) -> None:
    [one] = sealed(tmp_path, [(2**53, 0), (2**53 + 1, 0)])
    [problem] = problems(one, one)
    assert "2 rows are also in segment" in problem
