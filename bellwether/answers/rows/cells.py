"""A field's value as text for a person: the digits that are stored, in a width that is known."""

import unicodedata
from typing import Final

import msgspec

from bellwether.output import printable

MISSING: Final = "–"
_CUT: Final = "…"


def plain(value: msgspec.Raw | None) -> str:
    """The value without quotes and escapes; numbers, booleans and JSON as they are written."""
    if value is None:
        return MISSING
    text = bytes(value)
    if text[:1] == b'"':
        return msgspec.json.decode(text, type=str)
    return text.decode()


def is_number(value: msgspec.Raw | None) -> bool:
    """Whether the value is a number (or missing)."""
    return value is None or bytes(value)[:1] in b"-0123456789"


def width(text: str) -> int:
    """Columns of a terminal that printable text takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) != 0 for c in text)


def cut(text: str, most: int) -> str:
    """The beginning that fits in so many columns, marked where something is missing."""
    if len(text) <= most and width(text) <= most:
        return text
    text = text[:most]
    while text and width(text) > most - 1:
        text = text[:-1]
    return text + _CUT


def padded(text: str, columns: int, *, right: bool) -> str:
    """The text with blanks up to a width."""
    blanks = " " * max(0, columns - width(text))
    return blanks + text if right else text + blanks


def one_line(text: str, most: int) -> str:
    """Printable text of at most so many columns; of a megabyte only what can be seen is read."""
    return cut(printable(text[: most + 1]) if len(text) > most else printable(text), most)
