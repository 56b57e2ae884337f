"""The values that every format's reader returns: a parsed line, row or document of a file."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

Members = dict[str, object]  # str, int, float, bool; lists and dicts where a format has them


class LineRead(NamedTuple):
    """The content of one line, row or joined entry.

    members: values in the order in which they are stored; absent fields are left out.
    time: the text of the time, which the one reader of times parses later.
    """

    members: Members
    time: str | None = None


class Parsed(NamedTuple):
    """One event of a file, or the reason why it is none.

    line: 1-based line where it begins.
    end: offset just after it in the decompressed file.
    data: its JSON text, stored digit for digit; empty where only `members` is given.
    members: its values. With `data` they serve only to find the time and are not stored; they may
    be the texts of numbers.
    time: a time outside of the data (an envelope's time, a log line's date).
    source: its bytes in the file, for the report of what was not stored.
    unfinished: the file ends within it: it is no event yet, and is read again when there is more.
    """

    line: int
    end: int
    data: bytes = b""
    time: str | int | float | None = None
    sample_rate: int | None = None
    error: str | None = None
    source: bytes = b""
    members: Members | None = None
    unfinished: bool = False


LineParser = Callable[[str], LineRead]  # raises ValueError with the reason
Reader = Callable[[BinaryIO], Iterator[Parsed]]


class UnknownFormat(Exception):
    """The format cannot be detected from the file's beginning."""
