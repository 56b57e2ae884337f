"""Unpack gzip, bz2, xz and zstd up to their end or their damage.

A stream that was cut off, or copied while it was written, yields everything before the damage and
then ends; `damage` has the reason. Several members one after the other are one stream, as with cat.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Any, Protocol

import zstandard

# Bytes that are unpacked at once: a damaged step is lost whole, so it is small.
STEP_BYTES = 4096
_READ_BYTES = 256 * 1024
_DAMAGED = (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error, zstandard.ZstdError)


class Readable(Protocol):
    """Anything that returns bytes, none at its end."""

    def read(self, size: int, /) -> bytes: ...


_MAKERS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(31),
    "bz2": bz2.BZ2Decompressor,
    "xz": lzma.LZMADecompressor,
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj(),
}
MAGICS = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
)


def kind_of(magic: bytes) -> str:
    """The compression of a file by its first bytes, or `plain`."""
    return next((kind for start, kind in MAGICS if magic.startswith(start)), "plain")


class Unpacked:
    """The unpacked bytes of a stream. `damage`: why it ended before its end, None if it did not."""

    def __init__(self, raw: Readable, kind: str) -> None:
        self._raw = raw
        self._kind = kind
        self._magic = next(start for start, name in MAGICS if name == kind)
        self._make = _MAKERS[kind]
        self._member = self._make()
        self._begun = False  # the member has been given something
        self._packed = b""
        self._at = 0
        self._ended = False
        self.damage: str | None = None

    def read(self, size: int, /) -> bytes:
        """Some of the unpacked bytes; none at the end."""
        found: list[bytes] = []
        length = 0
        while length < size and not self._ended:
            piece = self._step()
            if piece:
                found.append(piece)
                length += len(piece)
        return b"".join(found)

    def _step(self) -> bytes:
        if self._at == len(self._packed) and not self._more():
            self._end(None if self._member.eof or not self._begun else "it is cut off")
            return b""
        if self._member.eof and not self._next_member():
            return b""
        step = self._packed[self._at : self._at + STEP_BYTES]
        self._at += len(step)
        self._begun = True
        before = self._member.copy() if self._kind == "gzip" else None
        try:
            piece: bytes = self._member.decompress(step)
        except _DAMAGED as error:
            self._end(str(error))
            return b"" if before is None else _salvaged(before, step)
        if self._member.eof:
            self._at -= len(self._member.unused_data)
        return piece

    def _more(self) -> bool:
        """Append the next packed bytes; False at the end of the file."""
        more = self._raw.read(_READ_BYTES)
        self._packed = self._packed[self._at :] + more
        self._at = 0
        return bool(more)

    def _next_member(self) -> bool:
        """Begin what follows a member; False if nothing, or nothing of this kind, does."""
        while True:
            # padding, as tapes and some tools leave it
            self._packed = self._packed[self._at :].lstrip(b"\0")
            self._at = 0
            if len(self._packed) >= len(self._magic) or not self._more():
                break
        if not self._packed:
            self._end(None)
            return False
        if not self._packed.startswith(self._magic):
            self._end(f"something else follows the {self._kind} data; it was not read")
            return False
        self._member = self._make()
        return True

    def _end(self, damage: str | None) -> None:
        self._ended = True
        self._packed, self._at = b"", 0
        self.damage = damage


def _salvaged(member: Any, step: bytes) -> bytes:
    """The unpacked bytes of a step before its damaged byte."""
    found = []
    for at in range(len(step)):
        try:
            found.append(member.decompress(step[at : at + 1]))
        except _DAMAGED:
            break
    return b"".join(found)
