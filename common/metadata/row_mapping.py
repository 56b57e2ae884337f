"""Maps rows of both databases to values and back: the columns of a table and their order.

SQLite's file and MySQL have the same tables and columns. They differ in how a statement marks its
values and in that MySQL stores compared text as bytes (`common/metadata/mysql/rows.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from common.metadata.interface import (
    ApiKey,
    Column,
    ColumnFacts,
    Dataset,
    Environment,
    KeyKind,
    MetadataRow,
    StoredQuery,
    Team,
)
from common.metadata.resources import (
    DerivedColumn,
    Marker,
    MarkerSetting,
    QueryAnnotation,
    R,
    Resource,
    SpanDefinition,
)
from common.metadata.rows import decode_access, encode_access

Row = tuple[Any, ...]  # as a database returns it; the columns are declared NOT NULL in the schema


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    name: quoted if it is a keyword: `columns` is one in MySQL.
    columns: in the order of `values_of` and of every SELECT of whole rows.
    compared: text columns that are compared or sorted by their bytes.
    """

    name: str
    columns: tuple[str, ...]
    compared: frozenset[str]

    def insert(self, mark: str, verb: str = "INSERT") -> str:
        """The statement that stores one row; `mark` stands for each value."""
        marks = ", ".join([mark] * len(self.columns))
        return f"{verb} INTO {self.name} ({', '.join(self.columns)}) VALUES ({marks})"

    def select(self) -> str:
        """Whole rows of the table, without a condition."""
        return f"SELECT {', '.join(self.columns)} FROM {self.name}"


def _table(name: str, columns: str, compared: str) -> Table:
    return Table(name, tuple(columns.split()), frozenset(compared.split()))


TEAMS: Final = _table("teams", "id name slug", "id slug")
ENVIRONMENTS: Final = _table("environments", "id team_id name slug", "id team_id slug")
KEYS: Final = _table(
    "api_keys",
    "id hash kind name env_id access events_per_s events_per_day created_ns revoked_ns",
    "id hash kind env_id",
)
DATASETS: Final = _table(
    "datasets",
    "id env_id slug name description expand_json_depth created_ns deleted_ns retention_days"
    " delete_protected",
    "id env_id slug",
)
QUERIES: Final = _table(
    "queries", "id env_id dataset_id spec_json created_ns", "id env_id dataset_id"
)
COLUMNS: Final = _table(
    "`columns`",
    "id dataset_id name type description hidden created_ns updated_ns deleted_ns",
    "id dataset_id type",
)
COLUMN_FACTS: Final = _table(
    "column_facts",
    "id dataset_id name kind unit temporality monotonic description updated_ns",
    "id dataset_id",
)
_SCOPED = "id env_id dataset_id"  # what every resource begins with, and is found by
RESOURCE_TABLES: Final[dict[type[Resource], Table]] = {
    Marker: _table(
        "markers",
        f"{_SCOPED} start_s end_s message type url created_ns updated_ns",
        _SCOPED,
    ),
    MarkerSetting: _table(
        "marker_settings", f"{_SCOPED} type color created_ns updated_ns", _SCOPED
    ),
    DerivedColumn: _table(
        "derived_columns",
        f"{_SCOPED} alias expression description created_ns updated_ns",
        _SCOPED,
    ),
    QueryAnnotation: _table(
        "query_annotations",
        f"{_SCOPED} name description query_id created_ns updated_ns",
        f"{_SCOPED} query_id",
    ),
    SpanDefinition: _table(
        "span_definitions", f"{_SCOPED} column_name created_ns updated_ns", _SCOPED
    ),
}
PARENTS_FIRST: Final = (
    *(TEAMS, ENVIRONMENTS, KEYS, DATASETS, QUERIES, COLUMNS, COLUMN_FACTS),
    *RESOURCE_TABLES.values(),
)

SELECT_KEYS: Final = """
SELECT k.id, k.hash, k.kind, k.name, k.access, k.events_per_s, k.events_per_day, k.created_ns,
       k.revoked_ns, t.id, t.name, t.slug, e.id, e.team_id, e.name, e.slug
FROM api_keys k JOIN environments e ON e.id = k.env_id JOIN teams t ON t.id = e.team_id
"""
SELECT_ENVIRONMENTS: Final = """
SELECT t.id, t.name, t.slug, e.id, e.team_id, e.name, e.slug
FROM environments e JOIN teams t ON t.id = e.team_id ORDER BY t.slug, e.slug
"""


