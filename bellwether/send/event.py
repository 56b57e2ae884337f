"""What a reader makes of one line, row or document of a file: the interface of every format."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

Members = dict[str, object]  # str, int, float, bool; lists and dicts where a format has them


class LineRead(NamedTuple):
    """What one line, row or joined entry says.

    members: values in the order in which they are stored; absent fields are left out.
    time: as it is written; it is read later, by the one reader of times.
    """

    members: Members
    time: str | None = None


class Parsed(NamedTuple):
    """One event as it stands in the file, or the reason why it is none.

    line: 1-based line where it begins; end: offset just behind it in the decompressed file.
    data: its JSON text, stored digit for digit; empty where only `members` is given.
    members: its values. Beside `data` they serve to find the time in and are not stored, and may
    be the texts of numbers.
    time: what a reader found beside the data (an envelope's time, a log line's date).
    source: what stands in the file, for the report of what was not stored.
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
    """The format cannot be told from the file's beginning."""
