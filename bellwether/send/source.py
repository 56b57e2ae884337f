"""A file or standard input as plain bytes: gzip, zstd, bz2 and xz are recognised by their magic.

Reading is streamed; offsets count decompressed bytes, so they mean the same however a file is kept.
"""

import bz2
import gzip
import hashlib
import io
import lzma
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import zstandard

HEAD_BYTES = 64 * 1024  # enough to tell the format and to tell one file from another
_MAGICS = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
)


DAMAGED = (OSError, EOFError, lzma.LZMAError, zlib.error, zstandard.ZstdError)
_BUFFER_BYTES = 256 * 1024


class Readable(Protocol):
    """Anything that gives bytes, none at its end."""

    def read(self, size: int, /) -> bytes: ...


class SourceError(Exception):
    """The file cannot be read; the text says why."""


class _Prefixed(io.RawIOBase):
    """What was read already, then the rest; counts the bytes that it gives."""

    def __init__(self, head: bytes, rest: Readable) -> None:
        self._head = head
        self._rest = rest
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self._head[: len(view)] if self._head else self._rest.read(len(view))
        self._head = self._head[len(data) :]
        view[: len(data)] = data
        self.count += len(data)
        return len(data)


@dataclass(slots=True)
class Source:
    """An opened source. `head`: its first decompressed bytes, which `stream` still gives."""

    name: str
    stream: BinaryIO
    head: bytes
    compression: str
    size_bytes: int | None
    resumable: bool
    _counter: _Prefixed

    @property
    def read_bytes(self) -> int:
        """Bytes read of the file as it lies on disk."""
        return self._counter.count

    def identity(self) -> str:
        """What tells this file from others: a hash of its beginning."""
        return hashlib.sha256(self.head).hexdigest()


def open_source(name: str) -> Source:
    """Open a path, or standard input for `-`. Raises SourceError."""
    try:
        if name == "-":
            raw: Readable = sys.stdin.buffer
            size = None
        else:
            raw = Path(name).open("rb")  # noqa: SIM115 - read until the process ends
            size = Path(name).stat().st_size
        magic = raw.read(6)
    except OSError as error:
        raise SourceError(f"cannot read {name}: {error.strerror}") from error
    counter = _Prefixed(magic, raw)
    kind = next((kind for magic_of, kind in _MAGICS if magic.startswith(magic_of)), "plain")
    stream = _decompressed(counter, kind)
    try:
        head = b""
        while len(head) < HEAD_BYTES and (more := stream.read(HEAD_BYTES - len(head))):
            head += more
    except DAMAGED as error:
        raise SourceError(f"{name}: damaged {kind} data: {error}") from error
    whole = io.BufferedReader(_Prefixed(head, stream), _BUFFER_BYTES)
    return Source(name, whole, head, kind, size, name != "-", counter)


def _decompressed(raw: _Prefixed, kind: str) -> Readable:
    buffered = io.BufferedReader(raw, _BUFFER_BYTES)
    if kind == "gzip":
        return gzip.GzipFile(fileobj=buffered)
    if kind == "bz2":
        return bz2.BZ2File(buffered)
    if kind == "xz":
        return lzma.LZMAFile(buffered)
    if kind == "zstd":
        return zstandard.ZstdDecompressor().stream_reader(buffered, read_across_frames=True)
    return buffered
