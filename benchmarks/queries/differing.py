"""`python -m benchmarks differences`: what differs in many fields, and lists of many fields.

In this process, without HTTP: a share over segments and its merging, beside DuckDB over the same
files; then the facts of a dataset of many fields from its summaries, and a completion of a value.
"""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import click
import duckdb
import msgspec
import numpy as np
import pyarrow as pa
from rich.console import Console

from benchmarks.harness.machine import describe_machine, one_line
from common.objects.directory import DirectoryObjects
from indexer.fields.listing import FieldFactsListing
from indexer.seal.partition_reader import PartitionReader
from indexer.state.live_rows import LiveRows
from indexer.state.view import PartitionView
from indexer.upkeep.summaries.held import HeldSummaries
from query.differences.find import ChosenFields, find_differences
from query.differences.request import DifferencesRequest, read_differences_request
from query.fields.document import stored
from query.http.column_metadata import ColumnMetadata
from query.plan.plan import Plan
from query.results.steps import Steps
from query.share.compute.computation import Computation
from query.share.compute.database import DatabaseLimits, Databases
from query.share.view.view import DatasetView, SegmentView
from query.wire.field_facts import FieldFactsPage, FieldFactsRequest
from segment.columns import ColumnBlock, ColumnKey, FieldType, SparseColumn
from segment.columns.segment import SegmentOrigin
from segment.columns.segment_write import EncodedSegment, encode_segment
from segment.parquet.reference import ReferenceEncoders
from segment.parquet.selected import SelectedEncoders
from segment.summary.compute import summarize_rows
from segment.summary.summary import SegmentSummary
from snapshot.cache import SegmentCache
from snapshot.documents.epochs import Epoch
from snapshot.documents.manifest import SegmentEntry

_SEGMENT_ROWS: Final = 125_000
_WIDE_ROWS: Final = 2_000  # of a segment of many fields
_WIDE_SEGMENTS: Final = 4
_START_S: Final = 1_700_000_000
_DATASET: Final = "d" * 24
_SLOW: Final = [{"column": "duration", "op": ">", "value": 500}]
_ENCODERS: Final = ReferenceEncoders()


def _columns(random: np.random.Generator, rows: int, fields: int) -> dict[str, pa.Array]:
    """Half of the fields have few texts, the others many, ids, numbers and booleans."""
    made: dict[str, pa.Array] = {"duration": pa.array(random.lognormal(4, 1, rows))}
    for at in range(fields - 1):
        made[f"field{at:04d}"] = _values(at % 20, random, rows)
    return made


def _values(kind: int, random: np.random.Generator, rows: int) -> pa.Array:
    if kind == 0:
        return pa.array([f"{n:016x}" for n in random.integers(0, 2**62, rows)], pa.large_string())
    if kind < 4:
        return _texts(random, rows, (500, 2_000, 10_000)[kind - 1])
    if kind < 14:
        return _texts(random, rows, (3, 10, 30, 100)[kind % 4])
    if kind < 17:
        return pa.array(random.integers(0, (5, 50, 100_000)[kind - 14], rows))
    if kind < 19:
        return pa.array(random.lognormal(3, 2, rows))
    return pa.array(random.random(rows) < 0.3)


def _texts(random: np.random.Generator, rows: int, number: int) -> pa.Array:
    words = pa.array([f"value-{n}" for n in range(number)], pa.large_string())
    return words.take(pa.array(random.integers(0, number, rows)))


def _block(columns: dict[str, pa.Array], rows: int, first: int) -> ColumnBlock:
    every = np.arange(rows, dtype=np.uint32)
    types = {"double": FieldType.FLOAT, "int64": FieldType.INT, "bool": FieldType.BOOL}
    return ColumnBlock(
        _START_S * 10**9 + (first + np.arange(rows, dtype=np.int64)) * 1_000,
        np.ones(rows, np.int64),
        first + np.arange(rows, dtype=np.int64),
        np.zeros(rows, np.int32),
        np.zeros(rows, np.bool_),
        {
            ColumnKey(name, types.get(str(values.type), FieldType.STRING)): SparseColumn(
                every, values
            )
            for name, values in columns.items()
        },
    )


