"""An object store that is down, refuses, or lies, as a test says (I4)."""

import random
from collections.abc import Iterator
from pathlib import Path

from common.errors import ObjectsUnavailable
from common.objects import ObjectInfo, ObjectStore


class FaultyObjects:
    """`down`: nothing works. `refusing`: share of the writes that fail before anything happens.
    `lying`: share of the writes that land and are reported as failed.
    """

    def __init__(self, objects: ObjectStore, seed: int = 0) -> None:
        self._objects = objects
        self._chance = random.Random(seed)
        self.down = False
        self.refusing = 0.0
        self.lying = 0.0

    def _reach(self) -> None:
        if self.down:
            raise ObjectsUnavailable("the object store does not answer")

    def _write(self) -> bool:
        """Whether the write lands and is reported as failed."""
        self._reach()
        if self._chance.random() < self.refusing:
            raise ObjectsUnavailable("500 from the object store")
        return self._chance.random() < self.lying

    def put_if_absent(self, key: str, data: bytes | Path) -> bool:
        lies = self._write()
        done = self._objects.put_if_absent(key, data)
        if lies:
            raise ObjectsUnavailable("timed out, and landed")
        return done

    def replace(self, key: str, data: bytes | Path) -> None:
        lies = self._write()
        self._objects.replace(key, data)
        if lies:
            raise ObjectsUnavailable("timed out, and landed")

    def get(self, key: str) -> bytes:
        self._reach()
        return self._objects.get(key)

    def fetch(self, key: str, target: Path) -> int:
        self._reach()
        return self._objects.fetch(key, target)

    def fetch_range(self, key: str, offset: int, length: int, target: Path) -> None:
        self._reach()
        self._objects.fetch_range(key, offset, length, target)

    def head(self, key: str) -> ObjectInfo | None:
        self._reach()
        return self._objects.head(key)

    def list(self, prefix: str, after: str = "") -> Iterator[ObjectInfo]:
        self._reach()
        yield from self._objects.list(prefix, after)

    def delete(self, key: str) -> None:
        self._reach()
        self._objects.delete(key)
