"""Void and decision records, by which partitions resolve rerouted batches.

A batch whose outcome in partition p is unknown is written to q as a conditional record. Indexers of
q append a *void* to p (questions: may the copy in q count?), those of p append a *decision* to q
(the answers). One record holds many of either. Reasons: docs/adr/0006-rerouting.md. Keeps I2, I3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from common import limits
from common.model.record import BATCH_ID_BYTES, Kind, Record, RecordError


@dataclass(frozen=True, slots=True, order=True)
class EpochOffset:
    """An offset in a partition and the number of the partition's log epoch that it belongs to."""

    epoch: int
    offset: int


@dataclass(frozen=True, slots=True)
class RerouteQuestion:
    """A conditional batch: its position in the asking partition, and its append time."""

    batch: bytes
    place: EpochOffset
    append_ns: int


@dataclass(frozen=True, slots=True)
class Void:
    """Questions of partition `asker` to p. After the void no first copy of these batches counts in
    p.
    """

    asker: int
    questions: tuple[RerouteQuestion, ...]


@dataclass(frozen=True, slots=True)
class RerouteAnswer:
    """The answer to a question, identified by batch and position.

    copy: the answering partition's own copy, which counts instead (drop); None: it has no copy and
    never will (keep).
    """

    batch: bytes
    place: EpochOffset
    copy: EpochOffset | None


@dataclass(frozen=True, slots=True)
class Decision:
    """The answers of partition `decider` to q."""

    decider: int
    answers: tuple[RerouteAnswer, ...]


def void_record(void: Void) -> Record:
    """A void as a record. Raises ValueError if it holds too many questions, or none."""
    _check_count(void.questions)
    questions = [
        [q.batch.hex(), q.place.epoch, q.place.offset, q.append_ns] for q in void.questions
    ]
    body = {"asker": void.asker, "questions": questions}
    return Record(kind=Kind.VOID, value=orjson.dumps(body))


def decision_record(decision: Decision) -> Record:
    """A decision as a record. Raises ValueError if it holds too many answers, or none."""
    _check_count(decision.answers)
    answers = [
        [
            answer.batch.hex(),
            answer.place.epoch,
            answer.place.offset,
            None if answer.copy is None else [answer.copy.epoch, answer.copy.offset],
        ]
        for answer in decision.answers
    ]
    body = {"decider": decision.decider, "answers": answers}
    return Record(kind=Kind.DECISION, value=orjson.dumps(body))


def decode_void(record: Record) -> Void:
    """Read a void's value. Raises RecordError."""
    try:
        body = orjson.loads(record.value)
        questions = tuple(
            RerouteQuestion(
                _batch(batch), EpochOffset(_number(epoch), _number(offset)), _number(append_ns)
            )
            for batch, epoch, offset, append_ns in body["questions"]
        )
        _check_count(questions)
        return Void(_number(body["asker"]), questions)
    except (KeyError, TypeError, ValueError) as error:
        raise RecordError(f"void cannot be read: {error}") from error


def decode_decision(record: Record) -> Decision:
    """Read a decision's value. Raises RecordError."""
    try:
        body = orjson.loads(record.value)
        answers = tuple(
            RerouteAnswer(_batch(batch), EpochOffset(_number(epoch), _number(offset)), _copy(copy))
            for batch, epoch, offset, copy in body["answers"]
        )
        _check_count(answers)
        return Decision(_number(body["decider"]), answers)
    except (KeyError, TypeError, ValueError) as error:
        raise RecordError(f"decision cannot be read: {error}") from error


def _check_count(entries: Sequence[object]) -> None:
    if not 0 < len(entries) <= limits.REROUTE_RECORD_ENTRIES_MAX_V1:
        raise ValueError(f"{len(entries)} entries in one record")


def _batch(text: Any) -> bytes:
    batch = bytes.fromhex(text)
    if len(batch) != BATCH_ID_BYTES:
        raise ValueError("a batch id has 16 bytes")
    return batch


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"not a whole number from 0: {value!r:.40}")
    return value


def _copy(value: Any) -> EpochOffset | None:
    if value is None:
        return None
    epoch, offset = value
    return EpochOffset(_number(epoch), _number(offset))
