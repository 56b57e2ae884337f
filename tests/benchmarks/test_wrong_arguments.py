"""What cannot be measured is said in a line, and nothing of the user's is touched."""

import signal
from pathlib import Path

import pytest

from benchmarks import runner
from benchmarks.__main__ import main
from benchmarks.workloads import REAL_DATA, REAL_FILES

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
