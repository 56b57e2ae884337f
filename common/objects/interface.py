"""The interface of an object store (I4). Calls block: on an event loop run them in a thread.

Keys are relative paths of the characters `[A-Za-z0-9._/-]` whose parts are not empty and do not
start with a dot; other keys raise ValueError. No key in use is below another one. Writes are
atomic: a reader sees a whole object or none, also after a crash.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One listed object.

    modified_ns: by the store's clock (unix ns).
    """

    key: str
    size_bytes: int
    modified_ns: int


def check_range(key: str, offset: int, length: int) -> None:
    """Raise ValueError for what is no range of an object."""
    if offset < 0 or length < 1:
        raise ValueError(f"not a range of {key}: {length} bytes from {offset}")


class ObjectStore(Protocol):
    """An object store. All methods raise ObjectsUnavailable if it cannot be used now."""

    def put_if_absent(self, key: str, data: bytes | Path) -> bool:
        """Store the bytes, or the file's bytes, durably. False, and nothing done, if it exists."""

    def replace(self, key: str, data: bytes | Path) -> None:
        """Store, replacing what exists. Only to repair a damaged object with its original bytes."""

    def get(self, key: str) -> bytes:
        """The object's bytes. Raises ObjectMissing."""

    def fetch(self, key: str, target: Path) -> int:
        """Write the object to `target` (all or nothing); returns its size. Raises ObjectMissing."""

    def fetch_range(self, key: str, offset: int, length: int, target: Path) -> None:
        """Write `length` bytes of the object, from `offset` on, to `target` (all or nothing).

        offset: 0 or more. length: 1 or more. The store cannot compare a part of an object with a
        checksum; the caller does. Raises ObjectMissing, DamagedObject if the object ends before.
        """

    def head(self, key: str) -> ObjectInfo | None:
        """Size and time, or None if there is no such object."""

    def list(self, prefix: str, after: str = "") -> Iterator[ObjectInfo]:
        """Objects whose key starts with `prefix` and sorts after `after`, in key order."""

    def delete(self, key: str) -> None:
        """Remove the object; no error if it is not there."""
