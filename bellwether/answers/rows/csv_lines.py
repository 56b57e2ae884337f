"""Events as CSV (RFC 4180): a text that is empty is "", a field that an event lacks is nothing.

Quotes are doubled; what holds a comma, a quote, a line break or a blank at an end is quoted, so
that every reader gets back the very text. Lines end with a line feed.
"""

import tempfile
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from bellwether.answers.rows.cells import plain
from bellwether.answers.rows.pages import Event, event_of

_SPOOLED_BYTES: Final = 32 * 2**20  # kept in memory until all names are known; then in a file
_SPECIAL: Final = frozenset('",\r\n')


def cell(text: str) -> str:
    """A text as one value of CSV."""
    if not text or not _SPECIAL.isdisjoint(text) or text[0] == " " or text[-1] == " ":
        return '"' + text.replace('"', '""') + '"'
    return text


def header(fields: Sequence[str]) -> str:
    """The first line. Our own columns give way to fields that are called like them."""
    return ",".join(map(cell, (*_own_names(fields), *fields))) + "\n"


def _own_names(fields: Sequence[str]) -> list[str]:
    taken, found = set(fields), []
    for name in ("time", "samplerate"):
        while name in taken:
            name = f"event.{name}"
        found.append(name)
    return found


def line(event: Event, fields: Sequence[str]) -> str:
    """One event."""
    values = (event.data.get(name) for name in fields)
    cells = ("" if value is None else cell(plain(value)) for value in values)
    return ",".join((event.time, str(event.samplerate), *cells)) + "\n"


class Spool:
    """Events of which not all names of fields are known yet; bounded in memory."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(_SPOOLED_BYTES)  # noqa: SIM115 - see `lines`
        self._names: dict[str, None] = {}

    def add(self, row: msgspec.Raw) -> None:
        """One event more."""
        self._names.update(dict.fromkeys(event_of(row).data))
        self._file.write(bytes(row) + b"\n")

    def lines(self) -> Iterator[str]:
        """The whole CSV; fields in the order of their names."""
        fields = sorted(self._names)
        yield header(fields)
        self._file.seek(0)
        with self._file as file:
            for row in file:
                yield line(event_of(msgspec.Raw(row)), fields)
