"""From text without types (CSV, logfmt, access logs) to values: one rule for all.

Text that is exactly how JSON writes a number becomes that number, `true` and `false` become
booleans, an empty text means that the field is absent, everything else stays text. So `007`,
`1.2.3` and `+1` stay text, and so do integers beyond 64 bits and numbers beyond every double: no
digit of an integer changes.
"""

import re

import orjson

from common.scan.json_tokens import INT64_MAX, INT64_MIN

# With two digits of the exponent at most, every one of these is a finite double
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})((?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?)")
_INTEGER_CHARS = 19  # shorter ones have 64 bits at most
_DOUBLE_CHARS = 16  # 15 digits and a point: what every double keeps
_REMEMBERED_CHARS = 256  # a longer text is a message, and comes once
_REMEMBERED_MAX = 4_096  # texts of a column; one with more has a new one in every row
_REMEMBERED_ALL_MAX = 200_000  # of all columns of a wide table together: some 50 MB
_BOOLEANS = {"true": True, "false": False}


def typed(text: str) -> str | int | float | bool | orjson.Fragment | None:
    """The value that a text stands for, None if it is absent.

    A number with more digits than a double keeps is given as the text that it is, so that a time
    among them loses no nanosecond.
    """
    if not text:
        return None
    if text[0] > "9" or text[0] < "-":  # most texts, decided quickly
        return _BOOLEANS.get(text, text)
    is_whole = _is_whole(text)
    if is_whole is None:
        return text
    if is_whole:
        return int(text)
    return orjson.Fragment(text.encode()) if len(text) > _DOUBLE_CHARS else float(text)


def _is_whole(text: str) -> bool | None:
    """Whether a text that is a number is an integer; None for what is no number."""
    number = _NUMBER.fullmatch(text)
    if number is None:
        return None
    if number[1]:
        return False
    is_short = len(text) < _INTEGER_CHARS
    return True if is_short or INT64_MIN <= int(text) <= INT64_MAX else None


def json_value(text: str) -> bytes:
    """The JSON of the value that a text stands for, b"" if it is absent: as `typed`, but a number
    stays the text that it is. Raises ValueError for text that is not valid UTF-8.
    """
    if not text:
        return b""
    if text[0] > "9" or text[0] < "-":
        return text.encode() if text in _BOOLEANS else _quoted(text)
    return _quoted(text) if _is_whole(text) is None else text.encode()


def _quoted(text: str) -> bytes:
    try:
        return orjson.dumps(text)
    except TypeError as error:  # what orjson raises for a lone surrogate
        raise ValueError("text is not valid UTF-8") from error


class ColumnTexts(dict[str, bytes]):
    """The JSON members of one column, by the text of its cells: `"status":200`, b"" for an absent
    one. Remembers the first texts, as most columns have few. columns: of the table.
    """

    def __init__(self, name: str, absent: tuple[str, ...] = (), columns: int = 1) -> None:
        super().__init__(dict.fromkeys(absent, b""))
        self._head = _quoted(name) + b":"
        self._most = min(_REMEMBERED_MAX, _REMEMBERED_ALL_MAX // max(columns, 1))

    def __missing__(self, text: str) -> bytes:
        value = json_value(text)
        member = self._head + value if value else b""
        if len(self) < self._most and len(text) <= _REMEMBERED_CHARS:
            self[text] = member
        return member
