"""One file of a log: its new bytes, and whether it is still the same file.

A log is renamed, compressed, truncated or written anew while it is followed. A file is recognised
by its beginning and by the bytes before the bookmark, under any name.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

import msgspec

from bellwether.send.files.source import Source, SourceError, open_source
from bellwether.send.follow.bookmark import HEAD_BYTES, TAIL_BYTES, Bookmark, digest
from bellwether.send.lines import LINE_BYTES_MAX

PACKED = (".gz", ".bz2", ".xz", ".zst")
_STEP_BYTES = 256 * 1024
# Bytes of a packed file that can be read again: the longest line, and one step before it
_WINDOW_BYTES = LINE_BYTES_MAX + _STEP_BYTES


class LogFile:
    """A file that is open for reading, and that the caller closes."""

    def __init__(self, path: Path) -> None:
        """Raises OSError, and SourceError for a compressed file that is none."""
        self.path = path
        self.is_packed = path.name.endswith(PACKED)
        self._file: BinaryIO = path.open("rb", buffering=0)
        found = os.fstat(self._file.fileno())
        self.device, self.inode = found.st_dev, found.st_ino
        self._source: Source | None = None
        self._window = b""  # what was unpacked last: a stream is only read forwards
        self._window_at = 0
        if self.is_packed:
            self._unpack()

    def _unpack(self) -> None:
        self._source = open_source(str(self.path), 0.0, finished=True)
        self._window, self._window_at = b"", 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        if self._source is not None:
            self._source.stream.close()

    def size(self) -> int:
        """Bytes of the file as it lies on disk."""
        return os.fstat(self._file.fileno()).st_size

    def changed_ns(self) -> int:
        """When it was last written to, by the file system's clock."""
        return os.fstat(self._file.fileno()).st_mtime_ns

    def damage(self) -> str | None:
        """Why a compressed file ended before its end, None if it did not."""
        return None if self._source is None else self._source.damage()

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of the (unpacked) file; fewer at its end."""
        if self._source is None:
            return os.pread(self._file.fileno(), size, offset)
        if offset < self._window_at:
            self._unpack()
        while self._window_at + len(self._window) < offset + size:
            more = self._source.stream.read(_STEP_BYTES)
            if not more:
                break
            kept = max(len(self._window) - _WINDOW_BYTES, 0)
            self._window, self._window_at = self._window[kept:] + more, self._window_at + kept
        begin = offset - self._window_at
        return self._window[begin : begin + size] if begin >= 0 else b""

    def is_at(self, path: Path) -> bool:
        """Whether the path still leads to this file; False also if it leads nowhere."""
        try:
            found = path.stat()
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == (self.device, self.inode)

    def begin(self, bookmark: Bookmark) -> Bookmark:
        """The bookmark at the beginning of this file."""
        head = b"" if self.is_packed else self.read(0, HEAD_BYTES)
        return _with(
            bookmark,
            file=bookmark.file + 1,
            device=self.device,
            inode=self.inode,
            head_bytes=len(head),
            head=digest(head),
            offset=0,
            tail=digest(b""),
            line=0,
            until=0,
            in_long_line=False,
        )

    def with_longer_head(self, bookmark: Bookmark) -> Bookmark:
        """The bookmark with a digest of as much of the file's beginning as there is by now."""
        if self.is_packed or bookmark.head_bytes >= HEAD_BYTES:
            return bookmark
        head = self.read(0, HEAD_BYTES)
        return _with(bookmark, head_bytes=len(head), head=digest(head))

    def matches(self, bookmark: Bookmark) -> bool:
        """Whether this is the file of the bookmark, whatever its name is now."""
        try:
            head = self.read(0, bookmark.head_bytes)
            if digest(head) != bookmark.head or len(head) < bookmark.head_bytes:
                return False
            return self.is_unchanged(bookmark)
        except (OSError, SourceError):
            return False

    def is_unchanged(self, bookmark: Bookmark) -> bool:
        """Whether the bytes before the bookmark are unchanged: else the file was written anew."""
        begin = max(bookmark.offset - TAIL_BYTES, 0)
        before = self.read(begin, bookmark.offset - begin)
        return begin + len(before) == bookmark.offset and digest(before) == bookmark.tail


def _with(bookmark: Bookmark, **changes: object) -> Bookmark:
    return msgspec.structs.replace(bookmark, **changes)
