"""JSON in a file: a document per line, several per line, over many lines, in arrays, or all of it.

Documents are found line by line. Between them commas, blanks, record separators (RFC 7464), byte
order marks and the brackets of arrays are passed over. A line that is no JSON costs itself only
(I9); a document that breaks costs the lines up to the next one that begins a document.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from bellwether.send.event import Parsed, Reader
from bellwether.send.formats.json.lines import (
    NO_END,
    Document,
    Piece,
    Pieces,
    begins_document,
    closing,
)
from bellwether.send.formats.json.object import read_object, values_of
from bellwether.send.options import ReadOptions

_AROUND = b" \t\r\n,\x1e\xef\xbb\xbf"  # bytes that may surround the one document of a line
_BETWEEN = re.compile(rb"(?:[ \t\r\n,\x1e]|\xef\xbb\xbf)*+")
# a value of an array that is no object, and what must follow it
_VALUE = re.compile(rb'("[^"\\]*+(?:\\.[^"\\]*+)*+"|[^,\[\]{}:"]++)(?=\s*+(?:[,\]]|$))')
_SHOWN_BYTES = 2_000  # of lines that are lost
_NO_OBJECT = "not a JSON object"


def reader_for(head: bytes, options: ReadOptions) -> Reader:
    """The reader of JSON, however its documents are laid out."""
    return lambda stream: _Reader(stream).read()


class _Reader:
    """Reads one file."""

    def __init__(self, stream: BinaryIO) -> None:
        self._pieces = Pieces(stream)
        self._arrays = 0  # that are open around the documents

    def read(self) -> Iterator[Parsed]:
        """Every document, or why there is none."""
        for piece in self._pieces:
            number, start, data, _ = piece
            text = data.strip(_AROUND)
            if not text:
                continue
            values = values_of(text) if text[0] == 0x7B else None  # {
            if values is None:
                yield from self._line(piece)
            else:
                yield Parsed(number, start + len(data), text, None, None, None, text, values)

    def _line(self, piece: Piece) -> Iterator[Parsed]:
        """The documents of a line that is not simply one."""
        at = 0
        while (at := _skip(piece.data, at)) < len(piece.data):
            first = piece.data[at : at + 1]
            if first == b"[":
                self._arrays += 1
                at += 1
            elif first == b"]" and self._arrays:
                self._arrays -= 1
                at += 1
            elif first == b"{":
                stop = closing(piece.data, at)
                if stop is None:
                    longer = self._pieces.longer(piece, at)
                    if longer is None:
                        yield from self._document(piece, at)
                        return
                    piece, at = longer, 0
                elif self._may_follow(piece.data, stop):
                    yield read_object(piece.data[at:stop], piece.number, piece.start + stop)
                    at = stop
                else:
                    yield self._rest(piece, at, "something else follows it in its line")
                    return
            else:
                value = _VALUE.match(piece.data, at) if self._arrays else None
                if value is None:
                    yield self._rest(piece, at, "it does not begin with a brace")
                    return
                error = f"{_NO_OBJECT}: a value of another kind"
                end = piece.start + value.end()
                yield Parsed(piece.number, end, error=error, source=value[1][:_SHOWN_BYTES])
                at = value.end()

    def _may_follow(self, data: bytes, stop: int) -> bool:
        """Whether what follows an object in its line can be read on its own."""
        at = _skip(data, stop)
        following = data[at : at + 1]
        if following == b"]" or b"," in data[stop:at]:
            return self._arrays > 0 or following in (b"", b"{", b"[")
        return following in (b"", b"{", b"[")

    def _rest(self, piece: Piece, at: int, reason: str) -> Parsed:
        """The rest of a line that cannot be read, however long the line is."""
        end = self._pieces.end_of_line(piece)
        source = piece.data[at:].strip()
        return Parsed(piece.number, end, error=f"{_NO_OBJECT}: {reason}", source=source)

    def _document(self, piece: Piece, at: int) -> Iterator[Parsed]:
        """A document over several lines that begins at `at`."""
        document = Document(piece, at)
        while document.broken is None and document.stop is None:
            following = self._pieces.next()
            if following is None:
                document.broken = NO_END
            elif document.is_interrupted_by(following):
                document.broken = "another one begins within it"
                self._pieces.back([following])
            else:
                document.add(following)
        if document.stop is not None:
            end = document.lines[-1].start + document.stop
            item = read_object(document.text(), piece.number, end)
            if item.error is None:
                self._pieces.back(document.rest())
                yield item
                return
            document.broken = item.error.removeprefix(f"{_NO_OBJECT}: ")
        yield self._lost(document)

    def _lost(self, document: Document) -> Parsed:
        """Go on where the next document begins, and report which lines are lost."""
        again, last = document.lost()
        self._pieces.back(again)
        is_last = False
        if not again and document.stop is None:
            is_last = True
            for following in self._pieces:
                if begins_document(following, document.column):
                    self._pieces.back([following])
                    is_last = False
                    break
                last = following
        first = document.lines[0].number
        lost = f"line {first} is" if last.number == first else f"lines {first}-{last.number} are"
        return Parsed(
            first,
            last.end,
            error=f"{_NO_OBJECT}: {document.broken}; {lost} lost",
            source=document.text()[:_SHOWN_BYTES],
            unfinished=is_last and (document.broken == NO_END or last.data[-1:] != b"\n"),
        )


def _skip(data: bytes, at: int) -> int:
    match = _BETWEEN.match(data, at)
    return match.end() if match else at
