"""logfmt: values read back as their writers meant them, and sentences are no fields."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.send.formats import logfmt


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r"\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"), (r"a\x00b", "a\x00b"), (r"\u00e9", "é"),
        (r"a\U0001f600b", "a😀b"), (r"a\ud83d\ude00b", "a😀b"), (r"a\uD83D\uDE00b", "a😀b"),
        (r"\b\f\a\v", "\b\f\a\v"), (r"\n\t\r\"\\\/", "\n\t\r\"\\/"), (r"\101\303\266", "Aö"),
        (r"\xc3\xb6", "ö"), (r"\xff", "\ufffd"), (r"a\ud83db", "a\ufffdb"), (r"\udc00", "\ufffd"),
        (r"\U00110000", "\ufffd"), (r"C:\dir\q", r"C:\dir\q"), (r"\u12", r"\u12"), ("", ""),
        (r"\ud83d\ud83d\ude00", "\ufffd😀"), (r"\x4", r"\x4"),
    ],
)  # fmt: skip
def test_escapes_of_go_and_json(written: str, value: str) -> None:
    line = f'level=info msg="{written}" n=1'
    assert logfmt.parse_line(line).members == {"level": "info", "msg": value, "n": 1}


@given(st.text())
def test_values_that_json_encoders_quote_read_back(value: str) -> None:
    for ascii_only in (True, False):
        written = json.dumps(value, ensure_ascii=ascii_only)
        assert logfmt.parse_line(f"a=1 msg={written} b=2").members["msg"] == value


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("a=1 b=x c=1.5 d=true e=007", {"a": 1, "b": "x", "c": 1.5, "d": True, "e": "007"}),
        ("a= b=2", {"b": 2}),
        ("a=1 a=2 a=3", {"a": 1, "a_2": 2, "a_3": 3}),
        ("a=1 a_2=x a=2", {"a": 1, "a_2": "x", "a_3": 2}),
        ("a=b=c d==", {"a": "b=c", "d": "="}),
        ("debug a=1 b=2", {"debug": True, "a": 1, "b": 2}),
        ('"a key"=1 b=2', {"a key": 1, "b": 2}),
        ("msg='op=x acct=\"root\" y' res=ok", {"msg": "op=x acct=\"root\" y", "res": "ok"}),
        ("it='s b=1", {"it": "'s", "b": 1}),
        ("größe=1 名=x", {"größe": 1, "名": "x"}),
        ('url=http://x/?a=b"c x=1', {"url": 'http://x/?a=b"c', "x": 1}),
    ],
)  # fmt: skip
def test_pairs_are_read_and_none_is_lost(line: str, fields: dict[str, object]) -> None:
    assert logfmt.parse_line(line).members == fields


@pytest.mark.parametrize(
    "line",
    [
        "hello there this is text", "debug", "a=1 flag", "the answer a=1 is here", 'a=1 b="x',
        "Jun 14 15:16:01 combo sshd(pam_unix)[19939]: authentication failure; logname= uid=0 "
        "euid=0 tty=NODEVssh ruser= rhost=198.51.100.4  user=root",
        "Jan  1 00:00:00 h p[1]: a=1 b=2 c=3 d=4 e=5 f=6 g=7 h=8",
        'a="b"c d=1', "=x a=1", "a=1 (x) b=2", "x: a=1 b=2",
    ],
)  # fmt: skip
def test_what_is_not_mostly_pairs_is_refused(line: str) -> None:
    with pytest.raises(logfmt.NotLogfmt):
        logfmt.parse_line(line)
    assert not logfmt.looks_like(line)


@given(st.text(max_size=80))
def test_no_text_breaks_the_reading(line: str) -> None:
    for text in (line, f"a=1 {line} b=2", f'a="{line}"', f'a="\\{line}"'):
        with contextlib.suppress(ValueError):
            logfmt.parse_line(text)


@pytest.mark.parametrize("piece", ['"', "\\", "a=", "a='", "a ", "=", 'a="', "a=1 "])
def test_long_lines_of_one_piece_take_no_more_than_their_length(piece: str) -> None:
    with contextlib.suppress(ValueError):
        logfmt.parse_line(piece * (8_000 // len(piece)))
