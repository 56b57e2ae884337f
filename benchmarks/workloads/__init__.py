"""Every workload, in the order of the report."""

from pathlib import Path

from benchmarks.workloads.access import ACCESS_FILE, access
from benchmarks.workloads.base import Workload
from benchmarks.workloads.fields import FIELDS_500, FIELDS_2000, RANDOM_ORDER, SPARSE
from benchmarks.workloads.growth import COLUMNS, GROWING, OVER_HTTP, REPLAYED
from benchmarks.workloads.metrics import METRICS
from benchmarks.workloads.nginx import NGINX_FILE, nginx
from benchmarks.workloads.values import DISTINCT, LONG_TEXT, MIXED, NESTED, UNICODE
from benchmarks.workloads.wide import BODIES, WIDE

REAL_DATA = "BELLWETHER_REAL_DATA"  # names the folder of real files, where there is one
REAL_FILES = (ACCESS_FILE, NGINX_FILE)


def all_workloads(real_data: Path | None = None) -> list[Workload]:
    """A new one of each. real_data: folder of real files; without it those like them are made."""
    return [
        WIDE,
        nginx(real_data),
        access(real_data),
        METRICS,
        FIELDS_500,
        FIELDS_2000,
        SPARSE,
        RANDOM_ORDER,
        DISTINCT,
        LONG_TEXT,
        UNICODE,
        MIXED,
        NESTED,
        *BODIES,
        OVER_HTTP,
        *REPLAYED,
        GROWING,
        *COLUMNS,
    ]


__all__ = ["REAL_DATA", "REAL_FILES", "Workload", "all_workloads"]
