"""What cannot be measured is said in a line, and nothing of the user's is touched."""

import io
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console

from benchmarks.__main__ import main
from benchmarks.harness import runner
from benchmarks.harness.options import folders, parse, plan_of
from benchmarks.harness.results import read_run
from benchmarks.report.page import RUN_FILE
from benchmarks.report.table import show
from benchmarks.workloads import REAL_DATA, REAL_FILES
from tests.system.harness import ROOT

ONE = ["--workload", "narrow metrics", "--system", "pyarrow.json"]
NO_RUN = '{"format":'


@pytest.fixture(autouse=True)
def kept_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process keeps its own handlers."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--events", "-5"], "not a number from 1 on"),
        (["--repetitions", "0"], "not a number from 1 on"),
        (["--write-docs", "{}/broken/run.json"], "cannot be read as the file of a run"),
        (["--write-docs", "{}/nosuch.json"], "cannot be read as the file of a run"),
        (["--add", "--out", "{}/broken"], "cannot be read as the file of a run"),
        (["--out", "{}/file"], "cannot write to"),
        (["--out", "{}/broken"], "is there already: choose another --out"),
        (["--headline", "--out", "{}/broken"], "is there already"),
        (["--add"], "--add and --overwrite need --out"),
        (["--overwrite"], "--add and --overwrite need --out"),
    ],
)
def test_wrong_arguments_are_told_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text(NO_RUN)
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as ended:
        main([*ONE, *(one.format(tmp_path) for one in arguments)])
    assert told in f"{ended.value.code} {capsys.readouterr().err}"
    assert (tmp_path / "broken" / "run.json").read_text() == NO_RUN


def test_a_folder_without_the_real_files_is_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / REAL_FILES[0]).touch()
    monkeypatch.setenv(REAL_DATA, str(tmp_path))
    with pytest.raises(SystemExit, match=f"has no {REAL_FILES[1]}"):
        main([*ONE, "--out", str(tmp_path / "out")])


def test_an_interrupted_run_says_so_and_leaves_no_working_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> None:
        folder = arguments[-1]
        assert isinstance(folder, Path)
        folder.mkdir(parents=True)
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "make_input", interrupted)
    users_own = tmp_path / "working"
    users_own.mkdir()
    assert main([*ONE, "--out", str(tmp_path)]) == 128 + signal.SIGINT
    assert "interrupted" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [users_own]


def test_each_run_without_out_has_a_folder_of_its_own_and_shares_what_was_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = parse(ONE)
    first, shared = folders(options, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert first == Path("benchmark-results/20260102T030405Z")
    assert plan_of(options, first, shared).cache == tmp_path / "benchmark-results" / "cache"
    later, again = folders(options, datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC))
    assert (later != first, again) == (True, shared)
    first.mkdir(parents=True)
    (first / "run.json").write_text(NO_RUN)
    with pytest.raises(SystemExit, match="is there already"):
        folders(options, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def test_a_run_replaces_another_only_when_it_is_told_to(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(NO_RUN)
    now = datetime(2026, 1, 2, tzinfo=UTC)
    for asked in ("--overwrite", "--add"):
        options = parse([*ONE, asked, "--out", str(tmp_path)])
        assert folders(options, now) == (tmp_path, tmp_path)
    assert (tmp_path / "run.json").read_text() == NO_RUN


def test_a_run_of_few_events_judges_no_bounds() -> None:
    whole = read_run(ROOT / RUN_FILE)
    small = replace(whole, quick=True)
    fewer = [replace(one, events_full=one.events + 1) for one in whole.workloads]
    for run, judged in ((whole, True), (small, False), (replace(whole, workloads=fewer), False)):
        text = io.StringIO()
        show(run, Console(file=text, width=130))
        told = text.getvalue()
        assert ("What it must reach" in told) is judged
        assert ("at least" in told or "at most" in told) is judged
        assert ("no bounds are judged" in told) is not judged
