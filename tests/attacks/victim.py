"""A victim of another environment, measured without and with an attack in the same run.

    victim = Victim.of(system)
    report = victim.compare("idle sockets", attack, seconds=8)
    report.assert_unharmed()

`attack` is called in a thread of this process while the victim works, with an event that is set
when it should end, so its loops must be bounded. Waiting times are printed beside each other; what
the tests assert are counts: no request of the victim fails. That its 95th percentile stays within
three times the undisturbed one is a goal of the scenarios, printed and judged by people: a test
machine with two busy cores cannot decide it.
"""

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from common.clock import SystemClock
from common.metadata.sqlite import SqliteMetadata
from common.process.auth import rights_of
from ops.admin import create_key, ensure_scope
from tests.system import counts
from tests.system.harness import ROOT, System

KINDS = ("event", "batch", "query")
_GRACE_S = 60.0  # for the requests that are under way when the time is over


@dataclass(frozen=True, slots=True)
class Sample:
    """What the victim met: (kind, status, seconds, what went wrong) of each request."""

    requests: tuple[tuple[str, int, float, str], ...]

    @property
    def failures(self) -> Counter[str]:
        """What went wrong, and how often."""
        return Counter(
            f"{kind} {status} {why}" for kind, status, _, why in self.requests if why or not status
        )

    def p95_ms(self, kind: str) -> float:
        """95th percentile of one kind of request, in milliseconds."""
        times = sorted(seconds for of, _, seconds, _ in self.requests if of == kind)
        return 1000 * times[min(len(times) - 1, int(len(times) * 0.95))] if times else float("nan")


@dataclass(frozen=True, slots=True)
class Report:
    """The victim without and with the attack."""

    attack: str
    before: Sample
    during: Sample

    def show(self) -> None:
        """Print both, and keep them for the end of the run."""
        parts = []
        for kind in KINDS:
            quiet, attacked = self.before.p95_ms(kind), self.during.p95_ms(kind)
            parts.append(f"{kind} p95 {quiet:.0f} -> {attacked:.0f} ms ({attacked / quiet:.1f} x)")
        before, during = len(self.before.requests), len(self.during.requests)
        counts.show(
            f"{self.attack}: victim {', '.join(parts)}; failed {self.before.failures.total()} of "
            f"{before} -> {self.during.failures.total()} of {during}"
        )

    def assert_unharmed(self) -> None:
        """No request of the victim failed, and it was served at all."""
        assert self.before.requests
        assert not self.before.failures
        assert {kind for kind, *_ in self.during.requests} == set(KINDS)
        assert not self.during.failures, dict(self.during.failures)


@dataclass(frozen=True, slots=True)
class Victim:
    """A key of an environment of its own, on a system that runs."""

    url: str
    key: str
    dataset: str = "victim"

    @staticmethod
    def of(system: System) -> "Victim":
        """Make the environment and its key in the system's metadata."""
        return Victim(system.url, make_key(system.data, "victim"))

    def measure(self, seconds: float) -> Sample:
        """Work undisturbed for a while."""
        return _read(self._start(seconds), seconds)

    def compare(
        self, name: str, attack: Callable[[threading.Event], None], seconds: float = 8.0
    ) -> Report:
        """Work alone, then while `attack` runs; print both. What the attack raises is raised."""
        self.measure(1.0)  # the dataset is there, the connection's ways are warm
        before = self.measure(seconds)
        over, raised = threading.Event(), []

        def run() -> None:
            try:
                attack(over)
            except BaseException as error:  # noqa: BLE001 - handed to the test, below
                raised.append(error)

        attacker = threading.Thread(target=run, name="attacker")
        attacker.start()
        try:
            during = self.measure(seconds)
        finally:
            over.set()
            attacker.join(_GRACE_S)
        if raised:
            raise raised[0]
        assert not attacker.is_alive(), "the attack did not end when it was told to"
        report = Report(name, before, during)
        report.show()
        return report

    def _start(self, seconds: float) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "tests.attacks.victim_process", self.url, self.dataset]
        return subprocess.Popen(
            [*command, str(seconds)],
            cwd=ROOT,
            env={**os.environ, "VICTIM_KEY": self.key, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )


def make_key(data: Path, environment: str, *, ingest: bool = False) -> str:
    """A new key of an environment, made if it is new, in a data folder (also while `up` runs)."""
    metadata = SqliteMetadata(data / "metadata.db")
    metadata.open()
    rights = rights_of(
        ingest=ingest, read_only=False, create_datasets=True, admin=False, operate=False
    )
    try:
        place = ensure_scope(metadata, "Default", environment)
        text, _ = create_key(metadata, place, "test", rights, SystemClock(), os.urandom)
    finally:
        metadata.close()
    return text


def _read(process: "subprocess.Popen[str]", seconds: float) -> Sample:
    try:
        printed, _ = process.communicate(timeout=seconds + _GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
    assert process.returncode == 0
    return Sample(tuple((k, s, t, w) for k, s, t, w in json.loads(printed)))
