"""A stream as lines, each with its number and the offset after it, in bounded memory (I11)."""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from bellwether.send.event import LineParser, Parsed

# A batch's body takes a line of this length with room for what is added to it. The store cuts long
# texts and checks an event's size after that, so a line may be longer than an event.
LINE_BYTES_MAX = 4_000_000
BOM = b"\xef\xbb\xbf"
TOO_LONG = "the line is too long"


class Line(NamedTuple):
    """One line without its line break. `data` is None if it was longer than LINE_BYTES_MAX."""

    number: int
    end: int
    data: bytes | None


def lines(stream: BinaryIO) -> Iterator[Line]:
    """The stream's lines; of a line that is too long only its number and end are kept."""
    number = end = 0
    while raw := stream.readline(LINE_BYTES_MAX + 1):
        number += 1
        end += len(raw)
        if len(raw) > LINE_BYTES_MAX and not raw.endswith(b"\n"):
            while raw and not raw.endswith(b"\n"):
                raw = stream.readline(LINE_BYTES_MAX)
                end += len(raw)
            yield Line(number, end, None)
        else:
            yield Line(number, end, raw.rstrip(b"\r\n"))


def read_text_lines(stream: BinaryIO, parse: LineParser) -> Iterator[Parsed]:
    """One event per line of text; blank lines are skipped, a bad line loses only itself (I9)."""
    for number, end, data in lines(stream):
        if data is None:
            yield Parsed(number, end, error=TOO_LONG)
            continue
        if not data or data.isspace():
            continue
        try:
            text = str(data.removeprefix(BOM), "utf-8")
        except UnicodeDecodeError:
            yield Parsed(number, end, error="the line is not valid UTF-8", source=data)
            continue
        try:
            members, time = parse(text)
        except ValueError as error:
            yield Parsed(number, end, error=str(error), source=data)
        else:
            yield Parsed(number, end, b"", time, None, None, data, members)
