"""Small secrets that the roles of an installation share, over a database.

They are no part of a dump: an export lies in the object store, where they do not belong. After a
restore there are new ones.
"""

from abc import ABC, abstractmethod

from common.metadata.row_mapping import Row


class SecretTable(ABC):
    """`mark` stands for a value in a statement; `insert_once` begins an insert that changes no row
    that is there.
    """

    mark: str
    insert_once: str

    @abstractmethod
    def _read(self, query: str, values: Row) -> list[Row]:
        """The rows of a query."""

    @abstractmethod
    def _write(self, statement: str, values: Row) -> int:
        """Execute one durable statement; returns the number of rows it changed or found."""

    @abstractmethod
    def _compared(self, text: str) -> str | bytes:
        """Text that is compared, as the database has it."""

    def ensure_secret(self, name: str, value: bytes) -> bytes:
        """The secret of that name; `value` if there was none."""
        found = self._secret(name)
        if found is None:
            self._insert(name, value, 0)
            found = self._secret(name)
        assert found is not None
        return found

    def put_secret(self, name: str, value: bytes, now_ns: int, expires_ns: int) -> None:
        """Store one under a new name until then (unix ns); those that have expired are deleted."""
        mark = self.mark
        self._write(f"DELETE FROM secrets WHERE expires_ns > 0 AND expires_ns <= {mark}", (now_ns,))
        self._insert(name, value, expires_ns)

    def take_secret(self, name: str, now_ns: int) -> bytes | None:
        """The secret that has not expired, which is deleted: only one caller ever gets it."""
        mark = self.mark
        found = self._read(
            f"SELECT value FROM secrets WHERE name = {mark} AND expires_ns > {mark}",
            (self._compared(name), now_ns),
        )
        deleted = self._write(f"DELETE FROM secrets WHERE name = {mark}", (self._compared(name),))
        return bytes(found[0][0]) if found and deleted else None

    def _secret(self, name: str) -> bytes | None:
        found = self._read(
            f"SELECT value FROM secrets WHERE name = {self.mark}", (self._compared(name),)
        )
        return bytes(found[0][0]) if found else None

    def _insert(self, name: str, value: bytes, expires_ns: int) -> None:
        marks = ", ".join([self.mark] * 3)
        self._write(
            f"{self.insert_once} INTO secrets (name, value, expires_ns) VALUES ({marks})",
            (self._compared(name), value, expires_ns),
        )
