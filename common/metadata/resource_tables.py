"""The store of resources over a database: the statements are the same for SQLite and MySQL.

Each write is one statement, or one transaction of several, so it is durable when the call returns.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from common.errors import Conflict
from common.metadata.resources import DerivedColumn, R, Resource, Room
from common.metadata.row_mapping import RESOURCE_TABLES, Row, Table, resource_of, values_of

_ONE = "env_id = {0} AND dataset_id = {0} AND id = {0}"


class ResourceTables(ABC):
    """Implements `ResourceStore`. `mark` stands for a value in a statement."""

    mark: str

    @abstractmethod
    def _read(self, query: str, values: Row) -> list[Row]:
        """The rows of a query."""

    @abstractmethod
    def _write(self, statement: str, values: Row) -> int:
        """Execute one durable statement; returns the number of rows it changed or found.

        Raises Conflict for a value that must be unique.
        """

    @abstractmethod
    def _write_all(self, statements: Sequence[tuple[str, Row]]) -> None:
        """Execute statements, all or nothing."""

    @abstractmethod
    def _stored(self, table: Table, values: Row) -> Row:
        """The values of a whole row as the database has them: compared text may be bytes."""

    @abstractmethod
    def _compared(self, text: str) -> str | bytes:
        """Text that is compared, as the database has it."""

    @abstractmethod
    def _texts(self, row: Row) -> Row:
        """A row that was read, with text for what is stored as bytes."""

    def create_resource(self, row: Resource, room: Room) -> bool:
        """Store a new one; False if there is no room for it. Raises Conflict if its id exists."""
        table, mark = RESOURCE_TABLES[type(row)], self.mark
        marks = ", ".join([mark] * len(table.columns))
        count = f"(SELECT count(*) FROM {table.name} WHERE env_id = {mark}"
        env, dataset = self._compared(row.env_id), self._compared(row.dataset_id)
        made = self._write(
            f"INSERT INTO {table.name} ({', '.join(table.columns)})"
            f" SELECT {marks} FROM (SELECT 1) AS one"
            f" WHERE {count} AND dataset_id = {mark}) < {mark} AND {count}) < {mark}",
            (
                *self._stored(table, values_of(row)),
                *(env, dataset, room.of_dataset, env, room.of_environment),
            ),
        )
        if not made and self.get_resource(type(row), row.env_id, row.dataset_id, row.id):
            raise Conflict("a resource of this id exists")
        return made > 0

    def put_resources(self, rows: Sequence[Resource]) -> None:
        """Insert or replace some of one kind, all or nothing."""
        statements: list[tuple[str, Row]] = []
        for row in rows:
            table = RESOURCE_TABLES[type(row)]
            values = self._stored(table, values_of(row))
            statements.append((table.insert(self.mark, "REPLACE"), values))
        self._write_all(statements)

    def get_resource(self, kind: type[R], env_id: str, dataset_id: str, row_id: str) -> R | None:
        """The one of this id in the dataset, or None."""
        found = self._read(
            f"{RESOURCE_TABLES[kind].select()} WHERE {_ONE.format(self.mark)}",
            self._identity(env_id, dataset_id, row_id),
        )
        return resource_of(kind, self._texts(found[0])) if found else None

    def list_resources(self, kind: type[R], env_id: str, dataset_id: str | None) -> list[R]:
        """Those of a dataset, or with None of the whole environment, oldest first."""
        where, values = f"env_id = {self.mark}", [self._compared(env_id)]
        if dataset_id is not None:
            where += f" AND dataset_id = {self.mark}"
            values.append(self._compared(dataset_id))
        found = self._read(
            f"{RESOURCE_TABLES[kind].select()} WHERE {where} ORDER BY created_ns, dataset_id, id",
            tuple(values),
        )
        return [resource_of(kind, self._texts(row)) for row in found]

    def delete_resource(
        self, kind: type[Resource], env_id: str, dataset_id: str, row_id: str
    ) -> bool:
        """Delete one; False if there is none of this id."""
        deleted = self._write(
            f"DELETE FROM {RESOURCE_TABLES[kind].name} WHERE {_ONE.format(self.mark)}",
            self._identity(env_id, dataset_id, row_id),
        )
        return deleted > 0

    def delete_resources_of(self, env_id: str, dataset_id: str) -> None:
        """Delete everything that belongs to a dataset."""
        values = (self._compared(env_id), self._compared(dataset_id))
        where = f"env_id = {self.mark} AND dataset_id = {self.mark}"
        self._write_all(
            [(f"DELETE FROM {t.name} WHERE {where}", values) for t in RESOURCE_TABLES.values()]
        )

    def list_derived_columns(self, env_id: str, dataset_id: str | None) -> list[DerivedColumn]:
        """Those of the environment, oldest first, then those of the dataset."""
        of_environment = self.list_resources(DerivedColumn, env_id, "")
        if not dataset_id:
            return of_environment
        return of_environment + self.list_resources(DerivedColumn, env_id, dataset_id)

    def trim_queries(self, env_id: str, most: int) -> int:
        """Delete the oldest stored queries beyond the newest `most`; returns how many.

        Those that have an annotation stay.
        """
        env, mark = self._compared(env_id), self.mark
        oldest = self._read(
            f"SELECT created_ns FROM queries WHERE env_id = {mark}"
            f" ORDER BY created_ns DESC LIMIT 1 OFFSET {mark}",
            (env, most),
        )
        if not oldest:
            return 0
        return self._write(
            f"DELETE FROM queries WHERE env_id = {mark} AND created_ns <= {mark} AND id NOT IN"
            f" (SELECT query_id FROM query_annotations WHERE env_id = {mark})",
            (env, oldest[0][0], env),
        )

    def _identity(self, *texts: str) -> Row:
        return tuple(self._compared(text) for text in texts)
