"""Live rows are a consistent picture of exactly the rows before one offset (I3, I7)."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import limits
from indexer.shred.interface import ShredInput
from indexer.shred.reference import ReferenceShredder
from indexer.state.live_rows import LiveDataset, LiveRows
from segment.columns import ColumnBlock, ColumnKey, FieldType, block_bytes, concat
from segment.columns.digest import block_digest
from tests.generate import START_NS

FIELD = ColumnKey("n", FieldType.INT)


def block_of(offset: int, rows: int = 1) -> ColumnBlock:
    lines = b"".join(
        b'{"t":%d,"r":1,"d":{"n":%d}}\n' % (START_NS, offset * 1000 + place)
        for place in range(rows)
    )
    return ReferenceShredder().shred([ShredInput(offset, START_NS, 0, lines)]).block


def with_block(
    live: LiveRows,
    dataset: str,
    block: ColumnBlock,
    append_ns: int,
    rows_max: int = limits.LIVE_BLOCK_ROWS_MAX,
) -> LiveRows:
    return live.added({dataset: LiveDataset.of((block,), append_ns, append_ns)}, rows_max)


def filled(
    *offsets: int,
    dataset: str = "d",
    live: LiveRows | None = None,
    rows_max: int = limits.LIVE_BLOCK_ROWS_MAX,
) -> LiveRows:
    live = live or LiveRows(0)
    for offset in offsets:
        block, append_ns = block_of(offset), START_NS + offset
        live = with_block(live, dataset, block, append_ns, rows_max).reached(offset + 1)
    return live


def offsets(live: LiveRows, dataset: str = "d") -> list[int]:
    return concat(live.blocks(dataset)).offset.tolist()


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_rows_stay_whole_and_in_log_order_however_they_arrive(sizes: list[int]) -> None:
    live = LiveRows(0)
    blocks = [block_of(offset, rows) for offset, rows in enumerate(sizes)]
    for block in blocks:
        live = with_block(live, "d", block, START_NS)
    assert block_digest(concat(live.blocks("d"))) == block_digest(concat(blocks))
    assert live.rows == sum(sizes)
    assert live.memory_bytes == sum(map(block_bytes, live.blocks("d")))
    merged = limits.LIVE_BLOCKS_MERGED
    assert len(live.blocks("d")) <= (merged - 1) * (math.log(sum(sizes), merged) + 1)


def test_large_blocks_are_not_copied_again() -> None:
    live = filled(*range(1000), rows_max=10)
    sizes = [block.rows for block in live.blocks("d")]
    assert max(sizes) < 10 * limits.LIVE_BLOCKS_MERGED
    assert len([rows for rows in sizes if rows < 10]) < 2 * limits.LIVE_BLOCKS_MERGED
    assert offsets(live) == list(range(1000))
    before = set(map(id, live.blocks("d")[:5]))
    live = filled(*range(1000, 1100), live=live, rows_max=10)
    assert before <= set(map(id, live.blocks("d")))


def test_a_row_is_copied_a_few_times_however_small_the_blocks_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copied: list[int] = []

    def counted(blocks: Sequence[ColumnBlock]) -> ColumnBlock:
        copied.append(sum(block.rows for block in blocks))
        return concat(blocks)

    monkeypatch.setattr("indexer.state.live_rows.joined", counted)
    rows = 5_000
    live = filled(*range(rows))
    assert sum(copied) <= 5 * rows
    assert len(live.blocks("d")) <= 7 * 4 + rows / limits.LIVE_BLOCK_ROWS_MAX
    assert offsets(live) == list(range(rows))


def test_a_snapshot_keeps_exactly_its_rows_while_more_arrive() -> None:
    before = filled(0, 1, 2)
    after = filled(3, 4, live=before).cut().without_dataset("d", 9)
    assert (before.end_offset, offsets(before)) == (3, [0, 1, 2])
    assert (after.end_offset, offsets(after)) == (5, [])


def test_rows_being_sealed_stay_visible_until_their_segments_take_over() -> None:
    live = filled(0, 1).cut()
    live = filled(2, live=live).cut()
    live = filled(3, live=live)
    assert offsets(live) == [0, 1, 2, 3]
    assert [one.end_offset for one in live.sealing] == [2, 3]
    assert [concat(one.cuts[0].blocks).offset.tolist() for one in live.sealing] == [[0, 1], [2]]
    live = live.published(2)
    assert offsets(live) == [2, 3]
    live = live.published(3)
    assert offsets(live) == [3]
    assert live.end_offset == 4


def test_cuts_are_published_in_order() -> None:
    live = filled(1, live=filled(0).cut()).cut()
    with pytest.raises(ValueError, match="does not end at 2"):
        live.published(2)
    with pytest.raises(ValueError, match="does not end at 5"):
        LiveRows(5).published(5)


def test_the_end_never_goes_back() -> None:
    with pytest.raises(ValueError, match="went back"):
        filled(0, 1).reached(1)


def test_a_cut_names_its_datasets_in_order_with_their_append_times() -> None:
    live = LiveRows(0)
    for offset, dataset in enumerate(("b", "a", "b")):
        live = with_block(live, dataset, block_of(offset), START_NS + offset)
    cuts = live.cut().sealing[0].cuts
    assert [cut.dataset for cut in cuts] == ["a", "b"]
    assert (cuts[1].append_min_ns, cuts[1].append_max_ns) == (START_NS, START_NS + 2)


def test_a_gone_dataset_is_hidden_at_once_but_its_cut_is_sealed_as_the_log_says() -> None:
    live = filled(2, 3, live=filled(0, 1).cut())
    live = filled(4, dataset="other", live=live)
    gone = live.without_dataset("d", 5)
    assert gone.datasets == {"other"}
    assert gone.rows == 1
    assert concat(gone.sealing[0].cuts[0].blocks).rows == 2
    assert [cut.dataset for cut in gone.cut().sealing[1].cuts] == ["other"]
    again = filled(6, live=gone)
    assert offsets(again) == [6]
    assert offsets(live.without_dataset("d", 3)) == [3]
