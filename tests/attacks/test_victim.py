"""The measure itself: a victim that nobody harms is served, and harm is seen."""

import threading
from pathlib import Path

import pytest

from tests.attacks.victim import Report, Sample, Victim
from tests.system.harness import running

pytestmark = pytest.mark.system


def test_a_victim_that_nobody_attacks_is_served(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        report = Victim.of(system).compare("nothing", lambda over: None, seconds=1.0)
        report.assert_unharmed()


def test_a_refused_request_is_harm() -> None:
    served = tuple((kind, 200, 0.01, "") for kind in ("event", "batch", "query"))
    refused = ("event", 503, 0.01, "too many requests")
    Report("none", Sample(served), Sample(served)).assert_unharmed()
    with pytest.raises(AssertionError, match="503"):
        Report("some", Sample(served), Sample((*served, refused))).assert_unharmed()


def test_an_attack_that_breaks_fails_the_test(tmp_path: Path) -> None:
    victim = Victim("http://127.0.0.1:9", "no key")

    def broken(over: threading.Event) -> None:
        raise RuntimeError("the attack has a fault")

    with pytest.raises(RuntimeError, match="has a fault"):
        victim.compare("broken", broken, seconds=0.1)
