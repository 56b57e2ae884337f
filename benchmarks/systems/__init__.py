"""Every system that is measured, in the order of the report. Importing this imports no peer."""

from benchmarks.systems.arrow_json import ArrowJson, OrjsonPivot
from benchmarks.systems.base import System
from benchmarks.systems.bellwether import Bellwether
from benchmarks.systems.chdb_clickhouse import ChdbParquet, ChdbTable, TableKind
from benchmarks.systems.duckdb_json import DuckDb
from benchmarks.systems.polars_json import Polars
from benchmarks.systems.stages import all_stages
from benchmarks.systems.yardsticks import all_yardsticks

OURS = "bellwether"
AGAIN = "bellwether (again)"


def all_systems() -> list[System]:
    """A new one of each. Their names are unique."""
    return [
        Bellwether(OURS),
        Bellwether(AGAIN, "the same once more: what differs is noise"),
        DuckDb(),
        DuckDb(typed=True),
        ChdbTable(TableKind.TYPED),
        ChdbTable(TableKind.JSON),
        ChdbParquet(),
        Polars(),
        Polars(typed=True),
        ArrowJson(),
        OrjsonPivot(),
        *all_stages(),
        *all_yardsticks(),
    ]


def make_system(name: str) -> System:
    """The system of this name. Raises KeyError."""
    return {one.name: one for one in all_systems()}[name]
