"""The page is measured from the first view to a long trace. Never a time."""

import re
import subprocess
import sys

import pytest

from tests.page.running import browser_program
from tests.system.harness import ROOT


@pytest.mark.scenario
def test_every_figure_of_the_page_is_measured_once() -> None:
    browser_program()  # or it is skipped, or fails
    command = [sys.executable, "-m", "benchmarks", "page", "--quick", "--no-peer"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert ran.returncode == 0, ran.stderr
    for figure in (
        "datasets and their counts shown",
        "Ctrl-Enter to the drawn graph",
        "answer read, plot made and drawn",
        "worst frame",
        "goal, kB",
    ):
        assert figure in ran.stdout
    assert "events sent meanwhile" in ran.stdout
    # a plot that is made again for the same answer draws everything twice
    assert "plots made for an answer: 1;" in ran.stdout
    drawn = re.search(r"rows drawn of the trace: at most (\d+)", ran.stdout)
    assert drawn is not None
    assert 5 < int(drawn[1]) <= 200
