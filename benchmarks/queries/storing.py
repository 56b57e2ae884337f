"""`python -m benchmarks storing`: what storing rows costs an indexer, in this build and another.

An installation of each build waits beside an empty log; then the records are appended to it as
fast as the log takes them, cut by cut, and counted is the CPU of the indexer until all is in
published segments: reading the log, shredding, sealing, publishing. Its start is not in it. Then
small segments are put together where the build does that, which is counted apart.
"""

import asyncio
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.harness.machine import describe_machine, describe_versions, one_line
from benchmarks.queries.engines.ours import Bellwether
from benchmarks.queries.meter import Processes
from benchmarks.queries.prepare import (
    KERNELS,
    OTHER,
    PERCENT,
    THIS,
    own_settings,
    target,
    wait_compacted,
    wait_formats,
    wait_idle,
    wait_sealed,
)
from benchmarks.queries.rows.log import Target
from benchmarks.queries.rows.shape import BODY_ROWS, Shape, bodies
from benchmarks.two_builds import ROOT, Installation
from common.clock import SystemClock
from common.log.embedded.log import EmbeddedLog
from common.model.names import dataset_id
from common.model.record import Kind, Marker, Record, marker_record
from common.model.record_value import compress_value
from common.objects.directory import DirectoryObjects
from indexer.config import IndexerConfig
from snapshot.bootstrap.estimate import ReadOnlyStore
from snapshot.documents.chain import Chain
from snapshot.objects_of import read_objects

_HOUR_NS = 3_600 * 10**9
_TERMINATED = 128 + signal.SIGTERM
_AT_ONCE = 64
_KINDS_OF_OBJECTS = ("segments", "packs", "manifests", "checkpoints", "compactions", "summaries")


@dataclass(frozen=True, slots=True)
class Stored:
    """What is written. rows: in all cuts together; each dataset has as many in each partition."""

    rows: int
    cuts: int
    datasets: int
    partitions: int


class Cost(msgspec.Struct, frozen=True):
    """What a build spent. CPU in nanoseconds of the indexer.

    objects: files in the object store by the first part of their key, when all was sealed.
    bytes_sealed, bytes_served: of segments, before and after small ones were put together.
    compacting_ns: of putting together, with the summaries that are made by it; summaries_ns: of
    those that are made from files.
    """

    build: str
    rows: int
    cuts: int
    datasets: int
    partitions: int
    sealing_ns: int
    sealing_clock_ns: int
    objects: dict[str, int]
    bytes_sealed: int
    compacting_ns: int = 0
    summaries_ns: int = 0
    bytes_served: int = 0

    @property
    def us_per_row(self) -> float:
        """CPU from records to sealed, microseconds per row."""
        return self.sealing_ns / self.rows / 1e3

    @property
    def compacting_us_per_row(self) -> float:
        """CPU of putting together, of all levels, and of summaries, microseconds per row."""
        return (self.compacting_ns + self.summaries_ns) / self.rows / 1e3

    @property
    def objects_per_cut(self) -> float:
        """Objects put per cut and partition."""
        return sum(self.objects.values()) / self.cuts / self.partitions