def table_of(row: MetadataRow) -> Table:
    """The table of a row."""
    return RESOURCE_TABLES[type(row)] if isinstance(row, Resource) else _TABLES[type(row)]


def values_of(row: MetadataRow) -> Row:
    """The row's columns, in the order of its table's."""
    match row:
        case Team():
            return row.id, row.name, row.slug
        case Environment():
            return row.id, row.team_id, row.name, row.slug
        case ApiKey():
            return (
                *(row.id, row.hash, row.kind.value, row.name, row.environment.id),
                encode_access(row.access),
                *(row.events_per_s, row.events_per_day, row.created_ns, row.revoked_ns),
            )
        case Dataset():
            return (
                *(row.id, row.env_id, row.slug, row.name, row.description),
                *(row.expand_json_depth, row.created_ns, row.deleted_ns),
                *(row.retention_days, row.delete_protected),
            )
        case StoredQuery():
            return row.id, row.env_id, row.dataset_id, row.spec_json, row.created_ns
        case Column():
            return (
                *(row.id, row.dataset_id, row.name, row.type, row.description, row.hidden),
                *(row.created_ns, row.updated_ns, row.deleted_ns),
            )
        case ColumnFacts():
            return (
                *(row.id, row.dataset_id, row.name, row.kind, row.unit, row.temporality),
                *(row.monotonic, row.description, row.updated_ns),
            )
        case _:
            return tuple(getattr(row, name) for name in RESOURCE_TABLES[type(row)].columns)


def team_of(row: Row) -> Team:
    """A row of TEAMS."""
    return Team(*row)


def environment_of(row: Row) -> Environment:
    """A row of ENVIRONMENTS."""
    return Environment(*row)


def pair_of(row: Row) -> tuple[Team, Environment]:
    """A row of SELECT_ENVIRONMENTS."""
    return Team(*row[:3]), Environment(*row[3:])


def key_of(row: Row) -> ApiKey:
    """A row of SELECT_KEYS."""
    return ApiKey(
        id=row[0],
        hash=row[1],
        kind=KeyKind(row[2]),
        name=row[3],
        access=decode_access(row[4]),
        events_per_s=row[5],
        events_per_day=row[6],
        created_ns=row[7],
        revoked_ns=row[8],
        team=Team(*row[9:12]),
        environment=Environment(*row[12:16]),
    )


def dataset_of(row: Row) -> Dataset:
    """A row of DATASETS. The databases have integers for booleans."""
    return Dataset(*(*row[:-1], bool(row[-1])))


def query_of(row: Row) -> StoredQuery:
    """A row of QUERIES; the specification is bytes."""
    return StoredQuery(*row)


def column_of(row: Row) -> Column:
    """A row of COLUMNS."""
    return Column(*(*row[:5], bool(row[5]), *row[6:]))


def resource_of(kind: type[R], row: Row) -> R:
    """A row of a kind's table. Its columns are in the order of the members, the times last."""
    return kind(*row[:-2], created_ns=row[-2], updated_ns=row[-1])


def column_facts_of(row: Row) -> ColumnFacts:
    """A row of COLUMN_FACTS. The databases have integers for booleans."""
    return ColumnFacts(*(*row[:6], bool(row[6]), *row[7:]))


_TABLES: Final[dict[type[MetadataRow], Table]] = {
    Team: TEAMS,
    Environment: ENVIRONMENTS,
    ApiKey: KEYS,
    Dataset: DATASETS,
    StoredQuery: QUERIES,
    Column: COLUMNS,
    ColumnFacts: COLUMN_FACTS,
}
# The queries of a dump: all rows, parents first and by id, each with the function that reads a row.
READS: Final[tuple[tuple[str, Callable[[Row], MetadataRow]], ...]] = (
    (f"{TEAMS.select()} ORDER BY id", team_of),
    (f"{ENVIRONMENTS.select()} ORDER BY id", environment_of),
    (f"{SELECT_KEYS} ORDER BY k.id", key_of),
    (f"{DATASETS.select()} ORDER BY id", dataset_of),
    (f"{QUERIES.select()} ORDER BY id", query_of),
    (f"{COLUMNS.select()} ORDER BY dataset_id, id", column_of),
    (f"{COLUMN_FACTS.select()} ORDER BY dataset_id, id", column_facts_of),
    *(
        (f"{table.select()} ORDER BY env_id, dataset_id, id", partial(resource_of, kind))
        for kind, table in RESOURCE_TABLES.items()
    ),
)
