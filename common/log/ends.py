"""Known ends: a small shared file with the end offset of every partition.

A writer stores the new end after its commit and before it acknowledges, so other processes learn
of new records by reading a few bytes instead of asking SQLite. It is a hint: it may lag behind
after a crash, it never runs ahead of what is durable. It is not fsynced.
"""

import os
import struct
from pathlib import Path

from common import durable

_END = struct.Struct("<Q")


class KnownEnds:
    """The file, open. Reading is one system call on a cached page."""

    def __init__(self, path: Path, partitions: int) -> None:
        self._size = _END.size * partitions
        if not path.exists():
            durable.put_new(path, bytes(self._size))
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def raw(self) -> bytes:
        """The file's bytes, to see cheaply whether any end has moved."""
        return os.pread(self._fd, self._size, 0)

    def all(self) -> list[int]:
        """The known end of every partition."""
        data = self.raw().ljust(self._size, b"\0")
        return [end for (end,) in _END.iter_unpack(data)]

    def get(self, partition: int) -> int:
        """The known end of one partition."""
        data = os.pread(self._fd, _END.size, _END.size * partition).ljust(_END.size, b"\0")
        return int(_END.unpack(data)[0])

    def advance(self, partition: int, end: int) -> None:
        """Store an end that is durable. Needs the partition's writer lock."""
        if end > self.get(partition):
            os.pwrite(self._fd, _END.pack(end), _END.size * partition)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def read_ends(path: Path, partitions: int) -> list[int]:
    """The known ends without opening them for writing; zeros where there are none."""
    size = _END.size * partitions
    try:
        data = path.read_bytes()[:size]
    except OSError:  # a hint: it is made again
        data = b""
    return [end for (end,) in _END.iter_unpack(data.ljust(size, b"\0"))]
