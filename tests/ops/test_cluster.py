"""Checks of a cluster that need no server: clocks, tokens, settings of the log."""

import pytest

from common.log.kafka.config import KafkaConfig
from ops.doctor import cluster
from ops.doctor.machine import Verdict


@pytest.mark.parametrize(
    ("ahead_s", "verdict"),
    [(0.2, Verdict.GOOD), (-3, Verdict.WARN), (3, Verdict.WARN), (3600, Verdict.FAIL)],
)
def test_clock_of_a_server_is_judged_by_its_skew(ahead_s: float, verdict: Verdict) -> None:
    [found] = cluster.check_skew("clock of broker 1", ahead_s)
    assert found.verdict is verdict


def test_token_between_roles_is_needed_where_machines_differ() -> None:
    verdicts = {
        (token, shared, loopback): [f.verdict for f in cluster.check_token(token, shared, loopback)]
        for token in ("", "a-token")
        for shared in (False, True)
        for loopback in (False, True)
    }
    assert verdicts["", False, True] == []
    assert verdicts["", False, False] == [Verdict.WARN]
    assert verdicts["", True, True] == verdicts["", True, False] == [Verdict.FAIL]
    assert verdicts["a-token", True, False] == [Verdict.GOOD]


def test_log_settings_are_judged_by_what_they_could_lose() -> None:
    assert cluster.refusals(KafkaConfig()) == []
    [short] = cluster.refusals(KafkaConfig(retention_hours=12))
    assert short.verdict is Verdict.WARN
    bad = cluster.refusals(KafkaConfig(min_insync=1, replication=1, retention_hours=1))
    assert [f.verdict for f in bad] == [Verdict.FAIL] * 3