def measure(name: str, checkout: Path, stored: Stored, seed: int, compact: bool) -> Cost:
    """One build, in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="storing-"))
    one = Installation(name, checkout, folder)
    settings = {"BELLWETHER_LOG_PARTITIONS": str(stored.partitions)}
    ours = Bellwether(name, one, "")
    try:
        one.start(KERNELS, settings=settings | _at_first(checkout))
        wait_sealed(ours)
        wait_formats(ours)
        indexer = Processes([one.role_pids()["indexer"]])
        before = indexer.sample()
        ends = asyncio.run(_append(folder / "data" / "log", stored, seed))
        wait_sealed(ours, ends=ends)
        after = indexer.sample()
        cost = Cost(
            name, stored.rows, stored.cuts, stored.datasets, stored.partitions,
            after.cpu_ns - before.cpu_ns, after.clock_ns - before.clock_ns,
            _objects(folder / "data"), _segment_bytes(folder / "data"),
        )  # fmt: skip
        one.stop()
        if not (compact and checkout == ROOT and PERCENT in IndexerConfig.__dataclass_fields__):
            return cost
        again = Installation(name, checkout, folder)
        ours = Bellwether(name, again, "")
        try:
            again.start(KERNELS, settings=settings | own_settings(compacted=True))
            wait_compacted(ours)
            wait_idle(ours)
            spent_ns = int(ours.compaction().cpu_s * 1e9)
            summaries_ns = again.background_ns() - spent_ns
            served = _served_bytes(folder / "data", stored.partitions)
            return msgspec.structs.replace(
                cost, compacting_ns=spent_ns, summaries_ns=summaries_ns, bytes_served=served
            )
        finally:
            again.stop()
    finally:
        one.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _at_first(checkout: Path) -> dict[str, str]:
    """Nothing is put together or summarized while sealing is measured."""
    nothing = {"BELLWETHER_INDEXER_SUMMARY_PERCENT": "0"}
    return own_settings(compacted=False) | nothing if checkout == ROOT else {}


async def _append(folder: Path, stored: Stored, seed: int) -> dict[int, int]:
    """All rows, and a marker after each cut; returns the last marker's offset by partition."""
    ends: dict[int, int] = {}
    log = EmbeddedLog(folder, stored.partitions, SystemClock())
    await log.open()
    dice = random.Random(seed)
    rows = stored.rows // stored.cuts
    each = max(rows // (stored.datasets * stored.partitions), 1)
    shape = Shape(stored.rows, seed, time.time_ns(), _HOUR_NS)
    targets = [_target(number) for number in range(stored.datasets)]
    for cut in range(stored.cuts):
        for partition in range(stored.partitions):
            first = cut * rows + partition * (rows // stored.partitions)
            records = await asyncio.to_thread(
                records_of, shape, first, first + rows // stored.partitions, each, targets, dice
            )
            for at in range(0, len(records), _AT_ONCE):
                some = records[at : at + _AT_ONCE]
                await asyncio.gather(*(log.append(partition, one) for one in some))
        for partition in range(stored.partitions):
            marker = marker_record(Marker(None, reason="benchmark"))
            ends[partition] = (await log.append(partition, marker)).position.offset
    await log.close()
    return ends


def _target(number: int) -> Target:
    whole = target()
    return whole._replace(dataset=dataset_id(whole.team, whole.env, f"dataset-{number}"))


def records_of(
    shape: Shape, first: int, end: int, each: int, targets: Sequence[Target], dice: random.Random
) -> list[Record]:
    """Records of one cut and partition: each dataset's rows one after the other."""
    found: list[Record] = []
    body_rows = min(each, BODY_ROWS)
    for number, body in enumerate(bodies(shape, first, end, body_rows)):
        team, env, dataset = targets[number * body_rows // each % len(targets)]
        value = compress_value(body.lines)
        found.append(Record(Kind.EVENTS, value, dice.randbytes(16), team, env, dataset, body.rows))
    return found


def _objects(data: Path) -> dict[str, int]:
    """Files in the object store by the first part of their key."""
    root = data / "objects"
    found = Counter(path.relative_to(root).parts[0] for path in root.rglob("*") if path.is_file())
    return {name: found[name] for name in _KINDS_OF_OBJECTS if found[name]}


def _segment_bytes(data: Path) -> int:
    files = (p for name in ("segments", "packs") for p in (data / "objects" / name).rglob("*"))
    return sum(path.stat().st_size for path in files if path.is_file())


def _served_bytes(data: Path, partitions: int) -> int:
    """Of the segments that are read now: the folder holds those that they replace, too."""
    store = ReadOnlyStore(DirectoryObjects(data / "objects"))
    total = 0
    for partition in range(partitions):
        _, held = read_objects(Chain(store, partition, None), 0)
        total += sum(one.entry.size_bytes for one in held.served())
    return total


class Goal(msgspec.Struct, frozen=True):
    """Something to be reached; the bound is from above."""

    what: str
    bound: float
    found: float


def goals(costs: Sequence[Cost]) -> list[Goal]:
    """What these costs say of it."""
    mine = {(one.datasets, one.partitions): one for one in costs if one.build == THIS}
    theirs = {(one.datasets, one.partitions): one for one in costs if one.build == OTHER}
    found: list[Goal] = []
    few = min(mine.values(), key=lambda one: (one.partitions, one.datasets), default=None)
    if few is None:
        return found
    for (datasets, partitions), one in mine.items():
        if (other := theirs.get((datasets, partitions))) and datasets >= 1_000:
            what = f"{datasets:,} datasets: CPU against the other build"
            found.append(Goal(what, 1 / 8, one.us_per_row / other.us_per_row))
        if datasets > few.datasets and one.bytes_served and few.bytes_served:
            what = f"{datasets:,} datasets: bytes against {few.datasets:,}, put together"
            found.append(Goal(what, 2.0, one.bytes_served / few.bytes_served))
        if datasets >= 1_000:
            found.append(Goal(f"{datasets:,} datasets: objects per cut", 8, one.objects_per_cut))
        if partitions > few.partitions and datasets == few.datasets:
            what = f"{partitions} partitions: CPU against {few.partitions}"
            found.append(Goal(what, 3.0, one.us_per_row / few.us_per_row))
        if one.compacting_ns:
            what = f"{datasets:,} datasets, {partitions} partitions: putting together / sealing"
            spent_ns = one.compacting_ns + one.summaries_ns
            found.append(Goal(what, 0.6, spent_ns / one.sealing_ns))
    return found


def cells(one: Cost) -> tuple[str, ...]:
    """As a row of a table."""
    return (
        f"{one.datasets:,}", str(one.partitions), str(one.cuts), one.build,
        f"{one.us_per_row:.2f}", f"{one.rows / (one.sealing_clock_ns / 1e9):,.0f}",
        f"{one.bytes_sealed / one.rows:.1f}", f"{one.objects_per_cut:.1f}",
        f"{one.compacting_us_per_row:.2f}" if one.compacting_ns else "",
        f"{one.bytes_served / one.rows:.1f}" if one.bytes_served else "",
    )  # fmt: skip


def show(costs: Sequence[Cost], console: Console) -> None:
    """Every build and layout, then what must be reached."""
    table = Table(title="Records to sealed segments, and small segments put together",
                  title_justify="left")  # fmt: skip
    for name in ("datasets", "partitions", "cuts", "build"):
        table.add_column(name)
    for name in (
        "CPU us/row",
        "rows/s",
        "bytes/row",
        "objects/cut",
        "together us/row",
        "bytes/row",
    ):
        table.add_column(name, justify="right")
    for one in costs:
        table.add_row(*cells(one))
    console.print(table)
    for goal in goals(costs):
        verdict = "met" if goal.found <= goal.bound else "missed"
        console.print(f"{goal.what}: {goal.found:.3f}, at most {goal.bound:.3f}: {verdict}")


@click.command()
@click.option("--rows", default=524_288, show_default=True, help="In all cuts together.")
@click.option("--cuts", default=4, show_default=True)
@click.option("--datasets", default="1", show_default=True, help="Numbers with commas between.")
@click.option("--partitions", default="1", show_default=True, help="Numbers with commas between.")
@click.option("--compact", is_flag=True, help="Then put small segments together.")
@click.option("--seed", default=7, show_default=True)
@click.option(
    "--other",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of another checkout of Bellwether.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="JSON.")
def main(
    rows: int, cuts: int, datasets: str, partitions: str, compact: bool, seed: int,
    other: Path | None, out: Path | None,
) -> None:  # fmt: skip
    """Compare what storing rows costs, over numbers of datasets and of partitions."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))  # ends what was started, too
    console = Console(width=None if sys.stdout.isatty() else 150)
    console.print(one_line(describe_machine()), highlight=False)
    console.print(str(describe_versions()), highlight=False)
    builds = [(THIS, ROOT), *([(OTHER, other.resolve())] if other else [])]
    costs: list[Cost] = []
    numbers = ([int(one) for one in text.split(",")] for text in (datasets, partitions))
    for number, parts in product(*numbers):
        for name, checkout in builds:
            stored = Stored(rows, cuts, number, parts)
            costs.append(measure(name, checkout, stored, seed, compact))
            console.print(f"{name}: {number:,} datasets, {parts} partitions measured")
            if out is not None:
                out.write_bytes(msgspec.json.format(msgspec.json.encode(costs), indent=1))
    show(costs, console)
