"""Putting blocks together and taking rows out changes no value and no order (I3)."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from indexer.shred.interface import ShredInput
from indexer.shred.reference import ReferenceShredder
from segment.columns import block_bytes, concat, empty_block, select
from segment.columns.gather import compact
from tests.segment.columns.equality import assert_same_block

EVENTS = [
    b'{"a":1}', b'{"a":"x","b":true}', b'{"b":null}', b'{"c":[1],"a":-0.0}', b'{"a":2,"d":"y"}',
]  # fmt: skip
records = st.lists(st.sampled_from(EVENTS), max_size=12)


def inputs(events: list[bytes]) -> list[ShredInput]:
    return [
        ShredInput(offset, 0, 0, b'{"t":%d,"r":1,"d":%b}\n' % (offset, event))
        for offset, event in enumerate(events)
    ]


@given(records, st.data())
def test_selected_rows_are_those_of_the_records_alone(
    events: list[bytes], data: st.DataObject
) -> None:
    chosen = data.draw(st.lists(st.booleans(), min_size=len(events), max_size=len(events)))
    mask = np.array(chosen, np.bool_)
    shredder = ReferenceShredder()
    alone = [record for record, keep in zip(inputs(events), chosen, strict=True) if keep]
    whole = shredder.shred(inputs(events)).block
    assert_same_block(select(whole, mask), shredder.shred(alone).block)


def test_no_row_selected_leaves_no_column() -> None:
    block = ReferenceShredder().shred(inputs(EVENTS)).block
    assert_same_block(select(block, np.zeros(block.rows, np.bool_)), empty_block())


@given(records, st.integers(0, 12))
def test_parts_put_together_are_the_whole(events: list[bytes], at: int) -> None:
    shredder = ReferenceShredder()
    parts = [shredder.shred(some).block for some in (inputs(events)[:at], inputs(events)[at:])]
    assert_same_block(concat(parts), shredder.shred(inputs(events)).block)


def test_nothing_put_together_is_an_empty_block() -> None:
    assert_same_block(concat([]), empty_block())
    assert block_bytes(empty_block()) == 0


def test_memory_follows_the_cells_and_not_rows_times_columns() -> None:
    events = [b'{"only%d":1}' % number for number in range(3000)]
    block = ReferenceShredder().shred(inputs(events)).block
    assert len(block.columns) == 3000
    assert block_bytes(compact(block)) < 3000 * 100
