"""What clients sent cannot steer an operator's terminal, and pipes get whole values."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bellwether import output
from bellwether.answers.results.view import render
from bellwether.commands.ask.tail import _show
from bellwether.output import printable


@given(st.text())
def test_nothing_printed_holds_a_control_character(text: str) -> None:
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in printable(text))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\t", "a\\nb\\t"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\u202eabc", "\\u202eabc"),
        ("日本é", "日本é"),
    ],
)
def test_control_characters_are_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_escapes_in_values_and_names_reach_neither_table_nor_tail() -> None:
    rows = [{"data": {"a\x1b[1m": "x\x1b]0;owned\x07\ny", "COUNT": 1}}]
    document = {"data": {"results": rows}, "notes": ["a\x1b[1m is odd"], "coverage": {}}
    out = io.StringIO()
    console = Console(file=out, width=200)
    console.print(render(document, ["a\x1b[1m"]))
    console.print(_show({"time": 0, "data": {"k\x1b[1m": "v\x1b[2J"}}, ()))
    assert "\x1b" not in out.getvalue()
    assert "x\\x1b]0;owned\\x07\\ny" in out.getvalue()


def test_a_pipe_gets_every_value_whole(capsys: pytest.CaptureFixture[str]) -> None:
    long = "z" * 5_000
    rows = [{"data": {"name": long, "COUNT": 1}}]
    output.output_console().print(render({"data": {"results": rows}, "coverage": {}}, ["name"]))
    assert long in capsys.readouterr().out


def test_names_that_look_like_emoji_stay_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"data": {":bug:": ":warning:", "COUNT": 1}}]
    output.output_console().print(render({"data": {"results": rows}, "coverage": {}}, [":bug:"]))
    printed = capsys.readouterr().out
    assert ":bug:" in printed
    assert ":warning:" in printed
