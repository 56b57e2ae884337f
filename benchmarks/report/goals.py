"""What is to be reached: ratios of one run, on one core, over the same bytes; met or missed."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.harness.results import Run
from benchmarks.report.ratios import best_peer, ratio, smallest_peer
from benchmarks.systems import OURS

WIDE = "wide spans"
_AGAINST_WIDE = (("duckdb", 1.6), ("chdb (typed)", 2.0), ("polars", 4.0))
_TAPE_SHARE = 0.3
_HTTP_WORKLOAD = "wide spans over HTTP"
_HTTP_TIMES = 2.5
_HOSTILE = ("sparse schema", "random key order", "2,000 fields")
_HOSTILE_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Goal:
    """found: None where this run did not measure it. at_most: the bound is from above."""

    path: str
    against: str
    bound: float
    found: float | None
    at_most: bool = False

    @property
    def verdict(self) -> str:
        """`met`, `missed` or `not measured`."""
        if self.found is None:
            return "not measured"
        met = self.found <= self.bound if self.at_most else self.found >= self.bound
        return "met" if met else "missed"

    def cells(self) -> tuple[str, str, str, str, str]:
        """As a row of a table."""
        found = "" if self.found is None else f"{self.found:.2f} x"
        bound = f"{'at most' if self.at_most else 'at least'} {self.bound:g} x"
        return self.path, self.against, bound, found, self.verdict


def goals(run: Run) -> list[Goal]:
    """All of them."""
    return [*_wide(run), *_against_best(run), *_http(run), *_sizes(run), *_hostile(run)]


def _wide(run: Run) -> Iterator[Goal]:
    ours = run.find(WIDE, OURS)
    path = f"records to sealed segments, {WIDE}"
    for system, bound in _AGAINST_WIDE:
        peer = run.find(WIDE, system)
        yield Goal(path, system, bound, ratio(peer, ours).middle if peer and ours else None)
    yield Goal(path, "the shredding prototype (not in this repository)", 1.0, None)
    shred, tape = run.find(WIDE, "shred"), run.find(WIDE, "simdjson tape")
    share = ratio(tape, shred).middle if shred and tape else None
    yield Goal(f"records to columns, {WIDE}", "simdjson's tape", _TAPE_SHARE, share)


def _against_best(run: Run) -> Iterator[Goal]:
    for workload in run.workloads:
        ours, peer = run.find(workload.name, OURS), best_peer(run, workload.name)
        if workload.name == WIDE or ours is None:
            continue
        path = f"records to sealed segments, {workload.name}"
        if peer is None:
            yield Goal(path, "the best peer", 1.0, None)
        else:
            yield Goal(path, f"the best peer: {peer.system}", 1.0, ratio(peer, ours).middle)


def _http(run: Run) -> Iterator[Goal]:
    ours, peer = run.find(_HTTP_WORKLOAD, "http to sealed"), run.find(_HTTP_WORKLOAD, "duckdb")
    times = ours.cpu_s() / peer.cpu_s() if ours and peer else None
    path = "HTTP bodies of 100 events to acknowledged, fsynced and sealed, CPU of all processes"
    yield Goal(path, "duckdb, JSON lines to Parquet", _HTTP_TIMES, times, at_most=True)


def _sizes(run: Run) -> Iterator[Goal]:
    for workload in run.workloads:
        ours, peer = run.find(workload.name, OURS), smallest_peer(run, workload.name)
        if ours is None:
            continue
        path = f"bytes stored per event, {workload.name}"
        if peer is None:
            yield Goal(path, "the smallest peer", 1.0, None, at_most=True)
        else:
            share = ours.stored_bytes / peer.stored_bytes
            yield Goal(path, f"the smallest peer: {peer.system}", 1.0, share, at_most=True)


def _hostile(run: Run) -> Iterator[Goal]:
    sizes = {one.name: one.text_bytes for one in run.workloads}
    wide = run.find(WIDE, OURS)
    for name in _HOSTILE:
        found = run.find(name, OURS)
        share = None
        if wide and found:
            share = (sizes[name] / found.cpu_s()) / (sizes[WIDE] / wide.cpu_s())
        yield Goal(f"bytes per second, {name}", f"own speed on {WIDE}", _HOSTILE_SHARE, share)
