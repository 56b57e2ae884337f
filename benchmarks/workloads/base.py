"""A workload: events as a client would send them, from a seed or from a real file."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.harness.results import Along
from benchmarks.systems.base import Checks, Group

WITHOUT_SERVERS = frozenset({Group.FILES, Group.STAGES, Group.YARDSTICKS})
WITH_SERVERS = WITHOUT_SERVERS | {Group.END_TO_END}


@dataclass(frozen=True, slots=True)
class Workload:
    """Named events. `lines(seed, events)` gives JSON objects, the same ones for the same seed.

    events: how many a full run takes. body_events: in one body, and in one record of the log.
    depth: how deep ours unpacks objects. quick: part of `--quick`. groups: what is measured on it
    unless systems are named; systems: only those of these names, then. along: where it stands
    among workloads that differ in one number alone.
    """

    name: str
    note: str
    lines: Callable[[int, int], list[bytes]]
    checks: Checks
    events: int
    body_events: int = 1_000
    depth: int = 0
    quick: bool = False
    groups: frozenset[Group] = WITHOUT_SERVERS
    systems: frozenset[str] = frozenset()
    along: Along | None = None
