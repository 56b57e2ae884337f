"""The tokenizer accepts exactly JSON, and reads every value exactly (I9)."""

import json
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.scan.json_tokens import (
    BadValue,
    JsonSyntaxError,
    JsonTooDeep,
    TokenKind,
    number_value,
    string_value,
    tokens,
    without_space,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def accepted(source: bytes) -> bool:
    try:
        found = list(tokens(source, depth_max=64))
    except JsonSyntaxError:
        return False
    return not source[found[-1].end :].strip(b" \t\r\n")


def number(text: str) -> int | float:
    return number_value(text.encode(), 0, len(text))


@given(json_values, st.sampled_from([None, 1]))
def test_every_json_text_is_accepted_and_white_space_is_removed(
    value: object, indent: int | None
) -> None:
    source = json.dumps(value, indent=indent).encode()
    assert accepted(source)
    assert (
        without_space(source, 0, len(source)) == json.dumps(value, separators=(",", ":")).encode()
    )


@given(st.text(alphabet='{}[]",:01-.eE+ tfn\\u', max_size=12))
def test_what_the_standard_library_refuses_is_refused(text: str) -> None:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        assert not accepted(text.encode())
    else:
        assert accepted(text.encode())


@given(st.text())
def test_strings_round_trip_escaped_or_not(text: str) -> None:
    for ascii_only in (True, False):
        source = json.dumps(text, ensure_ascii=ascii_only).encode()
        assert string_value(source, 0, len(source)) == text


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        (r"\ud83d\ude00", "\U0001f600"),
        (r"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        (r"\ud83dx", "\ufffdx"),
        (r"\ude00\ud83d", "\ufffd\ufffd"),
        (r"\u0000", "\x00"),
        (r"\\ud83d", "\\ud83d"),
    ],
)
def test_surrogate_escapes_pair_up_or_become_the_replacement_character(
    escaped: str, text: str
) -> None:
    source = f'"{escaped}"'.encode()
    assert string_value(source, 0, len(source)) == text


@pytest.mark.parametrize(
    "raw", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc3"]
)
def test_bytes_that_are_not_utf8_are_a_bad_value_and_no_syntax_error(raw: bytes) -> None:
    source = b'"' + raw + b'"'
    assert accepted(source)
    with pytest.raises(BadValue, match="UTF-8"):
        string_value(source, 0, len(source))


@given(st.integers())
def test_integers_within_64_bits_stay_integers_and_longer_ones_become_doubles(whole: int) -> None:
    value = number(str(whole))
    if -(2**63) <= whole < 2**63:
        assert type(value) is int
        assert value == whole
    else:
        assert type(value) is float
        assert value == float(whole)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_doubles_round_trip_to_the_bit(value: float) -> None:
    assert struct.pack("d", number(repr(value))) == struct.pack("d", value)


def test_numbers_that_are_easy_to_get_wrong() -> None:
    assert (type(number("-0")), math.copysign(1, number("-0.0"))) == (int, -1.0)
    assert number("9007199254740993") == 2**53 + 1
    assert number("9007199254740993.0") == 2.0**53
    assert number("1e-400") == 0.0
    assert (number("5e-324"), number("1E+2")) == (5e-324, 100.0)
    assert number("9" * 300) == float("9" * 300)
    for text in ("1e400", "-1e400", "9" * 400, "1.7976931348623159e308"):
        with pytest.raises(BadValue, match="range"):
            number(text)


def test_words_that_are_no_json_numbers_end_where_they_end() -> None:
    kinds = [t.kind for t in tokens(b"[NaN,Infinity,-Infinity]", depth_max=1)]
    assert kinds[1:-1] == [TokenKind.NOT_FINITE] * 3


def test_depth_is_bounded_without_recursion() -> None:
    assert len(list(tokens(b"[" * 5000 + b"]" * 5000, depth_max=5000))) == 10_000
    with pytest.raises(JsonTooDeep):
        list(tokens(b"[[[]]]", depth_max=2))
