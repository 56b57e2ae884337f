"""Known ends: a small shared file with the end offset of every partition.

A writer stores the new end after its commit and before the acknowledgement, so other processes
learn of new records by reading a few bytes instead of querying SQLite. It is a hint and not
fsynced: after a crash it may be lower than the durable end, but never higher.

An end that is too high would make this one damaged file report lost records (I13). So each end has
a 16-bit checksum within its eight bytes, which are written and read in one call; an end that fails
its checksum counts as unknown, and the next append replaces it.
"""

import os
import struct
import zlib
from pathlib import Path
from typing import Final

from common import atomic_files

FILE: Final = "known-ends"
UNCHECKED_FILE: Final = "ends"  # of older versions: ends without a checksum; it is not read
_SLOT = struct.Struct("<Q")
_END_BITS: Final = 48  # 281 trillion records; the other 16 bits are the checksum
_END_MASK: Final = (1 << _END_BITS) - 1


class KnownEnds:
    """The open file. Reading is one system call on a cached page.

    read_only: the file is not created if it is missing.
    """

    def __init__(self, folder: Path, partitions: int, read_only: bool = False) -> None:
        path = folder / FILE
        self._size = _SLOT.size * partitions
        if read_only:
            known = path if path.exists() else Path(os.devnull)  # nothing is known of any end
            self._fd = os.open(known, os.O_RDONLY | os.O_CLOEXEC)
            return
        if not path.exists():
            atomic_files.put_new(path, bytes(self._size))
        (folder / UNCHECKED_FILE).unlink(missing_ok=True)
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def raw(self) -> bytes:
        """The file's bytes, for a cheap check whether any end has changed."""
        return os.pread(self._fd, self._size, 0)

    @staticmethod
    def slot(partition: int) -> slice:
        """Where the end of one partition is in `raw`."""
        return slice(_SLOT.size * partition, _SLOT.size * (partition + 1))

    def get(self, partition: int) -> int:
        """The known end of one partition; 0 if it is not known."""
        data = os.pread(self._fd, _SLOT.size, _SLOT.size * partition).ljust(_SLOT.size, b"\0")
        return _end_of(partition, int(_SLOT.unpack(data)[0]))

    def advance(self, partition: int, end: int) -> None:
        """Store a durable end. The caller holds the partition's writer lock."""
        if end > self.get(partition):
            os.pwrite(self._fd, _slot_of(partition, end), _SLOT.size * partition)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def read_ends(folder: Path, partitions: int) -> list[int]:
    """The known ends, without opening the file for writing; 0 where an end is unknown."""
    size = _SLOT.size * partitions
    try:
        data = (folder / FILE).read_bytes()[:size]
    except OSError:  # it is a hint: the next writer creates it
        data = b""
    return _decode(data.ljust(size, b"\0"))


def _decode(data: bytes) -> list[int]:
    return [_end_of(number, slot) for number, (slot,) in enumerate(_SLOT.iter_unpack(data))]


def _end_of(partition: int, slot: int) -> int:
    """The end in a slot, 0 if its checksum does not match."""
    end = slot & _END_MASK
    return end if slot >> _END_BITS == _check(partition, end) else 0


def _slot_of(partition: int, end: int) -> bytes:
    if end > _END_MASK:
        raise ValueError(f"no partition has {end} records")
    return _SLOT.pack(_check(partition, end) << _END_BITS | end)


def _check(partition: int, end: int) -> int:
    """A 16-bit checksum of an end and its partition. Never 0."""
    return zlib.crc32(struct.pack("<IQ", partition, end)) & 0xFFFF or 1
