"""Small cuts are put together beside ingest by the real program, and every event counts once."""

from pathlib import Path

import pytest

from common.objects.directory import DirectoryObjects
from snapshot.compaction.documents import compaction_prefix
from tests.system.harness import System, running

pytestmark = [pytest.mark.system, pytest.mark.scenario]
CUTS = 20
SETTINGS = (
    "--set",
    "log.partitions=1",
    "--set",
    "indexer.formats_wait_s=1",
    "--set",
    "indexer.compaction_percent=100",
)


def documents(system: System) -> int:
    objects = DirectoryObjects(system.data / "objects")
    return sum(len(list(objects.list(compaction_prefix(partition)))) for partition in range(1))


def count(system: System, receipt: str) -> int:
    answer = system.ask("web", {"calculations": [{"op": "COUNT"}]}, after=receipt)
    found: int = answer["data"]["results"][0]["data"]["COUNT"]
    return found


def test_small_cuts_are_put_together_and_every_event_counts_once(tmp_path: Path) -> None:
    with running(tmp_path, "--small", *SETTINGS) as system:
        receipt = ""
        for number in range(CUTS):
            receipt = system.send("web", [{"data": {"n": number, "at": k}} for k in range(30)])
            cut = system.run("cut")
            assert cut.returncode == 0, cut.stdout + cut.stderr
        system.wait_until(lambda: documents(system) > 0, "a compaction document")
        assert count(system, receipt) == CUTS * 30
        pid = system.kill_role("indexer")
        system.wait_role_ready("indexer", not_pid=pid)
        assert count(system, receipt) == CUTS * 30
        verified = system.run("verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr
