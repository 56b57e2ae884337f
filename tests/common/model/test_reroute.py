"""Voids and decisions survive the way into the log and back; damaged ones say so (I2, I3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import limits
from common.model.record import Kind, LogRecord, Record, RecordError, decode, encode_headers
from common.model.reroute import (
    Decision,
    EpochOffset,
    RerouteAnswer,
    RerouteQuestion,
    Void,
    decision_record,
    decode_decision,
    decode_void,
    void_record,
)

batches = st.binary(min_size=16, max_size=16)
numbers = st.integers(0, 2**63 - 1)
places = st.builds(EpochOffset, numbers, numbers)
questions = st.builds(RerouteQuestion, batches, places, numbers)
answers = st.builds(RerouteAnswer, batches, places, st.none() | places)


def through_the_log(item: Record) -> Record:
    return decode(LogRecord(0, 7, 1, encode_headers(item), item.value))


@given(st.builds(Void, numbers, st.lists(questions, min_size=1, max_size=5).map(tuple)))
def test_voids_round_trip(void: Void) -> None:
    assert decode_void(through_the_log(void_record(void))) == void


@given(st.builds(Decision, numbers, st.lists(answers, min_size=1, max_size=5).map(tuple)))
def test_decisions_round_trip(decision: Decision) -> None:
    assert decode_decision(through_the_log(decision_record(decision))) == decision


def test_records_hold_a_bounded_number_of_entries() -> None:
    question = RerouteQuestion(bytes(16), EpochOffset(1, 2), 3)
    many = (question,) * (limits.REROUTE_RECORD_ENTRIES_MAX_V1 + 1)
    for wrong in ((), many):
        with pytest.raises(ValueError, match="entries"):
            void_record(Void(0, wrong))


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"[]",
        b'{"asker":1,"questions":[]}',
        b'{"asker":1,"questions":[["00",1,2,3]]}',
        b'{"asker":-1,"questions":[["00000000000000000000000000000000",1,2,3]]}',
        b'{"asker":1,"questions":[["00000000000000000000000000000000",1,2.5,3]]}',
        b'{"asker":1,"questions":[["00000000000000000000000000000000",1,2]]}',
        b'{"decider":1,"answers":[["00000000000000000000000000000000",1,2,[3]]]}',
        b'{"decider":1,"answers":[[7,1,2,null]]}',
    ],
)
def test_damaged_ones_are_told(value: bytes) -> None:
    with pytest.raises(RecordError):
        decode_void(Record(kind=Kind.VOID, value=value))
    with pytest.raises(RecordError):
        decode_decision(Record(kind=Kind.DECISION, value=value))
