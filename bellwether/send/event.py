"""What a reader makes of one line, row or document of a file."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Parsed:
    """One event as it stands in the file, or the reason why it is none.

    line: 1-based line where it begins; end: offset just behind it in the decompressed file.
    data: its JSON object, exactly as it is to be stored; empty on an error.
    time: what a reader found beside the data (an envelope's time, a log line's date).
    """

    line: int
    end: int
    data: bytes = field(default=b"", repr=False)
    time: str | int | float | None = None
    sample_rate: int | None = None
    error: str | None = None
    source: bytes = field(default=b"", repr=False)


class UnknownFormat(Exception):
    """The format cannot be told from the file's beginning."""
