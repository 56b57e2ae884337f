"""What storing costs: rows are dealt out evenly, and bounds are judged. Never a time."""

import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from benchmarks.queries.prepare import OTHER, THIS
from benchmarks.queries.rows.log import Target
from benchmarks.queries.rows.shape import Shape
from benchmarks.queries.storing import Cost, goals, records_of
from tests.system.harness import ROOT

HOUR_NS = 3_600 * 10**9
COST = Cost(
    THIS, rows=1_000, cuts=2, datasets=10, partitions=1, sealing_ns=2_000_000, sealing_clock_ns=1,
    objects={"segments": 2, "manifests": 2}, bytes_sealed=10, compacting_ns=1_000_000,
    summaries_ns=100_000, bytes_served=50_000,
)  # fmt: skip


def test_every_dataset_has_as_many_rows() -> None:
    targets = [Target("t", "e", f"dataset-{number}") for number in range(7)]
    shape = Shape(7_000, 3, 10**18, HOUR_NS)
    found = records_of(shape, 0, 7_000, 1_000, targets, random.Random(1))
    rows = Counter[str]()
    for one in found:
        rows[one.dataset] += one.n
    assert rows == {one.dataset: 1_000 for one in targets}
    few = records_of(shape, 0, 700, 100, targets, random.Random(1))
    assert [(one.dataset, one.n) for one in few] == [(one.dataset, 100) for one in targets]


def test_many_datasets_are_judged_beside_another_build_and_few() -> None:
    many = msgspec.structs.replace(COST, datasets=10_000, sealing_ns=4_000_000, bytes_served=80_000)
    other = msgspec.structs.replace(many, build=OTHER, sealing_ns=40_000_000, bytes_served=0)
    found = {one.what: (round(one.found, 3), one.bound) for one in goals([COST, many, other])}
    assert found == {
        "10 datasets, 1 partitions: putting together / sealing": (0.55, 0.6),
        "10,000 datasets: CPU against the other build": (0.1, 0.125),
        "10,000 datasets: bytes against 10, put together": (1.6, 2.0),
        "10,000 datasets: objects per cut": (2.0, 8.0),
        "10,000 datasets, 1 partitions: putting together / sealing": (0.275, 0.6),
    }


def test_many_partitions_are_judged_beside_one() -> None:
    many = msgspec.structs.replace(COST, partitions=64, sealing_ns=5_000_000, compacting_ns=0)
    found = {one.what: (one.found, one.bound) for one in goals([COST, many])}
    assert found["64 partitions: CPU against 1"] == (2.5, 3.0)
    assert goals([msgspec.structs.replace(many, build=OTHER)]) == []


@pytest.mark.scenario
def test_rows_of_many_datasets_are_stored_and_counted(tmp_path: Path) -> None:
    out = tmp_path / "costs.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "storing", "--rows", "2000", "--cuts", "2",
         "--datasets", "1,20", "--out", str(out)],
        cwd=ROOT, capture_output=True, text=True, timeout=1_200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    few, many = msgspec.json.decode(out.read_bytes(), type=list[Cost])
    assert few.objects == {"segments": 2, "manifests": 2}
    assert sum(many.objects.values()) == 4  # a pack and a manifest for each cut
    assert min(few.sealing_ns, many.sealing_ns, few.bytes_sealed) > 0


@pytest.mark.scenario
def test_events_and_questions_at_the_same_time_are_all_answered() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "under-load", "--rows", "2000", "--askers", "2",
         "--seconds", "1", "--rounds", "1"],
        cwd=ROOT, capture_output=True, text=True, timeout=1_200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ack p99 with 2 askers / without" in done.stdout