def _encoded(block: ColumnBlock) -> EncodedSegment:
    origin = SegmentOrigin(_DATASET, "log", 0, False, 1, 2)
    return encode_segment(block, origin, _ENCODERS)


class _Shares:
    """Exchanges of a question with one share."""

    def __init__(self, view: DatasetView, databases: Databases) -> None:
        self._view, self._databases = view, databases
        self._plan: Plan | None = None
        self.coverage: dict[str, Any] = {}
        self.notes: list[str] = []
        self.types: dict[str, str] = {}

    def left_s(self) -> float:
        return 3_600.0

    async def work(self, work: Callable[[], Any]) -> Any:
        return work()

    async def first(self, make_plan: Any, work: Callable[[Any], Any]) -> Any:
        self._plan = make_plan(at_least={}, wait_ms=0, log="")
        return work([self._share(self._plan)])

    async def again(self, change: Callable[[Plan], Plan], work: Callable[[Any], Any]) -> Any:
        assert self._plan is not None
        return work([self._share(change(self._plan))])

    def _share(self, plan: Plan) -> Any:
        return Computation(plan, [self._view], self._databases).run().states


class _Every:
    """Chooses these fields."""

    def __init__(self, names: list[str]) -> None:
        self._names = tuple(names)

    async def fields(self, wanted: DifferencesRequest, within_s: float) -> ChosenFields:
        return ChosenFields(self._names)


def _segments(folder: Path, rows: int, fields: int, seed: int) -> Iterator[SegmentView]:
    random = np.random.default_rng(seed)
    for first in range(0, rows, _SEGMENT_ROWS):
        some = min(_SEGMENT_ROWS, rows - first)
        block = _block(_columns(random, some, fields), some, first)
        made = _encoded(block)
        path = folder / f"{made.object_hash}.parquet"
        path.write_bytes(made.data)
        info = made.info
        yield SegmentView(
            path, made.object_hash, info.rows, info.first_offset, info.end_offset,
            info.time_min_ns, info.time_max_ns, frozenset(block.columns), frozenset(),
        )  # fmt: skip


def _taken(work: Callable[[], Any]) -> tuple[float, float]:
    """(seconds of the clock, of processors) that it takes."""
    clock, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - used


def measure_differences(
    folder: Path, rows: int, fields: int, rounds: int, seed: int, console: Console
) -> None:
    """Print the times of differences and of DuckDB, and their ratios."""
    segments = list(_segments(folder, rows, fields, seed))
    view = DatasetView(0, "log", rows, 0, tuple(segments), ())
    databases = Databases(DatabaseLimits(512, 2), 1, folder, folder / "spill")
    names = sorted({key.field for one in segments for key in one.columns})
    body = {
        "query": {"start_time": _START_S, "end_time": _START_S + 10**6},
        "selection": _SLOW,
    }
    wanted = read_differences_request(body, _DATASET, 0)
    files = str([str(one.path) for one in segments])
    columns = [f'"{key.physical}"' for key in sorted(segments[0].columns)]
    scan = f"FROM read_parquet({files})"
    top = f"SELECT {', '.join(f'approx_top_k({one}, 20)' for one in columns)} {scan}"
    summarize = f"SUMMARIZE SELECT {', '.join(columns)} {scan}"
    peers = duckdb.connect(config={"threads": 2})

    def ours() -> None:
        steps = cast(Steps, _Shares(view, databases))
        found = asyncio.run(find_differences(wanted, _Every(names), steps))
        assert found.sides.inside.stored + found.sides.outside.stored == rows

    for number in range(rounds):
        mine = _taken(ours)
        for name, sql in (("approx_top_k", top), ("SUMMARIZE", summarize)):
            theirs = _taken(partial(peers.execute, sql))
            console.print(
                f"round {number}: {fields} fields of {rows:,} rows: differences {mine[0]:.2f} s "
                f"({mine[1]:.2f} s of processors), {name} {theirs[0]:.2f} s ({theirs[1]:.2f} s): "
                f"{mine[0] / theirs[0]:.2f} x clock, {mine[1] / theirs[1]:.2f} x processors",
                highlight=False,
            )
    databases.close()


