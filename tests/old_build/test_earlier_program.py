"""The earlier build over a folder with newer documents: it stops, and answers nothing wrong."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from common.objects.directory import DirectoryObjects
from tests.cluster.builds import old_build
from tests.kernel_cache import OLD_KERNEL_CACHE
from tests.old_build import recorded
from tests.old_build.make_data import ENVIRON
from tests.system.harness import System

pytestmark = [pytest.mark.system, pytest.mark.scenario]
BATCHES = 8  # of each dataset, over two partitions: some of both come into one cut
WAIT_S = 900.0  # the earlier build compiles its kernels
OLD_STEPS = 2  # of its metadata
COUNT = {"calculations": [{"op": "COUNT"}], "start_time": 1, "end_time": 9_000_000_000}
AT_ONCE = {
    **ENVIRON,
    "BELLWETHER_INDEXER_FORMATS_WAIT_S": "0",
    "BELLWETHER_INDEXER_COMPACTION_PERCENT": "100",
}
DATASETS = ("tiny", "web", "one", "two")


def counts(system: System) -> dict[str, Any]:
    """The whole count of each dataset."""
    found = {name: system.ask(name, COUNT)["data"]["results"] for name in DATASETS}
    return {name: rows[0]["data"]["COUNT"] for name, rows in found.items()}


def cut(system: System) -> None:
    """Cut, and wait until it is published."""
    done = system.run("cut", "--data", str(system.data))
    assert done.returncode == 0, done.stdout + done.stderr


def write_newer_documents(system: System) -> None:
    """Packs, compactions, and manifests of both partitions after them."""
    objects = DirectoryObjects(system.data / "objects")
    for _ in range(BATCHES):
        for dataset in ("one", "two"):
            system.send(dataset, [{"data": {"n": 1}}])
    cut(system)
    system.wait_until(lambda: any(objects.list("packs/")), "a pack", WAIT_S)
    system.wait_until(lambda: any(objects.list("compactions/")), "a compaction", WAIT_S)
    cut(system)


def set_back(system: System) -> None:
    """What docs/operating.md says about going back on one machine."""
    listed = system.run("keys", "list", "--data", str(system.data))
    [line] = [line for line in listed.stdout.splitlines() if " valid" in line]
    key = line.split()[0]
    done = system.run("keys", "set-rights", key, "--no-operate", "--data", str(system.data))
    assert done.returncode == 0, done.stdout + done.stderr
    with sqlite3.connect(system.data / "metadata.db") as db:
        db.execute(f"PRAGMA user_version = {OLD_STEPS}")


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    """What the earlier build wrote; nothing of it runs after the test, however that ends."""
    recorded.unpack(tmp_path)
    made = System(tmp_path, (), AT_ONCE)
    try:
        yield made
    finally:
        if made.process is not None:
            made.kill_everything()
        made.wait_gone()


def test_it_stops_at_them_and_the_newer_one_goes_on(system: System, tmp_path: Path) -> None:
    old = old_build(tmp_path)
    system.start()
    write_newer_documents(system)
    before = counts(system)
    assert (before["one"], before["two"]) == (BATCHES, BATCHES)
    assert system.stop() == 0

    set_back(system)
    system.environ = {
        **ENVIRON,
        "PYTHONPATH": str(old),
        "BELLWETHER_INDEXER_KERNEL_CACHE": str(OLD_KERNEL_CACHE),
        "BELLWETHER_SHEPHERD_KERNEL_CACHE": str(OLD_KERNEL_CACHE),
    }
    system.start(wait=False)
    log = system.data / "logs" / "indexer.log"
    system.wait_until(lambda: "is newer than" in log.read_text(), "the reason", WAIT_S)
    for dataset in DATASETS:
        answer = system.http("POST", f"/1/query_results/{dataset}", {"query": COUNT, "wait_s": 5})
        if answer.status == 201 and answer.json()["coverage"]["complete"]:
            rows = answer.json()["data"]["results"]
            assert rows[0]["data"]["COUNT"] == before[dataset], answer.body
        else:
            assert answer.status in (201, 503), answer.body
    assert system.stop() == 0

    system.environ = AT_ONCE
    system.start()
    assert counts(system) == before
    verified = system.run("verify", "--data", str(system.data))
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert system.stop() == 0
