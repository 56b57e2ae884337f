"""What the shepherd accepts, the indexer can read: no accepted event sets its record aside (I2)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common import limits
from common.model.record_value import encode_event_line
from common.scan import fast_json
from common.scan.events import Accepted, MalformedBody
from indexer.shred import ShredInput
from indexer.shred.reference import ReferenceShredder
from tests.common.scan.test_split import EVENTS, NOW


def assert_shreds(event: Accepted, depth: int) -> None:
    line = encode_event_line(event.time_ns, event.rate, event.data)
    shredded = ReferenceShredder().shred([ShredInput(0, NOW, depth, line)])
    assert shredded.quarantined == ()
    assert shredded.block.rows == 1
    assert (shredded.block.time_ns[0], shredded.block.rate[0]) == (event.time_ns, event.rate)


@settings(max_examples=300, deadline=None)
@given(st.lists(EVENTS, max_size=3), st.integers(0, 3))
def test_any_accepted_event_shreds(events: list[str], depth: int) -> None:
    try:
        outcomes = fast_json.split_batch(f"[{','.join(events)}]".encode(), depth, NOW)
    except MalformedBody:
        return
    for outcome in outcomes:
        if isinstance(outcome, Accepted):
            assert_shreds(outcome, depth)


@pytest.mark.parametrize("depth", [0, limits.EXPAND_DEPTH_MAX])
@pytest.mark.parametrize(
    "data",
    [
        b'{"a":' + b"[" * 255 + b"]" * 255 + b"}",
        b'{"a":' * 256 + b"1" + b"}" * 256,
        b'{"a":"' + b"x" * 65_535 + b'"}',
        b'{"' + b"k" * 65_535 + b'":1}',
        b"{" + b",".join(b'"k%d":1' % i for i in range(2_000)) + b"}",
        b'{"a":"' + b'","a":"'.join([b"x" * 9_000] * 110) + b'"}',
        b'{"a":"' + rb"\u0000" * 10_000 + b'"}',
        b'{"a":' + b"9" * 308 + b"}",
    ],
)
def test_events_at_the_limits_shred(data: bytes, depth: int) -> None:
    (outcome,) = fast_json.split_batch(b'[{"data":' + data + b"}]", depth, NOW)
    assert isinstance(outcome, Accepted)
    assert_shreds(outcome, depth)