def measure_facts(folder: Path, fields: int, rounds: int, seed: int, console: Console) -> None:
    """Print how long a list of fields and a completion take, the first time and later."""
    random = np.random.default_rng(seed)
    cache = SegmentCache(DirectoryObjects(folder / "objects"), folder / "segments", 2**40)
    held, entries = HeldSummaries(), list[SegmentEntry]()
    for number in range(_WIDE_SEGMENTS):
        rows, first = _WIDE_ROWS, number * _WIDE_ROWS
        block = _block(_columns(random, rows, fields), rows, first)
        made = _encoded(block)
        file = folder / "made"
        file.write_bytes(made.data)
        cache.adopt(made.object_hash, file)
        data = summarize_rows(block, made.object_hash, _ENCODERS)
        held.add(SegmentSummary.decode(data, made.object_hash), number)
        entries.append(_entry(made))
    epoch = Epoch(
        partition=0, number=1, log="log", first_offset=0, predecessor=None, gap=None, reason="",
        writer="", zone="", opened_ns=0,
    )  # fmt: skip
    view = PartitionView(epoch, LiveRows(0), 0).with_segments(entries)
    partitions = {0: cast(PartitionReader, SimpleNamespace(view=view))}
    listing = FieldFactsListing(partitions, held, cache, SelectedEncoders())

    def listed() -> None:
        page = listing.page(FieldFactsRequest(_DATASET, (0,)))
        sent = msgspec.msgpack.decode(msgspec.msgpack.encode(page), type=FieldFactsPage)
        shown = [stored(one, sent.covered[0].rows, 10, ColumnMetadata()) for one in sent.fields]
        assert len(msgspec.json.encode(shown)) > fields

    def completed() -> None:
        asked = FieldFactsRequest(_DATASET, (0,), name="field0005", prefix="VALUE-1")
        assert listing.values(asked).fields[0].values

    found = len(listing.page(FieldFactsRequest(_DATASET, (0,), size=10_000)).fields)
    listing = FieldFactsListing(partitions, held, cache, SelectedEncoders())
    for name, work in (("list of fields", listed), ("completion of a value", completed)):
        first_s = _taken(work)[0]
        later = sorted(_taken(work)[0] for _ in range(max(rounds, 5)))
        console.print(
            f"{name}, {fields:,} fields ({found:,} told) in {_WIDE_SEGMENTS} segments: "
            f"{first_s * 1e3:.1f} ms the first time, {later[len(later) // 2] * 1e3:.1f} ms later",
            highlight=False,
        )


def _entry(made: EncodedSegment) -> SegmentEntry:
    info = made.info
    return SegmentEntry(
        team="t", env="e", dataset=_DATASET, epoch_number=1, rows=info.rows,
        time_min_ns=info.time_min_ns, time_max_ns=info.time_max_ns,
        append_min_ns=info.append_min_ns, append_max_ns=info.append_max_ns,
        first_offset=info.first_offset, end_offset=info.end_offset, object=made.object_hash,
        size_bytes=len(made.data), digest=info.digest, far=False,
    )  # fmt: skip


@click.command()
@click.option("--rows", default=1_000_000, show_default=True)
@click.option("--fields", default=200, show_default=True)
@click.option("--wide", default=2_000, show_default=True, help="Fields of the list.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--seed", default=7, show_default=True)
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="For data.")
def main(rows: int, fields: int, wide: int, rounds: int, seed: int, folder: Path | None) -> None:
    """Compare differences with DuckDB's summaries of the same files, and time lists of fields."""
    console = Console(width=200)
    console.print(one_line(describe_machine()), highlight=False)
    root = Path(tempfile.mkdtemp(prefix="differences-", dir=folder))
    try:
        measure_differences(root, rows, fields, rounds, seed, console)
        measure_facts(root, wide, rounds, seed, console)
    finally:
        shutil.rmtree(root, ignore_errors=True)
