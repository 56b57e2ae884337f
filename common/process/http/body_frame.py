"""Finds the end of a request's body. Chunks are rewritten without extensions and trailers."""

from typing import Final, Protocol

from common import limits
from common.process.http.refusal import Refusal

_HEX: Final = b"0123456789abcdefABCDEF"
_SIZE_DIGITS_MAX: Final = 8
_LINE_BYTES_MAX: Final = 256  # of a chunk's size with its extensions, which are not read
_TRAILER_BYTES_MAX: Final = 8_192


class BodyFrame(Protocol):
    """Takes bytes until the body is whole."""

    done: bool

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """Split `data` into bytes of the body to pass on, and bytes after it. Raises Refusal."""


class FixedLength:
    """A body of `missing` bytes."""

    def __init__(self, missing: int) -> None:
        self._missing = missing
        self.done = missing == 0

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """As `BodyFrame.take`."""
        piece = data[: self._missing]
        self._missing -= len(piece)
        self.done = self._missing == 0
        return piece, data[len(piece) :]


class Chunked:
    """A body in chunks. Chunks that arrive together are passed on as one.

    Chunks of a few bytes each cost far more work than their bytes, so their number is bounded by
    the bytes of the body.
    """

    def __init__(self) -> None:
        self._line = b""  # of a size or a trailer, while it is not whole
        self._missing = 0  # of the current chunk's data
        self._after_data = False  # the line break after a chunk's data comes next
        self._in_trailer = False
        self._trailer_bytes = 0
        self._chunks = 0
        self._bytes = 0
        self.done = False

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """As `BodyFrame.take`."""
        pieces: list[bytes] = []
        at = 0
        while at < len(data) and not self.done:
            if self._missing:
                piece = data[at : at + self._missing]
                pieces.append(piece)
                self._missing -= len(piece)
                self._after_data = not self._missing
                at += len(piece)
                continue
            end = data.find(b"\n", at)
            if end < 0:
                self._line += data[at:]
                at = len(data)
                if self._after_data and self._line != b"\r":
                    raise _unreadable()
                if len(self._line) > _LINE_BYTES_MAX and not self._in_trailer:
                    raise _unreadable()
                self._check_trailer(len(self._line))
                break
            line, self._line = self._line + data[at : end + 1], b""
            at = end + 1
            self._take_line(line)
        return self._written(pieces), data[at:]

    def _take_line(self, line: bytes) -> None:
        if not line.endswith(b"\r\n"):
            raise _unreadable()
        line = line[:-2]
        if self._after_data:
            if line:
                raise _unreadable()
            self._after_data = False
        elif self._in_trailer:
            self._trailer_bytes += len(line) + 2
            self._check_trailer(0)
            self.done = not line
        else:
            self._begin_chunk(line)

    def _begin_chunk(self, line: bytes) -> None:
        size = line.partition(b";")[0].rstrip(b" \t")
        plain = size and len(size) <= _SIZE_DIGITS_MAX and not size.strip(_HEX)
        if not plain or b"\r" in line or b"\0" in line or len(line) > _LINE_BYTES_MAX:
            raise _unreadable()
        self._missing = int(size, 16)
        self._in_trailer = not self._missing
        self._chunks += 1
        self._bytes += self._missing
        if self._chunks > limits.CHUNKS_MAX + self._bytes // limits.CHUNK_BYTES_MIN:
            raise Refusal(400, "the request's body comes in too many small chunks")

    def _check_trailer(self, more: int) -> None:
        if self._trailer_bytes + more > _TRAILER_BYTES_MAX:
            raise Refusal(400, "the request's trailer is too long")

    def _written(self, pieces: list[bytes]) -> bytes:
        body = b"".join(pieces)
        text = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        return text + b"0\r\n\r\n" if self.done else text


def _unreadable() -> Refusal:
    return Refusal(400, "the request's chunks cannot be read")
