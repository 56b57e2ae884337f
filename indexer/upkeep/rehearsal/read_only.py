"""Backends of a rehearsal: everything is read, and nothing can be written (I3)."""

from collections.abc import Iterator
from pathlib import Path

from common.errors import LogRefused, ObjectsUnavailable
from common.log import Appended, Bounds, Log, LogIdentity
from common.model.record import LogRecord, Record
from common.objects import ObjectInfo, ObjectStore

_TEXT = "a rehearsal writes nothing"


class ReadOnlyObjects:
    """An object store whose writes fail as those of a store that is down.

    refused: first parts of the keys that were to be written.
    """

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self.refused: set[str] = set()

    def get(self, key: str) -> bytes:
        """See the interface."""
        return self._objects.get(key)

    def fetch(self, key: str, target: Path) -> int:
        """See the interface."""
        return self._objects.fetch(key, target)

    def fetch_range(self, key: str, offset: int, length: int, target: Path) -> None:
        """See the interface."""
        self._objects.fetch_range(key, offset, length, target)

    def head(self, key: str) -> ObjectInfo | None:
        """See the interface."""
        return self._objects.head(key)

    def list(self, prefix: str, after: str = "") -> Iterator[ObjectInfo]:
        """See the interface."""
        return self._objects.list(prefix, after)

    def put_if_absent(self, key: str, data: bytes | Path) -> bool:
        """Raises ObjectsUnavailable."""
        raise self._refusal(key)

    def replace(self, key: str, data: bytes | Path) -> None:
        """Raises ObjectsUnavailable."""
        raise self._refusal(key)

    def delete(self, key: str) -> None:
        """Raises ObjectsUnavailable."""
        raise self._refusal(key)

    def _refusal(self, key: str) -> ObjectsUnavailable:
        self.refused.add(key.partition("/")[0])
        return ObjectsUnavailable(_TEXT)


class ReadOnlyLog:
    """A log that refuses appends and keeps all its records."""

    def __init__(self, log: Log) -> None:
        self._log = log

    async def open(self) -> LogIdentity:
        """See the interface."""
        return await self._log.open()

    async def append(self, partition: int, record: Record) -> Appended:
        """Raises LogRefused."""
        raise LogRefused(_TEXT)

    def leader(self, partition: int) -> str:
        """See the interface."""
        return self._log.leader(partition)

    async def read(
        self, partition: int, offset: int, max_bytes: int, wait_ms: int
    ) -> list[LogRecord]:
        """See the interface."""
        return await self._log.read(partition, offset, max_bytes, wait_ms)

    async def read_again(self, partition: int, offset: int) -> LogRecord | None:
        """See the interface."""
        return await self._log.read_again(partition, offset)

    async def bounds(self, partition: int) -> Bounds:
        """See the interface."""
        return await self._log.bounds(partition)

    def known_end(self, partition: int) -> int | None:
        """See the interface."""
        return self._log.known_end(partition)

    async def drop_before(self, partition: int, offset: int) -> int:
        """Drops nothing; returns the start."""
        return (await self._log.bounds(partition)).start

    def has_server_time(self) -> bool:
        """See the interface."""
        return self._log.has_server_time()

    async def abandon(self, partition: int, first: int) -> None:
        """Raises LogRefused."""
        raise LogRefused(_TEXT)

    def retention_ns(self) -> int | None:
        """See the interface."""
        return self._log.retention_ns()

    async def size_bytes(self, partition: int) -> int:
        """See the interface."""
        return await self._log.size_bytes(partition)

    async def refresh(self) -> LogIdentity:
        """See the interface."""
        return await self._log.refresh()

    async def close(self) -> None:
        """See the interface."""
        await self._log.close()
