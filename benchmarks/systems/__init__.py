"""Every system that is measured, in the order of the report. Importing this imports no peer."""

from benchmarks.systems.arrow_json import ArrowJson, OrjsonPivot
from benchmarks.systems.base import System
from benchmarks.systems.bellwether import Bellwether
from benchmarks.systems.chdb_clickhouse import ChdbParquet, ChdbTable, TableKind
from benchmarks.systems.duckdb_json import DuckDb
from benchmarks.systems.http_ingest import HttpToAcknowledged, HttpToSealed
from benchmarks.systems.log_replay import LogReplay
from benchmarks.systems.polars_json import Polars
from benchmarks.systems.stages import all_stages
from benchmarks.systems.yardsticks import all_yardsticks

OURS = "bellwether"
AGAIN = "bellwether (again)"


_PEERS = (DuckDb, ChdbTable, ChdbParquet, Polars, ArrowJson, OrjsonPivot)


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
        HttpToAcknowledged(),
        HttpToSealed(),
        LogReplay(),
    ]


def is_ours(name: str) -> bool:
    """Whether it must be right, rather than say what a peer cannot do."""
    return type(make_system(name)) not in _PEERS


def make_system(name: str) -> System:
    """The system of this name. Raises KeyError."""
    return {one.name: one for one in all_systems()}[name]
