"""What the door accepts is never set aside by the indexer: an acknowledged event is stored (I2)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import limits
from common.model.record_value import encode_event_line
from common.scan import fast_json, json_events
from common.scan.events import Accepted, MalformedBody, Rule
from indexer.shred.event import read_event
from indexer.shred.fast_event import read_event_fast
from indexer.shred.interface import ShredInput
from indexer.shred.reference import ReferenceShredder
from tests.indexer.shred.test_properties import events, flat_events
from tests.indexer.shred.test_shred import exactly


def stored(outcome: Accepted, depth: int) -> int:
    line = encode_event_line(outcome.time_ns, outcome.rate, outcome.data)
    shredded = ReferenceShredder().shred([ShredInput(0, 0, depth, line)])
    assert not shredded.quarantined
    return shredded.block.rows


@given(st.lists(events | flat_events, max_size=4), st.integers(0, 3), st.sampled_from([" ", "\n"]))
def test_every_accepted_event_becomes_a_row(found: list[str], depth: int, space: str) -> None:
    elements = [f'{{{space}"data":{event}{space}}}' for event in found]
    body = f"[{','.join(elements)}]".encode()
    for door in (json_events.split_batch, fast_json.split_batch):
        try:
            outcomes = door(body, depth, 7)
        except MalformedBody:
            continue
        for outcome in outcomes:
            if isinstance(outcome, Accepted):
                assert stored(outcome, depth) == 1


def test_the_deepest_accepted_nesting_becomes_a_row() -> None:
    accepted = 0
    for levels in range(limits.NESTING_DEPTH_MAX - 4, limits.NESTING_DEPTH_MAX + 4):
        for opening, closing in (("[", "]"), ('{"a":', "}")):
            data = f'{{"a":{opening * levels}1{closing * levels}}}'
            assert json.loads(data)
            for door in (json_events.split_batch, fast_json.split_batch):
                (outcome,) = door(f'[{{"data":{data}}}]'.encode(), 2, 7)
                if isinstance(outcome, Accepted):
                    accepted += stored(outcome, 2)
    assert accepted > 0


@given(events, st.integers(0, 3), st.integers(0, 12))
def test_the_door_refuses_the_names_that_the_shredder_would_not_make(
    event: str, depth: int, most: int
) -> None:
    data = event.encode()
    try:
        (accepted,) = json_events.split_batch(b'[{"data":%b}]' % data, depth, 7)
    except MalformedBody:
        return
    if not isinstance(accepted, Accepted):
        return
    data = accepted.data  # as the log has it, numbers that are none mended
    unpacked = read_event(data, depth)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(limits, "UNPACKED_NAME_BYTES_MAX", most)
        (outcome,) = json_events.split_batch(b'[{"data":%b}]' % data, depth, 7)
        for read in (read_event, read_event_fast):
            if isinstance(outcome, Accepted):
                assert exactly(read(data, depth)) == exactly(unpacked)
            else:
                assert outcome.rule is Rule.NAMES_TOO_LONG
                assert exactly(read(data, depth)) == exactly(read(data, 0))
