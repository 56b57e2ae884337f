"""A file or standard input as plain bytes: gzip, zstd, bz2 and xz are recognised by their magic.

Reading is streamed; offsets count unpacked bytes, so they mean the same however a file is kept.
UTF-16 is read as UTF-8. A damaged file is read up to the damage; `Source.damage` has the reason.
"""

import codecs
import io
import os
import stat
import sys
from dataclasses import dataclass
from typing import Any, BinaryIO

from bellwether.send.files.prefix import Prefix
from bellwether.send.files.unpack import Readable, Unpacked, kind_of

HEAD_BYTES = 64 * 1024  # enough to detect the format and to distinguish files
FINISHED_AFTER_S = 600  # a file that was not written to since then has no half written line
_BUFFER_BYTES = 256 * 1024
_UTF16 = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_GUESS_BYTES = 400


class SourceError(Exception):
    """The file cannot be read. The message states the cause."""


class _Counted:
    """The bytes of the file on disk, counted; an error of reading ends it and is kept."""

    def __init__(self, head: bytes, file: Readable) -> None:
        self._head = head
        self._file = file
        self.count = 0
        self.damage: str | None = None

    def read(self, size: int, /) -> bytes:
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
        else:
            try:
                data = self._file.read(size)
            except OSError as error:
                self.damage, data = f"cannot be read: {error.strerror}", b""
        self.count += len(data)
        return data


class _Utf8:
    """UTF-16 as UTF-8; invalid bytes become the replacement character."""

    def __init__(self, file: Readable, encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._ended = False

    def read(self, size: int, /) -> bytes:
        text = ""
        while not text and not self._ended:
            data = self._file.read(size)
            self._ended = not data
            text = self._decoder.decode(data, final=self._ended)
        return text.encode()


class _Stream(io.RawIOBase):
    """The head that was read already, then the rest; every byte is added to the prefix."""

    def __init__(self, head: bytes, rest: Readable, prefix: Prefix) -> None:
        self._head = head
        self._rest = rest
        self._prefix = prefix

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self._head or self._rest.read(len(view))
        self._head = data[len(view) :]
        data = data[: len(view)]
        view[: len(data)] = data
        self._prefix.add(data)
        return len(data)


@dataclass(slots=True)
class Source:
    """An opened source.

    head: its first unpacked bytes, which `stream` still returns.
    prefix: the bytes that were read so far.
    finished: no program can be writing to it any more.
    """

    name: str
    stream: BinaryIO
    head: bytes
    compression: str
    size_bytes: int | None
    resumable: bool
    finished: bool
    prefix: Prefix
    _raw: _Counted
    _unpacked: Readable

    @property
    def read_bytes(self) -> int:
        """Bytes read of the file as it lies on disk."""
        return self._raw.count

    def damage(self) -> str | None:
        """Why the file ended before its end, once `stream` has; None if it did not."""
        if self._raw.damage is not None:
            return f"{self.name} {self._raw.damage}"
        found = getattr(self._unpacked, "damage", None)
        return None if found is None else f"{self.name}: damaged {self.compression} data: {found}"

    def is_cut_at(self, offset: int) -> bool:
        """Whether what ends at `offset` may have been cut: it has no line break, nothing follows,
        and a program may still be writing, or the file is damaged.
        """
        if self.finished and self.damage() is None:
            return False
        return self.prefix.length == offset and self.prefix.last not in (b"\n", b"\r", b"")


def open_source(name: str, now_s: float, finished: bool = False) -> Source:
    """Open a path, or standard input for `-`. Raises SourceError."""
    size: int | None = None
    resumable = name != "-"
    try:
        if name == "-":
            file: Readable = sys.stdin.buffer
            finished = True
        else:
            descriptor = os.open(name, os.O_RDONLY | getattr(os, "O_BINARY", 0))
            about = os.fstat(descriptor)
            if stat.S_ISDIR(about.st_mode):
                os.close(descriptor)
                raise SourceError(f"{name} is a folder: name the files in it, one at a time")
            file = io.FileIO(descriptor)
            if stat.S_ISREG(about.st_mode):
                size = about.st_size
                finished = finished or now_s - about.st_mtime > FINISHED_AFTER_S
            else:  # a pipe: it ends when its writer does, and cannot be read twice
                finished, resumable = True, False
        magic = _exactly(file, 6)
    except OSError as error:
        raise SourceError(f"cannot read {name}: {error.strerror}") from error
    raw = _Counted(magic, file)
    kind = kind_of(magic)
    unpacked: Readable = raw if kind == "plain" else Unpacked(raw, kind)
    head = _exactly(unpacked, HEAD_BYTES)
    rest: Readable = unpacked
    encoding = _utf16(head)
    if encoding is not None:
        rest = _Utf8(_Joined(head, unpacked), encoding)
        head = _exactly(rest, HEAD_BYTES).removeprefix(codecs.BOM_UTF8)
    prefix = Prefix()
    stream = io.BufferedReader(_Stream(head, rest, prefix), _BUFFER_BYTES)
    finished = finished or kind != "plain"
    source = Source(
        name, stream, head, kind, size, resumable, finished, prefix, raw, unpacked
    )  # fmt: skip
    if not head and (damage := source.damage()) is not None:
        raise SourceError(damage)
    return source


class _Joined:
    """Bytes, then a stream."""

    def __init__(self, head: bytes, rest: Readable) -> None:
        self._head = head
        self._rest = rest

    def read(self, size: int, /) -> bytes:
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
            return data
        return self._rest.read(size)


def _exactly(file: Readable, size: int) -> bytes:
    """`size` bytes, fewer only at the end."""
    found = b""
    while len(found) < size and (more := file.read(size - len(found))):
        found += more
    return found


def _utf16(head: bytes) -> str | None:
    """The kind of UTF-16 that a file begins with, None if it is none."""
    for bom, encoding in _UTF16:
        if head.startswith(bom):
            return encoding
    start = head[:_GUESS_BYTES]
    if len(start) >= 4 and b"\0" in start:  # without a mark: every other byte of ASCII text is 0
        for at, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
            zeros, others = start[at::2], start[1 - at :: 2]
            if zeros.count(0) > len(zeros) * 0.9 and others.count(0) == 0:
                return encoding
    return None
