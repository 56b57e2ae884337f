"""The harness works: it measures, and what is written is what was given. Never a time."""

import subprocess
import sys
from xml.etree import ElementTree

import pytest

from benchmarks.harness.results import Run, read_run
from benchmarks.report.page import page
from benchmarks.report.picture import picture
from benchmarks.systems import all_systems
from benchmarks.workloads import Workload, all_workloads
from benchmarks.workloads.base import WITHOUT_SERVERS
from tests.kernel_cache import KERNEL_CACHE
from tests.system.harness import ROOT

pytestmark = pytest.mark.slow

EVENTS = 300
WORKLOADS = ("wide spans",)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A quick run of everything that is installed here, with very few events."""
    out = tmp_path_factory.mktemp("benchmarks")
    (out / "cache").mkdir()
    (out / "cache" / "kernel").symlink_to(KERNEL_CACHE)
    KERNEL_CACHE.mkdir(parents=True, exist_ok=True)
    chosen = [text for name in WORKLOADS for text in ("--workload", name)]
    arguments = [
        "--quick",
        *chosen,
        "--events",
        str(EVENTS),
        "--repetitions",
        "1",
        "--out",
        str(out),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return read_run(out / "run.json")


def test_everything_that_is_installed_was_measured(quick: Run) -> None:
    systems = [
        one.name for one in all_systems() if one.group in WITHOUT_SERVERS and not one.available()
    ]
    found = {(one.workload, one.system): one for one in quick.results}
    assert list(found) == [(w, s) for w in WORKLOADS for s in systems]
    assert [one for one in quick.results if one.problem] == []
    assert {len(one.repetitions) for one in quick.results} == {1}


def test_every_system_gives_back_the_rows_and_sums_that_it_was_given(quick: Run) -> None:
    assert [(one.system, one.wrong) for one in quick.results if one.wrong] == []
    assert {one.rows for one in quick.results} == {EVENTS}


def test_a_run_is_shown_as_a_page_with_its_picture(quick: Run) -> None:
    shown = page(quick)
    for system in quick.systems:
        assert f"**{system.name}**" in shown
    assert all(name in shown for name in WORKLOADS)
    marks = ElementTree.fromstring(picture(quick)).iter("{http://www.w3.org/2000/svg}circle")
    assert len(list(marks)) >= 2 * len(WORKLOADS)


def test_a_run_says_where_and_with_what_it_was_made(quick: Run) -> None:
    assert {"cpu", "cores", "kernel", "python"} <= set(quick.machine)
    assert {"bellwether", "duckdb", "numba"} <= set(quick.versions)
    assert quick.seed == 7


@pytest.mark.parametrize("workload", all_workloads(), ids=lambda one: one.name)
def test_a_workload_is_a_function_of_its_seed(workload: Workload) -> None:
    assert workload.lines(3, 20) == workload.lines(3, 20)
    assert len(workload.lines(3, 20)) == 20
