"""Error codes of brokers: which prove that a record was not appended, which mean a new leader.

An error proves that the record was not appended only if brokers check it before they append and
the response has no offset: NOT_LEADER with an offset means that the record was appended before
leadership moved, and it may survive.
"""

from enum import IntEnum


class Code(IntEnum):
    """The error codes that need different handling (numbers of the published protocol)."""

    NONE = 0
    OFFSET_OUT_OF_RANGE = 1
    CORRUPT_MESSAGE = 2
    UNKNOWN_TOPIC_OR_PARTITION = 3
    LEADER_NOT_AVAILABLE = 5
    NOT_LEADER_OR_FOLLOWER = 6
    REQUEST_TIMED_OUT = 7
    MESSAGE_TOO_LARGE = 10
    RECORD_LIST_TOO_LARGE = 18
    NOT_ENOUGH_REPLICAS = 19
    NOT_ENOUGH_REPLICAS_AFTER_APPEND = 20
    TOPIC_AUTHORIZATION_FAILED = 29
    TOPIC_ALREADY_EXISTS = 36
    KAFKA_STORAGE_ERROR = 56
    FENCED_LEADER_EPOCH = 74
    UNKNOWN_LEADER_EPOCH = 75
    OFFSET_NOT_AVAILABLE = 78
    INVALID_RECORD = 87
    UNKNOWN_TOPIC_ID = 100
    INCONSISTENT_TOPIC_ID = 103


MOVED = frozenset(
    {
        Code.UNKNOWN_TOPIC_OR_PARTITION,  # also while a new leader or topic spreads
        Code.LEADER_NOT_AVAILABLE,
        Code.NOT_LEADER_OR_FOLLOWER,
        Code.FENCED_LEADER_EPOCH,
        Code.UNKNOWN_LEADER_EPOCH,
        Code.UNKNOWN_TOPIC_ID,
        Code.INCONSISTENT_TOPIC_ID,
    }
)
_CHECKED_BEFORE_APPEND = MOVED | {
    Code.CORRUPT_MESSAGE,
    Code.MESSAGE_TOO_LARGE,
    Code.RECORD_LIST_TOO_LARGE,
    Code.NOT_ENOUGH_REPLICAS,
    Code.TOPIC_AUTHORIZATION_FAILED,
    Code.INVALID_RECORD,
}


def describe(code: int) -> str:
    """The code's name, or its number."""
    try:
        return Code(code).name
    except ValueError:
        return f"error {code}"


def certainly_not_appended(code: int, base_offset: int) -> bool:
    """Whether the response to an append proves that the record will never be in the log."""
    return base_offset < 0 and code in _CHECKED_BEFORE_APPEND
