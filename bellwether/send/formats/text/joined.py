"""Lines that go on with the one before (stack traces) become one event, in bounded memory (I11).

The first line of an entry is read by its format; the lines that follow are added to its `message`,
each after a line break. An entry that grows too long, or that grew after it was stored, goes on in
a further event with the same fields and `continued` 2, 3 ...: nothing is lost, or stored twice.
"""

from collections.abc import Container, Iterator
from typing import BinaryIO, Protocol

from bellwether.send.event import LineParser, Members, Parsed
from bellwether.send.lines import BOM, TOO_LONG, Line, lines
from common import limits

# a longer stack trace is one of endless recursion
ENTRY_LINES_MAX = 1_000
# the store cuts longer texts
ENTRY_BYTES_MAX = limits.STRING_BYTES_MAX
# blank lines within a stack trace are kept, up to this number
_BLANK_LINES_MAX = 3
NOT_UTF8 = "the line is not valid UTF-8"


class Continuation(Protocol):
    """Which lines go on with the one before."""

    def begin(self, text: str) -> None:
        """An entry begins with this line."""

    def continues(self, text: str) -> bool:
        """Whether this line goes on with the entry; a blank line does if what follows does."""


class _Entry:
    """The event that is being joined."""

    def __init__(self, line: Line, members: Members, time: str | None) -> None:
        self.number = line.number
        self.end = line.end
        self.members = members
        self.time = time
        self.source = [line.data or b""]
        self.texts: list[str] = []
        self.size = len(line.data or b"")
        self.part = 1

    def takes(self, data: bytes, borders: Container[int]) -> bool:
        """Whether there is room for one more line."""
        if self.end in borders:
            return False
        room = self.size + 1 + len(data) <= ENTRY_BYTES_MAX
        return room and len(self.source) < ENTRY_LINES_MAX

    def add(self, line: Line, text: str) -> None:
        self.end = line.end
        self.source.append(line.data or b"")
        self.texts.append(text)
        self.size += 1 + len(line.data or b"")

    def next_part(self, line: Line, text: str) -> "_Entry":
        """What goes on where there is no more room."""
        members = {**self.members, "message": text, "continued": self.part + 1}
        part = _Entry(line, members, self.time)
        part.part = self.part + 1
        return part

    def parsed(self) -> Parsed:
        if self.texts:
            first = self.members.get("message", "")
            self.members["message"] = "\n".join((str(first), *self.texts))
        source = b"\n".join(self.source)
        return Parsed(
            self.number, self.end, b"", self.time, None, None, source, self.members
        )  # fmt: skip


def read_joined(
    stream: BinaryIO, parse: LineParser, continuation: Continuation,
    carry_time: bool = False, borders: Container[int] = (),
) -> Iterator[Parsed]:  # fmt: skip
    """One event per entry. carry_time: an entry without a time has the time of the one before;
    borders: offsets at which an entry ends, though lines that go on with it may follow.
    """
    entry: _Entry | None = None
    blank: list[Line] = []
    last_time: str | None = None
    for line in lines(stream):
        text, error = _text(line)
        if text is not None and not text.strip():
            if entry is not None and len(blank) < _BLANK_LINES_MAX:
                blank.append(line)
            continue
        if text is not None and entry is not None and continuation.continues(text):
            for known, more in (*((b, "") for b in blank), (line, text)):
                if entry.takes(known.data or b"", borders):
                    entry.add(known, more)
                else:
                    yield entry.parsed()
                    entry = entry.next_part(known, more)
            blank.clear()
            continue
        blank.clear()
        if entry is not None:
            yield entry.parsed()
            entry = None
        if text is None:
            yield Parsed(line.number, line.end, error=error, source=line.data or b"")
            continue
        try:
            members, time = parse(text)
        except ValueError as problem:
            source = line.data or b""
            yield Parsed(line.number, line.end, error=str(problem), source=source)
            continue
        if carry_time:
            last_time = time = time or last_time
        entry = _Entry(line, members, time)
        continuation.begin(text)
    if entry is not None:
        yield entry.parsed()


def _text(line: Line) -> tuple[str | None, str]:
    """The line's text, or None and why it has none."""
    if line.data is None:
        return None, TOO_LONG
    try:
        return str(line.data.removeprefix(BOM) if line.number == 1 else line.data, "utf-8"), ""
    except UnicodeDecodeError:
        return None, NOT_UTF8
