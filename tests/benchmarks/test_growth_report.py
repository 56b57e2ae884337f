"""What the report says of growing work: every direction has its table and its panel."""

from pathlib import Path

from msgspec.structs import replace

from benchmarks.harness.results import (
    Along,
    Repetition,
    Result,
    Run,
    SystemInfo,
    WorkloadInfo,
    read_run,
)
from benchmarks.harness.runner import Plan, measure_workload
from benchmarks.report.growing import directions
from benchmarks.report.growth_picture import growth_picture
from benchmarks.report.page import RUN_FILE, page
from benchmarks.systems.base import Group
from benchmarks.workloads import all_workloads
from tests.system.harness import ROOT

GROWING = "wide spans, growing"


def measured(workload: str, system: str, group: Group, *seconds: float) -> Result:
    repetitions = [Repetition(wall_s=each, cpu_s=2 * each, peak_rss_bytes=1) for each in seconds]
    return Result(workload, system, group.value, repetitions, rows=1_000, stored_bytes=10)


def system(name: str, group: Group, what: str = "", size: int = 0) -> SystemInfo:
    return SystemInfo(name, group.value, "", "", Along(what, size) if what else None)


def workload(name: str, along: Along | None = None) -> WorkloadInfo:
    return WorkloadInfo(name, "", 1_000, 100_000, 100, 0, 0.1, along)


def growing_run() -> Run:
    """Two numbers of processes, two of datasets, and two of columns with a peer."""
    columns = [workload(f"{size} columns", Along("columns", size)) for size in (10, 100)]
    return replace(
        read_run(ROOT / RUN_FILE),
        workloads=[workload(GROWING), *columns],
        systems=[
            system("bellwether", Group.FILES),
            system("polars", Group.FILES),
            system("2 processes", Group.GROWTH, "processes", 2),
            system("1 process", Group.GROWTH, "processes", 1),
            system("10 datasets in one log", Group.GROWTH, "datasets in one log", 10),
            system("100 datasets in one log", Group.GROWTH, "datasets in one log", 100),
        ],
        results=[
            measured(GROWING, "2 processes", Group.GROWTH, 0.5),
            measured(GROWING, "1 process", Group.GROWTH, 1.0),
            measured(GROWING, "10 datasets in one log", Group.GROWTH, 1.0, 2.0, 3.0),
            measured(GROWING, "100 datasets in one log", Group.GROWTH, 4.0),
            *(measured(one.name, "bellwether", Group.FILES, 1.0) for one in columns),
            *(measured(one.name, "polars", Group.FILES, 4.0) for one in columns),
        ],
    )


def test_points_are_in_the_order_of_their_sizes() -> None:
    found = directions(growing_run())
    assert {what: [one.along.size for one in some] for what, some in found.items()} == {
        "processes": [1, 2],
        "datasets in one log": [10, 100],
        "columns": [10, 10, 100, 100],
    }


def test_more_processes_are_seen_by_the_clock_and_everything_else_by_cpu_time() -> None:
    found = directions(growing_run())
    assert [one.speed().middle for one in found["processes"]] == [1_000.0, 2_000.0]
    first = found["datasets in one log"][0].speed()
    assert (first.least, first.middle, first.most) == (1_000 / 6, 250.0, 500.0)


def test_page_and_picture_have_each_direction() -> None:
    run = growing_run()
    text, picture = page(run), growth_picture(run)
    for what in ("processes", "datasets in one log", "columns"):
        assert f"### {what.capitalize()}\n" in text
        assert f"{what}: events/s" in picture
    assert picture.count("<circle") == 8 + 2  # points, and the legend's systems


def test_every_growing_workload_says_where_it_stands() -> None:
    found: dict[str, list[int]] = {}
    for one in all_workloads(None):
        if one.along:
            found.setdefault(one.along.what, []).append(one.along.size)
    assert found == {
        "columns": [10, 100, 1_000, 10_000],
        "events in a replayed log": [32_768, 524_288],
    }


def test_a_run_keeps_where_its_workload_stands(tmp_path: Path) -> None:
    plan = Plan(7, 1, 20, tmp_path / "working", tmp_path / "cache")
    for one in all_workloads(None):
        if one.along:
            info, _ = measure_workload(plan, one, [], lambda _: None)
            assert info.along == one.along
