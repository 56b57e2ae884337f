"""What the documentation says of speed is what the committed run found, digit for digit."""

from benchmarks.report.page import PAGE_FILE, PICTURE_FILE, RUN_FILE, page, with_readme_line
from benchmarks.report.picture import picture
from benchmarks.results import read_run
from tests.system.harness import ROOT

AGAIN = "run `python -m benchmarks --write-docs docs/performance/reference.json`"


def test_the_page_and_its_picture_are_those_of_the_committed_run() -> None:
    run = read_run(ROOT / RUN_FILE)
    assert (ROOT / PAGE_FILE).read_text() == page(run), AGAIN
    assert (ROOT / PICTURE_FILE).read_text() == picture(run), AGAIN


def test_the_readme_quotes_the_committed_run() -> None:
    readme = (ROOT / "README.md").read_text()
    assert readme == with_readme_line(readme, read_run(ROOT / RUN_FILE)), AGAIN


def test_the_committed_run_holds_no_result_of_ours_that_is_wrong() -> None:
    run = read_run(ROOT / RUN_FILE)
    ours = [one for one in run.results if one.system.startswith("bellwether")]
    assert ours
    assert [one for one in ours if one.problem or one.wrong] == []
