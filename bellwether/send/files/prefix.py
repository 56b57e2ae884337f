"""The hash of a stream's bytes so far, which can be computed at the end of any batch.

A reader has read at most one document more than the batch that is being made, so the bytes after
the last batch are kept until it is known whether they belong to the next one.
"""

import hashlib
from collections import deque

# A reader has never read further than this; older bytes are hashed at once, so that gigabytes
# without an event take no memory.
_READ_FURTHER_BYTES_MAX = 16_000_000


class Prefix:
    """Counts and hashes the bytes of a stream."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._hashed = 0
        self._waiting: deque[bytes] = deque()
        self.length = 0
        self.last = b""

    def add(self, data: bytes) -> None:
        """These bytes of the stream were read."""
        if not data:
            return
        self._waiting.append(data)
        self.length += len(data)
        self.last = data[-1:]
        if self.length - self._hashed > 2 * _READ_FURTHER_BYTES_MAX:
            self._take(self.length - _READ_FURTHER_BYTES_MAX)

    def digest_at(self, offset: int) -> str | None:
        """The hash of everything before `offset`, which only grows; None if it is too late."""
        if not self._hashed <= offset <= self.length:
            return None
        self._take(offset)
        return self._hash.hexdigest()

    def _take(self, offset: int) -> None:
        while self._hashed < offset:
            data = self._waiting.popleft()
            wanted = offset - self._hashed
            if len(data) > wanted:
                self._waiting.appendleft(data[wanted:])
                data = data[:wanted]
            self._hash.update(data)
            self._hashed += len(data)
