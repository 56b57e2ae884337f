"""An exact JSON tokenizer over bytes: it returns positions in the source, never values.

`tokens` checks the grammar of RFC 8259 and nothing else, without recursion, so that a caller can
tell a fault of the whole text (JsonSyntaxError) from a fault of one value in it. Text that is not
UTF-8, a number beyond every double, NaN and Infinity (which are no JSON, but end like any literal)
are reported when that one value is read with `string_value` or `number_value`. Keeps I9.
"""

import re
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from common.scan.work_budget import STEP_UNITS, Work

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1
_INT64_CHARS_MAX = 20  # "-9223372036854775808"; more characters are always out of range
REPLACEMENT = "\ufffd"


class TokenKind(IntEnum):
    """Kinds of tokens. Commas and colons are checked but not returned."""

    OBJECT_START = 0
    OBJECT_END = 1
    ARRAY_START = 2
    ARRAY_END = 3
    KEY = 4
    STRING = 5
    NUMBER = 6
    TRUE = 7
    FALSE = 8
    NULL = 9
    NOT_FINITE = 10  # NaN, Infinity, -Infinity


class Token(NamedTuple):
    """`source[start:end]` is the token, quotes of strings included."""

    kind: TokenKind
    start: int
    end: int


class JsonSyntaxError(ValueError):
    """The text is not JSON; `at` is the byte where it stops being so."""

    def __init__(self, rule: str, at: int) -> None:
        super().__init__(f"{rule} at byte {at}")
        self.rule = rule
        self.at = at


class JsonTooDeep(JsonSyntaxError):
    """More containers inside each other than the caller allows."""


class BadValue(ValueError):
    """Well-formed as a token, but not a value that can be stored; the text names the rule."""


_SPACE = re.compile(rb"[ \t\n\r]*+")
_STRING = rb'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"'
_NUMBER = rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+"
_LEXEME = re.compile(
    rb"(\{)|(\})|(\[)|(\])|(?P<key>(?!))|(%b)|(%b)|(true)|(false)|(null)|(-?Infinity|NaN)|(,)|(:)"
    % (_STRING, _NUMBER)
)  # the number of the group that matched is the kind plus one
_COMMA = 11
_COLON = 12
_SPACE_OR_STRING = re.compile(rb"(%b)|[ \t\n\r]++" % _STRING)
_ESCAPE = re.compile(
    r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})|\\(.)"
)
_SHORT = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def skip_space(source: bytes, at: int) -> int:
    """The first position at or after `at` that is not white space."""
    match = _SPACE.match(source, at)
    return match.end() if match else at


def _next(source: bytes, at: int) -> tuple[int, int, int]:
    """Kind (or `_COMMA`, `_COLON`), start and end of the lexeme after any white space."""
    start = skip_space(source, at)
    match = _LEXEME.match(source, start)
    if match is None or match.lastindex is None:
        rule = "unexpected character" if start < len(source) else "unexpected end"
        raise JsonSyntaxError(rule, start)
    return match.lastindex - 1, start, match.end()


_KINDS = tuple(TokenKind)
_SCALARS = frozenset(range(TokenKind.STRING, TokenKind.NOT_FINITE + 1))


def tokens(
    source: bytes, at: int = 0, *, depth_max: int, opened: int = 0, work: Work | None = None
) -> Iterator[Token]:
    """The tokens of the one JSON value that starts at or after `at`, grammar checked.

    What follows the value, after its last token's end, is not read. opened: containers around the
    value. Each token is a unit of `work`.

    Raises JsonSyntaxError, JsonTooDeep when more than `depth_max` containers are open at once, and
    what `Work.spend` raises.
    """
    steps = STEP_UNITS  # tokens until they are counted
    closers: list[int] = []  # kinds that end the open containers
    wants_key = False  # the next lexeme has to be a key
    may_close = False  # just after an opening bracket
    while True:
        steps -= 1
        if steps <= 0 and work is not None:
            work.spend(STEP_UNITS - steps)
            steps = STEP_UNITS
        kind, start, at = _next(source, at)
        if wants_key and kind == TokenKind.STRING:
            yield Token(TokenKind.KEY, start, at)
            kind, start, at = _next(source, at)
            if kind != _COLON:
                raise JsonSyntaxError("expected a colon after the key", start)
            wants_key = may_close = False
            continue
        if kind in (TokenKind.OBJECT_START, TokenKind.ARRAY_START) and not wants_key:
            if len(closers) + opened >= depth_max:
                raise JsonTooDeep(f"nested deeper than {depth_max}", start)
            yield Token(_KINDS[kind], start, at)
            closers.append(kind + 1)
            wants_key, may_close = kind == TokenKind.OBJECT_START, True
            continue
        if kind in _SCALARS and not wants_key:
            yield Token(_KINDS[kind], start, at)
        elif may_close and kind == closers[-1]:
            yield Token(_KINDS[kind], start, at)
            closers.pop()
        else:
            raise JsonSyntaxError("expected a key" if wants_key else "expected a value", start)
        while closers:  # a value is complete: a comma, or the end of its container
            kind, start, at = _next(source, at)
            if kind == _COMMA:
                wants_key, may_close = closers[-1] == TokenKind.OBJECT_END, False
                break
            if kind != closers[-1]:
                raise JsonSyntaxError("expected a comma or a closing bracket", start)
            yield Token(_KINDS[kind], start, at)
            closers.pop()
            steps -= 1
        if not closers:
            if work is not None:
                work.spend(STEP_UNITS - steps)
            return


def string_value(source: bytes, start: int, end: int) -> str:
    """The text of a STRING or KEY token. Escapes are decoded; a surrogate escape without its
    partner becomes U+FFFD. Raises BadValue for bytes that are not UTF-8.
    """
    try:
        text = source[start + 1 : end - 1].decode()
    except UnicodeDecodeError as error:
        raise BadValue("string is not valid UTF-8") from error
    return _ESCAPE.sub(_unescape, text) if "\\" in text else text


def _unescape(match: re.Match[str]) -> str:
    high, low, unit, short = match.groups()
    if short is not None:
        return _SHORT[short]
    if unit is None:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    code = int(unit, 16)
    return REPLACEMENT if 0xD800 <= code <= 0xDFFF else chr(code)


def number_value(source: bytes, start: int, end: int) -> int | float:
    """The value of a NUMBER token: an integer within int64 if it has neither fraction nor
    exponent, else the nearest double. Raises BadValue if that double is infinite.
    """
    raw = source[start:end]
    if not (b"." in raw or b"e" in raw or b"E" in raw) and len(raw) <= _INT64_CHARS_MAX:
        whole = int(raw)
        if INT64_MIN <= whole <= INT64_MAX:
            return whole
    value = float(raw)
    if value in (float("inf"), float("-inf")):
        raise BadValue("number is out of the range of a double")
    return value


def without_space(source: bytes, start: int, end: int) -> bytes:
    """The text of a JSON value that `tokens` has checked, insignificant white space removed."""
    return _SPACE_OR_STRING.sub(rb"\1", source[start:end])
