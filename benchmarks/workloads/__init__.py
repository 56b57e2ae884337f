"""Every workload, in the order of the report."""

from benchmarks.workloads.base import Workload
from benchmarks.workloads.metrics import METRICS
from benchmarks.workloads.wide import BODIES, WIDE

WORKLOADS: tuple[Workload, ...] = (WIDE, *BODIES, METRICS)

__all__ = ["WORKLOADS", "Workload"]
