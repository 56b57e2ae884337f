"""A record made again from its rows says the same, column by column (I2, I3)."""

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from common.model.record_value import encode_event_line, events_record
from indexer.damage.rebuild import rebuild_record
from indexer.shred import Accepted
from indexer.shred.reference import ReferenceShredder
from tests.indexer.shred.test_properties import events
from tests.segment.columns.equality import assert_same_block

TIME_NS = 1_700_000_000 * 10**9
OWNER = ("t", "e", "d")


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(events, st.integers(0, 10**15), st.integers(1, 9)), min_size=1, max_size=6),
    st.integers(0, 3),
)
def test_record_made_again_gives_the_same_columns(
    some: list[tuple[str, int, int]], depth: int
) -> None:
    shredder = ReferenceShredder()
    lines = [encode_event_line(TIME_NS + at, rate, text.encode()) for text, at, rate in some]
    record = events_record(
        team="t", env="e", dataset="d", batch=bytes(16), depth=depth, via="random", lines=lines
    )
    shredded = shredder.shred_values([Accepted(7, TIME_NS, record)])
    assume(not shredded.quarantined)
    other = events_record(
        team="t", env="e", dataset="d", batch=bytes(16), depth=0, via="random",
        lines=[encode_event_line(TIME_NS, 1, b'{"a":1}')],
    )  # fmt: skip
    around = shredder.shred_values(
        [Accepted(6, TIME_NS, other), Accepted(7, TIME_NS, record), Accepted(8, TIME_NS, other)]
    )
    again = rebuild_record(around.blocks, 7, owner=OWNER, batch=bytes(16))
    if again is None:  # an infinite number is no JSON
        values = (c.values for c in shredded.block.columns.values())
        assert any("inf" in str(value.to_pylist()) for value in values)
        return
    remade = shredder.shred_values([Accepted(7, TIME_NS, again)])
    assert remade.quarantined == ()
    assert_same_block(remade.block, shredded.block)
