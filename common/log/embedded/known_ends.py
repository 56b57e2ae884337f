"""Known ends: a small shared file with the end offset of every partition.

A writer stores the new end after its commit and before it acknowledges, so other processes learn
of new records by reading a few bytes instead of asking SQLite. It is a hint: it may lag behind
after a crash, it never runs ahead of what is durable. It is not fsynced.

An end that is too high would be the word of one damaged file that records were lost (I13). So each
end carries a check of its own within its eight bytes, which are written and read at once; what
fails it is not known, and the next append makes it right.
"""

import os
import struct
import zlib
from pathlib import Path
from typing import Final

from common import durable

FILE: Final = "known-ends"
UNCHECKED_FILE: Final = "ends"  # of older versions: ends without a check, which are not read
_SLOT = struct.Struct("<Q")
_END_BITS: Final = 48  # 281 trillion records; the other 16 bits are the check
_END_MASK: Final = (1 << _END_BITS) - 1


class KnownEnds:
    """The file, open. Reading is one system call on a cached page.

    read_only: it is only read, and not made where it is missing.
    """

    def __init__(self, folder: Path, partitions: int, read_only: bool = False) -> None:
        path = folder / FILE
        self._size = _SLOT.size * partitions
        if read_only:
            known = path if path.exists() else Path(os.devnull)  # nothing is known of any end
            self._fd = os.open(known, os.O_RDONLY | os.O_CLOEXEC)
            return
        if not path.exists():
            durable.put_new(path, bytes(self._size))
        (folder / UNCHECKED_FILE).unlink(missing_ok=True)
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def raw(self) -> bytes:
        """The file's bytes, to see cheaply whether any end has moved."""
        return os.pread(self._fd, self._size, 0)

    def all(self) -> list[int]:
        """The known end of every partition."""
        return _decode(self.raw().ljust(self._size, b"\0"))

    def get(self, partition: int) -> int:
        """The known end of one partition; 0 if it is not known."""
        data = os.pread(self._fd, _SLOT.size, _SLOT.size * partition).ljust(_SLOT.size, b"\0")
        return _end_of(partition, int(_SLOT.unpack(data)[0]))

    def advance(self, partition: int, end: int) -> None:
        """Store an end that is durable. Needs the partition's writer lock."""
        if end > self.get(partition):
            os.pwrite(self._fd, _slot_of(partition, end), _SLOT.size * partition)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def read_ends(folder: Path, partitions: int) -> list[int]:
    """The known ends without opening them for writing; zeros where there are none."""
    size = _SLOT.size * partitions
    try:
        data = (folder / FILE).read_bytes()[:size]
    except OSError:  # a hint: it is made again
        data = b""
    return _decode(data.ljust(size, b"\0"))


def _decode(data: bytes) -> list[int]:
    return [_end_of(number, slot) for number, (slot,) in enumerate(_SLOT.iter_unpack(data))]


def _end_of(partition: int, slot: int) -> int:
    """The end of a slot, 0 if its check fails."""
    end = slot & _END_MASK
    return end if slot >> _END_BITS == _check(partition, end) else 0


def _slot_of(partition: int, end: int) -> bytes:
    if end > _END_MASK:
        raise ValueError(f"no partition has {end} records")
    return _SLOT.pack(_check(partition, end) << _END_BITS | end)


def _check(partition: int, end: int) -> int:
    """16 bits that hardly any other end, or the same of another partition, has. Never 0."""
    return zlib.crc32(struct.pack("<IQ", partition, end)) & 0xFFFF or 1
