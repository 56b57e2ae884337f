"""Lines that can be given back, and a document that is put together of several of them."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from common import limits

DOCUMENT_BYTES_MAX = 4_000_000  # room for an event of the largest size, pretty-printed
PIECE_BYTES_MAX = 1_100_000  # a longer line, such as a whole array, comes in pieces
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_STRUCTURE = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]]|(")', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
_CLOSERS = {ord("}"): ord("{"), ord("]"): ord("[")}
_OBJECT, _ARRAY = ord("{"), ord("[")
RECORD_SEPARATOR = b"\x1e"
NO_END = "it has no end"


class Piece(NamedTuple):
    """A line with its break, or a piece of a long one.

    number: of the line; start: the offset of its first byte; begins: it is the line's beginning.
    """

    number: int
    start: int
    data: bytes
    begins: bool

    @property
    def end(self) -> int:
        """The offset after it."""
        return self.start + len(self.data)

    def part(self, start: int, stop: int) -> "Piece":
        """Some of it."""
        return Piece(self.number, self.start + start, self.data[start:stop], False)


class Pieces:
    """The lines of a stream, of which some can be given back."""

    def __init__(self, stream: BinaryIO) -> None:
        self._readline = stream.readline
        self._given_back: deque[Piece] = deque()
        self._number = 0
        self._end = 0
        self._begins = True

    def __iter__(self) -> Iterator[Piece]:
        while (piece := self.next()) is not None:
            yield piece

    def next(self) -> Piece | None:
        """The next line or piece; None at the end."""
        if self._given_back:
            return self._given_back.popleft()
        data = self._readline(PIECE_BYTES_MAX)
        if not data:
            return None
        begins, start = self._begins, self._end
        self._number += begins
        self._end += len(data)
        self._begins = data.endswith(b"\n")
        return Piece(self._number, start, data, begins)

    def back(self, pieces: Iterable[Piece]) -> None:
        """Give these back; they come next, in their order."""
        self._given_back.extendleft(reversed(list(pieces)))

    def longer(self, piece: Piece, at: int) -> Piece | None:
        """The piece from `at` on with the next piece of its line, if it has more."""
        if piece.data.endswith(b"\n") or len(piece.data) - at > DOCUMENT_BYTES_MAX:
            return None
        more = self.next()
        if more is None:
            return None
        if more.begins:
            self.back([more])
            return None
        return Piece(piece.number, piece.start + at, piece.data[at:] + more.data, False)

    def end_of_line(self, piece: Piece) -> int:
        """Skip the rest of the piece's line; returns the offset after it."""
        end = piece.end
        while (more := self.next()) is not None:
            if more.begins:
                self.back([more])
                break
            end = more.end
        return end


def begins_document(piece: Piece, column: int) -> bool:
    """Whether a document, or an array of some, may begin with this line: no further to the right
    than the one before it, whose members stand further to the right.
    """
    if not piece.begins:
        return False
    text = piece.data.lstrip(b" \t")
    if text.startswith(RECORD_SEPARATOR):
        return True
    text = text.removeprefix(b"\xef\xbb\xbf")
    return text[:1] in (b"{", b"[") and len(piece.data) - len(text) <= column


class Document:
    """A document that does not end in the line where it begins.

    stop: the offset in the last line behind its end, None while it has none; broken: why it cannot
    be one, as far as brackets and quotes show.
    """

    def __init__(self, piece: Piece, at: int) -> None:
        self.lines = [piece.part(at, len(piece.data))]
        is_first = not piece.data[:at].strip(b" \t[,")
        self.column = at if is_first else len(piece.data) - len(piece.data.lstrip(b" \t"))
        self.stop: int | None = None
        self.broken: str | None = None
        self._open = bytearray()
        self._last = b""
        self._size = 0
        self._scan(self.lines[0].data)

    def add(self, piece: Piece) -> None:
        """The next line of it."""
        self.lines.append(piece)
        self._scan(piece.data)

    def is_interrupted_by(self, piece: Piece) -> bool:
        """Whether the line begins another document: it does if none can stand there in this one."""
        if not begins_document(piece, self.column):
            return False
        if piece.data.lstrip(b" \t").startswith(RECORD_SEPARATOR):
            return True
        allowed = b":" if self._open[-1] == _OBJECT else b"[,"
        return self._last not in allowed

    def text(self) -> bytes:
        """The document, or what there is of it."""
        *before, last = (line.data for line in self.lines)
        return b"".join([*before, last[: self.stop]])

    def rest(self) -> list[Piece]:
        """What follows it in its last line."""
        last = self.lines[-1]
        if self.stop is None or not last.data[self.stop :].strip():
            return []
        return [last.part(self.stop, len(last.data))]

    def lost(self) -> tuple[list[Piece], Piece]:
        """Of a broken one: the lines that may begin another document and are to be read again, and
        the last line before them.
        """
        deep = len(self._open) > limits.NESTING_DEPTH_MAX  # each of them would be as deep again
        for number, line in enumerate([] if deep else self.lines[1:], 1):
            if begins_document(line, self.column):
                return self.lines[number:], self.lines[number - 1]
        last = self.lines[-1]
        return self.rest(), last if self.stop is None else last.part(0, self.stop)

    def _scan(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > DOCUMENT_BYTES_MAX:
            self.broken = f"it is longer than {DOCUMENT_BYTES_MAX:,} bytes"
            return
        bare = _STRING.sub(b"s", data)
        if b'"' in bare:
            self.broken = "a text in it is not closed"
            return
        depth = len(self._open)
        for bracket in bare.translate(None, _NO_BRACKETS):
            opener = _CLOSERS.get(bracket)
            if opener is None:
                self._open.append(bracket)
            elif self._open[-1] != opener:
                self.broken = "its brackets do not match"
                return
            else:
                self._open.pop()
                if not self._open:
                    self.stop = closing(data, 0, depth)
                    return
        if len(self._open) > limits.NESTING_DEPTH_MAX:
            self.broken = f"it is nested deeper than {limits.NESTING_DEPTH_MAX} levels"
        self._last = bare.rstrip()[-1:] or self._last


def closing(data: bytes, at: int, depth: int = 0) -> int | None:
    """The offset after the bracket that closes what is open; None if none does."""
    for match in _STRUCTURE.finditer(data, at):
        if match[1] is not None:
            return None
        character = match[0][:1]
        if character in b"{[":
            depth += 1
        elif character in b"}]":
            depth -= 1
            if depth == 0:
                return match.end()
    return None
