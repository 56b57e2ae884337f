"""Both ways of reading an event agree, and columns hold what the events said (I3)."""

import json

from hypothesis import given
from hypothesis import strategies as st

from indexer.shred.event import read_event
from indexer.shred.fast_event import read_event_fast
from indexer.shred.interface import ShredInput
from indexer.shred.reference import ReadEvent, ReferenceShredder
from segment.columns import concat
from segment.columns.digest import block_digest
from tests.generate import START_NS, wide_records
from tests.segment.columns.equality import assert_same_block

keys = st.sampled_from(["a", "b", "a.b", "", "é", 'q"', "{"]) | st.text(max_size=3)
strings = st.sampled_from(['{"', "{id}", '"', "\\", "\x00", "/", "\u2028"]) | st.text(max_size=6)
whole = st.sampled_from([2**63, 2**63 - 1, -(2**63) - 1, 2**64, 10**30]) | st.integers()
spelled = st.sampled_from(
    ["-0", "-0.0", "1E+2", "1e-400", "1e400", "NaN", "01", r'"\ud800"', r'"\ud83d\ude00"', "nul"]
)
scalars = (
    st.one_of(st.none(), st.booleans(), whole, st.floats(allow_nan=False, allow_infinity=False))
    | strings
).map(json.dumps) | spelled


def members(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Objects as text, with duplicate keys and odd white space."""
    member = st.tuples(keys.map(json.dumps), st.sampled_from([":", " : "]), values).map("".join)
    return st.lists(member, max_size=5).map(lambda parts: "{" + ",".join(parts) + "}")


values = st.recursive(
    scalars,
    lambda inner: members(inner) | st.lists(inner, max_size=3).map(lambda v: f"[{', '.join(v)}]"),
    max_leaves=8,
)
events = members(values)
flat_events = members(scalars)


def tried(read: ReadEvent, data: bytes, depth: int) -> list[tuple[str, type, str]] | None:
    try:
        fields = read(data, depth)
    except ValueError:
        return None
    return sorted((name, type(value), repr(value)) for name, value in fields.items())


@given(events | flat_events, st.integers(0, 3))
def test_the_shortcut_reads_every_event_as_the_exact_way_does(event: str, depth: int) -> None:
    data = event.encode()
    assert tried(read_event_fast, data, depth) == tried(read_event, data, depth)


@given(events, st.data())
def test_neither_way_fails_otherwise_on_damaged_events(event: str, draw: st.DataObject) -> None:
    damaged = bytearray(event.encode())
    at = draw.draw(st.integers(0, len(damaged) - 1))
    damaged[at : at + draw.draw(st.integers(0, 2))] = draw.draw(st.binary(max_size=2))
    data, depth = bytes(damaged), draw.draw(st.integers(0, 2))
    assert tried(read_event_fast, data, depth) == tried(read_event, data, depth)


@given(st.lists(events | flat_events, min_size=1, max_size=5), st.integers(0, 2))
def test_both_ways_give_equal_blocks(found: list[str], depth: int) -> None:
    records = [
        ShredInput(offset, START_NS, depth, b'{"t":1,"r":1,"d":%b}\n' % event.encode())
        for offset, event in enumerate(found)
    ]
    fast = ReferenceShredder().shred(records)
    exact = ReferenceShredder.exact().shred(records)
    assert [aside.offset for aside in fast.quarantined] == [a.offset for a in exact.quarantined]
    assert_same_block(fast.block, exact.block)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=8), st.integers(0, 3))
def test_twins_that_read_in_different_blocks_agree_in_the_digest(
    sizes: list[int], seed: int
) -> None:
    records = wide_records(60, per_record=5, seed=seed)
    shredder = ReferenceShredder()
    parts, at = [], 0
    for size in [*sizes, len(records)]:
        parts.append(shredder.shred(records[at : at + size]).block)
        at += size
    whole_block = shredder.shred(records).block
    assert_same_block(concat(parts), whole_block)
    assert block_digest(concat(parts)) == block_digest(whole_block)
