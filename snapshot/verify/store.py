"""The object store for verification: one object that cannot be read does not stop a walk."""

from collections.abc import Iterator
from pathlib import Path

from common.errors import DamagedObject, ObjectsUnavailable
from common.objects import ObjectInfo, ObjectStore

_UNREADABLE_IN_A_ROW_MAX = 100  # beyond it the store is unavailable, even if it answers listings


class DamageTolerantStore:
    """Delegates to a store. An object that fails while the store answers counts as damaged."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._in_a_row = 0

    def get(self, key: str) -> bytes:
        """The object's bytes. Raises ObjectMissing, DamagedObject, ObjectsUnavailable."""
        try:
            data = self._objects.get(key)
        except ObjectsUnavailable as error:
            raise self._classify(key, error) from error
        self._in_a_row = 0
        return data

    def fetch(self, key: str, target: Path) -> int:
        """Copy the object. Raises ObjectMissing, DamagedObject, ObjectsUnavailable."""
        try:
            size = self._objects.fetch(key, target)
        except ObjectsUnavailable as error:
            raise self._classify(key, error) from error
        self._in_a_row = 0
        return size

    def fetch_range(self, key: str, offset: int, length: int, target: Path) -> None:
        """Copy a part. Raises ObjectMissing, DamagedObject, ObjectsUnavailable."""
        try:
            self._objects.fetch_range(key, offset, length, target)
        except ObjectsUnavailable as error:
            raise self._classify(key, error) from error
        self._in_a_row = 0

    def _classify(self, key: str, error: ObjectsUnavailable) -> DamagedObject | ObjectsUnavailable:
        self._in_a_row += 1
        if self._in_a_row > _UNREADABLE_IN_A_ROW_MAX:
            return error
        try:
            next(iter(self._objects.list(key.rpartition("/")[0] + "/")), None)
        except ObjectsUnavailable as whole:
            return whole
        return DamagedObject(f"{key} cannot be read: {error}")

    def put_if_absent(self, key: str, data: bytes | Path) -> bool:
        """See the interface."""
        return self._objects.put_if_absent(key, data)

    def replace(self, key: str, data: bytes | Path) -> None:
        """See the interface."""
        self._objects.replace(key, data)

    def head(self, key: str) -> ObjectInfo | None:
        """See the interface."""
        return self._objects.head(key)

    def list(self, prefix: str, after: str = "") -> Iterator[ObjectInfo]:
        """See the interface."""
        return self._objects.list(prefix, after)

    def delete(self, key: str) -> None:
        """See the interface."""
        self._objects.delete(key)
