"""Which responses prove that a record is not in the log."""

import pytest

from common.log.kafka.wire.error_codes import Code, certainly_not_appended, describe


def test_leader_that_left_before_the_append_refused_it_and_after_it_left_it_open() -> None:
    assert certainly_not_appended(Code.NOT_LEADER_OR_FOLLOWER, -1)
    assert not certainly_not_appended(Code.NOT_LEADER_OR_FOLLOWER, 17)


@pytest.mark.parametrize(
    "code",
    [Code.REQUEST_TIMED_OUT, Code.NOT_ENOUGH_REPLICAS_AFTER_APPEND, Code.KAFKA_STORAGE_ERROR, -1],
)
def test_errors_that_may_follow_an_append_are_never_certain(code: int) -> None:
    assert not certainly_not_appended(code, -1)
    assert not certainly_not_appended(code, 5)


def test_unknown_codes_are_described_by_number() -> None:
    assert describe(9999) == "error 9999"
    assert describe(6) == "NOT_LEADER_OR_FOLLOWER"
