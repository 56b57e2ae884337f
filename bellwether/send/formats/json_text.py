"""JSON in a file: one object per line, an array, or documents one after the other.

The text of every object is kept as it stands (docs/events.md says what becomes of it), so that
long integers, duplicate names and every digit reach the store. An object whose only members are
`data` (an object), `time` and `samplerate` is read as the API's own envelope.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

import orjson

from bellwether.send.event import Parsed, Reader
from bellwether.send.flatten import Member, members
from bellwether.send.lines import BOM, TOO_LONG, Line, lines
from bellwether.send.options import ReadOptions
from common import limits
from common.scan.json_tokens import (
    BadValue,
    JsonSyntaxError,
    TokenKind,
    number_value,
    string_value,
)

_BUFFER_BYTES_MAX = 4_000_000  # one document with room for the next read
_READ_BYTES = 256 * 1024
_ENVELOPE = {"data", "time", "samplerate"}
_STRUCTURE = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\],]|(")', re.DOTALL)
_BETWEEN = re.compile(rb"[ \t\r\n,]*+")


def reader_for(head: bytes, options: ReadOptions) -> Reader:
    """Documents where the file begins with an array or an object over several lines, else lines."""
    return read_documents if _is_document(head) else lambda stream: read_lines(lines(stream))


def _is_document(head: bytes) -> bool:
    text = head.removeprefix(BOM).lstrip()
    if text.startswith(b"["):
        return True
    first, newline, _ = text.partition(b"\n")
    if not newline or not text.startswith(b"{"):
        return False
    return first.strip() in (b"{", b"{}") or not first.rstrip().endswith(b"}")


def read_lines(found: Iterator[Line]) -> Iterator[Parsed]:
    """One object per line; blank lines are passed over."""
    for line in found:
        if line.data is None:
            yield Parsed(line.number, line.end, error=TOO_LONG)
            continue
        text = line.data.removeprefix(BOM) if line.number == 1 else line.data
        if text.strip():
            yield read_object(text.strip(), line.number, line.end)


def read_object(text: bytes, line: int, end: int) -> Parsed:
    """One event from one object's text."""
    values = _values(text)
    if values is not None and not ("data" in values and values.keys() <= _ENVELOPE):
        return Parsed(line, end, text, None, None, None, text, values)
    try:
        parts = members(text, 0)
    except (JsonSyntaxError, BadValue) as error:
        return Parsed(line, end, error=f"not a JSON object: {error}", source=text)
    if not _is_envelope(parts):
        return Parsed(line, end, text, source=text)
    found = {name: (kind, value) for name, kind, value in parts}
    try:
        time = _scalar(found.get("time"))
        rate = _scalar(found.get("samplerate"))
    except BadValue as error:
        return Parsed(line, end, error=str(error), source=text)
    if rate is not None and not (isinstance(rate, int) and 1 <= rate <= limits.SAMPLE_RATE_MAX):
        return Parsed(line, end, error=f"samplerate {rate!r} is no whole number >= 1", source=text)
    return Parsed(line, end, found["data"][1], time, rate, source=text)


def _values(text: bytes) -> dict[str, object] | None:
    """The values of what is surely one object of valid JSON: the fast way. orjson is stricter than
    the store: None means to look again, exactly.
    """
    if not text.startswith(b"{"):
        return None
    try:
        values: dict[str, object] = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return values


def _is_envelope(parts: list[Member]) -> bool:
    names = [name for name, _, _ in parts]
    data = [kind for name, kind, _ in parts if name == "data"]
    return data == [TokenKind.OBJECT_START] and set(names) <= _ENVELOPE


def _scalar(member: tuple[TokenKind, bytes] | None) -> str | int | float | None:
    if member is None or member[0] is TokenKind.NULL:
        return None
    kind, text = member
    if kind is TokenKind.STRING:
        return string_value(text, 0, len(text))
    if kind is TokenKind.NUMBER:
        return number_value(text, 0, len(text))
    raise BadValue("time and samplerate must be a text or a number")


def read_documents(stream: BinaryIO) -> Iterator[Parsed]:
    """The objects of an array, or objects one after the other, over any number of lines.

    Where a document is not closed, or too long, the rest cannot be told apart: it is the last.
    """
    cutter = _Cutter(stream)
    while cutter.skip_to_value():
        line = cutter.line
        text = cutter.cut_value()
        if text is None:
            yield Parsed(line, cutter.end, error=cutter.error, source=cutter.rest())
            return
        yield read_object(text, line, cutter.end)


class _Cutter:
    """Cuts a stream into JSON values by brackets and quotes alone; their grammar comes later."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._buffer = b""
        self._at = 0  # everything before it has been cut
        self._array: bool | None = None  # not known before the first character
        self._fill()
        self._buffer = self._buffer.removeprefix(BOM)
        self.line = 1
        self.end = 0  # bytes cut so far
        self.error = ""

    def skip_to_value(self) -> bool:
        """Move to the next value; False at the end."""
        while True:
            match = _BETWEEN.match(self._buffer, self._at)
            self._cut(match.end() if match else self._at)
            if self._at == len(self._buffer):
                if not self._fill():
                    return False
                continue
            first = self._buffer[self._at : self._at + 1]
            if self._array is None:
                self._array = first == b"["
                if self._array:
                    self._cut(self._at + 1)
                    continue
            if self._array and first == b"]":
                self._cut(self._at + 1)
                continue
            return True

    def cut_value(self) -> bytes | None:
        """The value that begins here, or None with `error` set."""
        depth = 0
        scanned = self._at
        while True:
            for match in _STRUCTURE.finditer(self._buffer, scanned):
                if match[1] is not None:
                    break  # a string that is not closed yet
                scanned = match.end()
                character = match[0][:1]
                if character in b"{[":
                    depth += 1
                elif character in b"}]":
                    depth -= 1
                if depth < 0 or (depth == 0 and character == b","):
                    return self._cut(match.start())  # a bare word ends before it
                if depth == 0:
                    return self._cut(scanned)
            if len(self._buffer) - self._at > _BUFFER_BYTES_MAX:
                self.error = "the document is too long"
                return None
            scanned -= self._at  # filling drops what has been cut
            if not self._fill():
                self.error = "the document has no end"
                return None

    def rest(self) -> bytes:
        """The beginning of what could not be cut."""
        return self._buffer[self._at : self._at + 200]

    def _cut(self, end: int) -> bytes:
        taken = self._buffer[self._at : end]
        self._at = end
        self.line += taken.count(b"\n")
        self.end += len(taken)
        return taken

    def _fill(self) -> bool:
        more = self._stream.read(_READ_BYTES)
        self._buffer = self._buffer[self._at :] + more
        self._at = 0
        return bool(more)
