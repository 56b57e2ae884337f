"""Parses the text of an OTLP/JSON request, value by value.

The caller goes into the objects and lists that hold items, and takes one item after the other: what
is parsed at a time, by one call in C that keeps other threads from running, is an item.

Beyond JSON, what clients' libraries write is read: NaN and Infinity, surrogates without a partner,
control characters in strings, a byte order mark, and bytes that are no UTF-8. Of several members
with the same name the last one counts, as in JavaScript, Python and Go.
"""

import json
import re
from collections.abc import Iterator
from typing import Final

from common.scan.events import MalformedBody
from common.scan.work_budget import Work
from shepherd.otlp.json.scalars import Json

# The shortest attribute has 35 bytes and two objects: 20 MiB hold fewer than this. A parsed object
# takes some 200 bytes, whatever its text.
_CONTAINERS_MAX: Final = 1_250_000
_EXACT_CHARS: Final = 20  # a longer integer is beyond 64 bits: the nearest double does
_CHARS_PER_UNIT: Final = 64  # parsed, and written from what was parsed
_BLANKS = re.compile(r"[ \t\r\n]*+")


def check_size(text: bytes) -> None:
    """Raises MalformedBody for a text that would take too much memory."""
    if len(text) > _CONTAINERS_MAX < text.count(b"{") + text.count(b"["):
        raise MalformedBody(f"more than {_CONTAINERS_MAX} objects and lists")


class JsonText:
    """A text and a position in it, before which everything was read.

    Every method raises MalformedBody where the text is no JSON, and TooMuchWork.
    """

    __slots__ = ("_at", "_text", "_work")

    def __init__(self, text: bytes, work: Work) -> None:
        self._text = text.decode("utf-8-sig", errors="replace")
        self._at = 0
        self._work = work

    def next(self) -> str:
        """The character that the next token begins with; empty at the end."""
        matched = _BLANKS.match(self._text, self._at)
        self._at = matched.end() if matched else self._at
        return self._text[self._at : self._at + 1]

    def value(self) -> Json:
        """The whole value that begins here."""
        self.next()
        begin = self._at
        try:
            value: Json
            value, self._at = _decoder.raw_decode(self._text, begin)
        except json.JSONDecodeError as error:
            raise MalformedBody(f"it is not JSON: {error.msg} at character {error.pos}") from None
        except RecursionError:
            raise MalformedBody("its JSON is nested too deeply") from None
        self._work.spend(1 + (self._at - begin) // _CHARS_PER_UNIT)
        return value

    def members(self) -> Iterator[str]:
        """The names of the object that begins here. The caller reads the value after each."""
        for _ in self._each("{", "}"):
            if self.next() != '"':
                raise self._malformed()
            name = str(self.value())
            self._take(":")
            yield name

    def elements(self) -> Iterator[None]:
        """One for each element of the list that begins here. The caller reads each."""
        return self._each("[", "]")

    def end(self) -> None:
        """Nothing may follow."""
        if self.next():
            raise self._malformed()

    def _each(self, opening: str, closing: str) -> Iterator[None]:
        self._take(opening)
        if self.next() == closing:
            self._at += 1
            return
        while True:
            yield
            if self.next() == closing:
                self._at += 1
                return
            self._take(",")

    def _take(self, token: str) -> None:
        if self.next() != token:
            raise self._malformed()
        self._at += 1

    def _malformed(self) -> MalformedBody:
        return MalformedBody(f"it is not JSON, at character {self._at}")


def parse_value(text: bytes, work: Work) -> Json:
    """A value with nothing after it. Raises MalformedBody, TooMuchWork."""
    found = JsonText(text, work)
    value = found.value()
    found.end()
    return value


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _EXACT_CHARS else float(digits)


_decoder: Final = json.JSONDecoder(strict=False, parse_int=_integer)
