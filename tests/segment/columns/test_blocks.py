"""Putting blocks together and taking rows out changes no value and no order (I3)."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from indexer.shred.interface import ShredInput
from indexer.shred.reference import ReferenceShredder
from segment.columns import SparseColumn, block_bytes, concat, empty_block, select
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


@given(
    st.sampled_from(
        [
            (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
            (pa.float64(), st.floats(allow_nan=False)),
            (pa.bool_(), st.booleans()),
            (pa.large_string(), st.text(max_size=5)),
        ]
    ).flatmap(lambda kind: st.tuples(st.just(kind[0]), st.lists(st.none() | kind[1], max_size=20))),
    st.integers(0, 3),
)
def test_dense_column_has_each_value_in_its_row(
    drawn: tuple[pa.DataType, list[object]], before: int
) -> None:
    kind, cells = drawn
    rows = np.array([row for row, cell in enumerate(cells) if cell is not None], np.uint32)
    present = [cell for cell in cells if cell is not None]
    values = pa.array([*present[:1] * before, *present], kind)[before if present else 0 :]
    dense = SparseColumn(rows, values).dense(len(cells))
    dense.validate(full=True)
    assert dense.equals(pa.array(cells, kind))
    assert dense.null_count == len(cells) - len(rows)
