"""Every command prints to every terminal and pipe, whatever its encoding, and JSON stays JSON."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether import output
from bellwether.answers.results.view import render
from tests.system.harness import ROOT

ENCODINGS = ("ascii", "latin-1", "cp1252", "koi8-r", "cp437", "utf-8")
ODD = "名 é – … × \x81 \U0001f600 ▁█"


class Stream:
    """Standard output of an encoding, in memory."""

    def __init__(self, encoding: str, monkeypatch: pytest.MonkeyPatch | None = None) -> None:
        self.raw = io.BytesIO()
        self.text = io.TextIOWrapper(self.raw, encoding=encoding, newline="")
        if monkeypatch is not None:
            monkeypatch.setattr(sys, "stdout", self.text)
            monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
            output.prepare_streams()

    def printed(self) -> str:
        self.text.flush()
        return self.raw.getvalue().decode(self.text.encoding)


def document() -> dict[str, Any]:
    rows = [{"data": {"g": ODD, "COUNT": 3}}, {"data": {"g": None, "COUNT": 1}}]
    series = [{"time": f"2026-01-01T00:0{n}:00Z", "data": {"g": ODD, "COUNT": n}} for n in range(5)]
    return {"data": {"results": rows, "series": series}, "coverage": {}, "notes": [ODD]}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_table_is_printed_in_every_encoding(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Stream(encoding, monkeypatch)
    output.output_console().print(render(document(), ["g"]))
    printed = stream.printed()
    assert ("名" if encoding == "utf-8" else "\\u540d") in printed
    assert "�" not in printed
    if encoding == "ascii":
        lines = printed.splitlines()
        assert next(line for line in lines if line.rstrip().endswith("1")).startswith("-")
        assert "\\u2013" not in printed.split("note:")[0].replace(ODD, "")


@settings(max_examples=40, deadline=None)
@given(st.text(), st.sampled_from(ENCODINGS))
def test_json_is_the_same_value_in_every_encoding(text: str, encoding: str) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        stream = Stream(encoding, monkeypatch)
        print(json.dumps([text], ensure_ascii=False))
        assert json.loads(stream.printed()) == [text]


def test_what_is_drawn_falls_back_to_ascii_and_what_was_sent_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = Stream("ascii", monkeypatch)
    output.output_console().print("▁▄█ – …", markup=False)
    print("–")  # JSON and other exact output do not go through a console
    assert stream.printed().splitlines() == ["_-# - ...", "\\u2013"]


def test_trees_and_tables_of_events_are_drawn_with_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    Stream("ascii", monkeypatch)
    assert output.drawable("├─ a – b…").isascii()
    Stream("utf-8", monkeypatch)
    assert output.drawable("├─ a – b…") == "├─ a – b…"


def run(*arguments: str, stdin: int = subprocess.DEVNULL, **environ: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "bellwether", *arguments], capture_output=True, timeout=60,
        check=False, stdin=stdin, env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
    )  # fmt: skip
    return done.returncode, done.stdout.decode("latin-1"), done.stderr.decode("latin-1")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_commands_that_show_what_was_typed_end_as_always(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "名.log"
    path.write_text('a=名 b="é\U0001f600"\n' * 3, "utf-8")
    for arguments in (
        ("send", "x", str(path), "--dry-run"),
        ("query", "x", "COUNT WHERE a = '名' LAST 1h", "--explain"),
        ("query", "--help"),
        ("--help",),
    ):
        code, out, err = run(
            *arguments, PYTHONIOENCODING=encoding, BELLWETHER_KEY="k" * 22,
            BELLWETHER_URL="http://127.0.0.1:1",
        )  # fmt: skip
        assert (code, err) == (0, ""), arguments
        assert out
        assert encoding != "ascii" or out.isascii(), arguments
    code, _, err = run("query", "x", "COUNT WHERE 名 ~", PYTHONIOENCODING=encoding)
    assert code == 2
    assert "\\u540d" in err
    assert "Traceback" not in err


def test_arguments_that_are_no_utf_8_are_refused_by_name() -> None:
    for arguments in (
        (b"query", b"\xff\xfe", b"COUNT"),
        (b"query", b"x", b"COUNT WHERE a = '\xff'"),
    ):
        done = subprocess.run(
            [sys.executable.encode(), b"-m", b"bellwether", *arguments], capture_output=True,
            timeout=60, check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), "BELLWETHER_KEY": "k" * 22,
                 "BELLWETHER_URL": "http://127.0.0.1:1"},
        )  # fmt: skip
        assert done.returncode in (1, 2)
        assert b"Traceback" not in done.stderr
        assert b"UTF-8" in done.stderr


def test_a_pipe_that_is_closed_and_closed_streams_are_quiet() -> None:
    program = f"{sys.executable} -m bellwether"
    for script in (f"{program} --help | true", f"{program} settings | head -1 >/dev/null",
                   f"{program} version >&-", f"{program} version 2>&-"):  # fmt: skip
        done = subprocess.run(
            ["sh", "-c", script], capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert done.stderr == "", script


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize(
    "arguments",
    [("query", "web", "COUNT", "--explain"), ("version",), ("--help",), ("settings",)],
)
def test_output_that_finds_no_room_is_told_in_one_line(arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "bellwether", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 1
    told = "Error: the output could not be written whole: No space left on device\n"
    assert ended.stderr == told
