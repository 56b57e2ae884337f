"""Every system that is measured, in the order of the report."""

from benchmarks.systems.base import Group, System

OURS = "bellwether"
AGAIN = "bellwether (again)"
VICTORIALOGS = "victorialogs over http"


def all_systems() -> list[System]:
    """A new one of each. Their names are unique.

    Imported here: a process that measures one of them must not hold what the others need.
    """
    from benchmarks.systems.arrow_json import ArrowJson, OrjsonPivot
    from benchmarks.systems.bellwether import Bellwether
    from benchmarks.systems.chdb_clickhouse import ChdbParquet, ChdbTable, TableKind
    from benchmarks.systems.duckdb_json import DuckDb
    from benchmarks.systems.growth import all_growth
    from benchmarks.systems.http_ingest import HttpToAcknowledged, HttpToSealed
    from benchmarks.systems.log_replay import LogReplay
    from benchmarks.systems.polars_json import Polars
    from benchmarks.systems.stages import all_stages
    from benchmarks.systems.victorialogs import VictoriaLogs
    from benchmarks.systems.yardsticks import all_yardsticks

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
        VictoriaLogs(),
        *all_growth(),
    ]


def is_ours(system: str, group: str) -> bool:
    """Whether it must be right, rather than say what a peer cannot do."""
    if group in (Group.FILES, Group.YARDSTICKS):
        return system in (OURS, AGAIN)
    return system != VICTORIALOGS
