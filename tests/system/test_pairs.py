"""Pairs in zones with real processes: claims spread, move gently, are filled after a loss (I6)."""

import contextlib
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.locks.files import FileLocks
from common.process.members import list_claims
from tests.system.harness import ROOT, System, running

pytestmark = pytest.mark.system
PARTITIONS = 4


@contextlib.contextmanager
def indexer(system: System, zone: str) -> Iterator[subprocess.Popen[bytes]]:
    """One more indexer on the system's data, in a zone of its own, not watched by `up`."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("BELLWETHER_")}
    environ |= {"PYTHONPATH": str(ROOT), "BELLWETHER_NODE_ZONE": zone, **system.environ}
    with (system.folder / f"indexer-{zone}.out").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "bellwether", "indexer", "--data", str(system.data)],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def claimed(system: System) -> dict[int, list[str]]:
    """The zones whose indexers hold each partition and are ready."""
    with contextlib.closing(FileLocks(system.data / "locks")) as locks:
        found = [c for c in list_claims(locks) if not c.preparing and c.member.ready]
    zones: dict[int, list[str]] = {p: [] for p in range(PARTITIONS)}
    for claim in found:
        zones[claim.partition].append(claim.member.zone)
    return zones


def test_claims_spread_over_three_zones_and_no_answer_is_ever_incomplete(tmp_path: Path) -> None:
    environ = {"BELLWETHER_INDEXER_TAKE_OVER_MS": "500"}
    with running(tmp_path, "--twins", environ=environ) as system:
        receipt = system.send("web", [{"data": {"n": n}} for n in range(100)])
        count = {"calculations": [{"op": "COUNT"}]}

        def spread(loads: list[int]) -> bool:
            """Every look asks a query that must cover everything."""
            answer = system.ask("web", count, after=receipt)
            assert answer["data"]["results"][0]["data"]["COUNT"] == 100
            zones = claimed(system)
            found = Counter(zone for held in zones.values() for zone in held)
            return all(len(held) == 2 for held in zones.values()) and (
                sorted(found.values()) == loads
            )

        system.wait_until(lambda: spread([4, 4]), "both twins to hold all")
        with indexer(system, "c") as third:
            system.wait_until(lambda: spread([2, 3, 3]), "claims to be spread over three zones")
            third.send_signal(signal.SIGKILL)
            third.wait()
            system.wait_until(lambda: spread([4, 4]), "the lost zone's partitions to be taken")
        with indexer(system, "c"):
            system.wait_until(lambda: spread([2, 3, 3]), "claims to be spread again")
        system.wait_until(lambda: spread([4, 4]), "the stopped one's partitions to be taken")


def test_stopped_indexer_holds_no_answer_up(tmp_path: Path) -> None:
    with running(tmp_path, "--twins") as system:
        receipt = system.send("web", [{"data": {"n": n}} for n in range(10)])
        count = {"calculations": [{"op": "COUNT"}]}
        system.wait_until(
            lambda: all(len(held) == 2 for held in claimed(system).values()), "both twins"
        )
        (stopped,) = (m for m in system.members("indexer") if m.zone == "a")  # query's own zone
        os.kill(stopped.pid, signal.SIGSTOP)
        try:
            for _ in range(3):
                answer = system.ask("web", count, after=receipt)
                assert {p["zone"] for p in answer["coverage"]["partitions"]} == {"b"}
        finally:
            os.kill(stopped.pid, signal.SIGCONT)
