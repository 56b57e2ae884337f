"""What the documentation says of speed is what the committed run found, digit for digit."""

from msgspec.structs import replace

from benchmarks.harness.results import read_run, with_kept
from benchmarks.report.growth_picture import growth_picture
from benchmarks.report.page import (
    GROWTH_FILE,
    PAGE_FILE,
    PICTURE_FILE,
    RUN_FILE,
    page,
    with_readme_line,
)
from benchmarks.report.picture import picture
from benchmarks.systems import all_systems
from tests.system.harness import ROOT

AGAIN = "run `python -m benchmarks --write-docs docs/performance/reference.json`"


def test_the_page_and_its_pictures_are_those_of_the_committed_run() -> None:
    run = read_run(ROOT / RUN_FILE)
    assert (ROOT / PAGE_FILE).read_text() == page(run), AGAIN
    assert (ROOT / PICTURE_FILE).read_text() == picture(run), AGAIN
    assert (ROOT / GROWTH_FILE).read_text() == growth_picture(run), AGAIN


def test_the_readme_quotes_the_committed_run() -> None:
    readme = (ROOT / "README.md").read_text()
    assert readme == with_readme_line(readme, read_run(ROOT / RUN_FILE)), AGAIN


def test_the_committed_run_holds_no_result_of_ours_that_is_wrong() -> None:
    run = read_run(ROOT / RUN_FILE)
    ours = [one for one in run.results if one.system.startswith("bellwether")]
    assert ours
    assert [one for one in ours if one.problem or one.wrong] == []


def test_results_of_other_workloads_are_kept_with_their_commit() -> None:
    whole = read_run(ROOT / RUN_FILE)
    first = whole.workloads[0]
    some = [one for one in whole.results if one.workload == first.name]
    versions = {**whole.versions, "commit": "later"}
    later = replace(whole, versions=versions, workloads=[first], results=some)
    order = [one.name for one in all_systems()]
    kept = with_kept(later, whole, order)
    assert {one.name for one in kept.workloads} == {one.name for one in whole.workloads}
    assert len(kept.results) == len(whole.results)
    commits = {one.commit for one in kept.results if one.workload != first.name}
    assert "" not in commits
    bigger = replace(later, workloads=[replace(first, events=first.events + 1)])
    unlike = {one.workload for one in with_kept(bigger, whole, order).results}
    assert unlike == {one.name for one in whole.workloads}
    other = replace(later, versions={**versions, "duckdb": "0"})
    assert with_kept(other, whole, order) == other
