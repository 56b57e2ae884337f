"""Cost as work grows: more cores, more datasets in one log, more partitions for one indexer."""

import multiprocessing
import os
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import msgspec

from benchmarks.harness.results import Along
from benchmarks.systems.base import Group, Prepared, System, Written
from benchmarks.systems.bellwether import (
    Bellwether,
    Kernels,
    accepted_records,
    load_kernels,
    read_segments,
    seal_records,
)
from benchmarks.systems.http_ingest import HttpToSealed
from indexer.shred import Accepted
from segment.columns.segment import SegmentFile, segment_name

_DATASETS = (10, 100, 1_000, 10_000)
_PARTITIONS = (1, 4, 16, 64)


class ManyDatasets(Bellwether):
    """Events in turn of so many datasets; a record is of one dataset, so records shrink too."""

    group = Group.GROWTH

    def __init__(self, datasets: int) -> None:
        note = "records to sealed segments, of which the small ones of a cut are one fsynced file"
        super().__init__(f"{datasets:,} datasets in one log", note)
        self.along = Along("datasets in one log", datasets)
        self._datasets = datasets
        self._files: list[SegmentFile] = []

    def prepare(self, prepared: Prepared) -> None:
        """As `System.prepare`."""
        super().prepare(prepared)
        share = -(-prepared.events // self._datasets)
        smaller = replace(prepared, body_events=min(prepared.body_events, share))
        self._records = [
            msgspec.structs.replace(
                one, record=msgspec.structs.replace(one.record, dataset=f"d{at % self._datasets}")
            )
            for at, one in enumerate(accepted_records(smaller))
        ]

    def run(self) -> None:
        """As `System.run`."""
        if self._prepared is None or self._kernels is None:
            raise RuntimeError("not prepared")
        folder = self._prepared.folder / "segments"
        self._files = seal_records(self._kernels, self._records, folder, packing=True)

    def written(self) -> Written:
        """As `System.written`."""
        if self._prepared is None:
            raise RuntimeError("not prepared")
        folder = self._prepared.folder / "taken out"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for file in self._files:
            with file.path.open("rb") as whole:
                whole.seek(file.pack_offset)
                (folder / segment_name(file.object_hash)).write_bytes(whole.read(file.size_bytes))
        return read_segments(self._prepared, sorted(folder.glob("*.parquet")))


class Threads:
    """The records dealt out to threads of one process, which share the shredder."""

    group = Group.GROWTH
    note = "records to sealed segments, each thread a share of them: what the one lock costs"

    def __init__(self, count: int) -> None:
        self.name = f"{count} thread{'s' if count > 1 else ''}"
        self.along = Along("threads", count)
        self._count = count
        self._prepared: Prepared | None = None
        self._kernels: Kernels | None = None
        self._shares: list[list[Accepted]] = []

    def settings(self) -> Mapping[str, object]:
        """As `System.settings`."""
        return {"threads": self._count, "cores": os.cpu_count()}

    def available(self) -> str:
        """As `System.available`."""
        return ""

    def prepare(self, prepared: Prepared) -> None:
        """As `System.prepare`."""
        self._prepared = prepared
        self._kernels = load_kernels(prepared)
        self._shares = [share_of(prepared, at, self._count) for at in range(self._count)]

    def run(self) -> None:
        """As `System.run`."""
        if self._prepared is None or self._kernels is None:
            raise RuntimeError("not prepared")
        folders = [self._prepared.folder / f"share-{at}" for at in range(self._count)]
        kernels = [self._kernels] * self._count
        with ThreadPoolExecutor(self._count) as threads:
            list(threads.map(seal_records, kernels, self._shares, folders))

    def written(self) -> Written:
        """As `System.written`."""
        return read_shares(self._prepared)


class Processes:
    """The records dealt out to processes, as several indexers on one machine."""

    group = Group.GROWTH
    note = "records to sealed segments, each process a share of them, as indexers side by side"

    def __init__(self, count: int) -> None:
        self.name = f"{count} process{'es' if count > 1 else ''}"
        self.along = Along("processes", count)
        self._count = count
        self._prepared: Prepared | None = None
        self._workers: list[tuple[BaseProcess, Connection]] = []

    def settings(self) -> Mapping[str, object]:
        """As `System.settings`."""
        return {"processes": self._count, "cores": os.cpu_count()}

    def available(self) -> str:
        """As `System.available`."""
        return ""

    def prepare(self, prepared: Prepared) -> None:
        """As `System.prepare`."""
        self._prepared = prepared
        spawning = multiprocessing.get_context("spawn")
        for at in range(self._count):
            ours, theirs = spawning.Pipe()
            arguments = (theirs, prepared, at, self._count)
            process = spawning.Process(target=_serve, args=arguments, daemon=True)
            process.start()
            theirs.close()
            self._workers.append((process, ours))
        for _, pipe in self._workers:
            pipe.recv()

    def run(self) -> None:
        """As `System.run`."""
        for _, pipe in self._workers:
            pipe.send(None)
        for _, pipe in self._workers:
            if problem := pipe.recv():
                raise RuntimeError(problem)

    def written(self) -> Written:
        """As `System.written`."""
        return read_shares(self._prepared)


class HttpToSealedOf(HttpToSealed):
    """`HttpToSealed` with one indexer for so many partitions."""

    group = Group.GROWTH

    def __init__(self, partitions: int) -> None:
        super().__init__(partitions)
        self.name = f"http to sealed, {partitions} partition{'s' if partitions > 1 else ''}"
        self.along = Along("partitions", partitions)


def share_of(prepared: Prepared, number: int, count: int) -> list[Accepted]:
    """Every `count`-th record."""
    return accepted_records(prepared)[number::count]


def read_shares(prepared: Prepared | None) -> Written:
    """What all of them wrote."""
    if prepared is None:
        raise RuntimeError("not prepared")
    return read_segments(prepared, sorted(prepared.folder.glob("share-*/*.parquet")))


def _serve(pipe: Connection, prepared: Prepared, number: int, count: int) -> None:
    """One process of `Processes`: ready, then once for every call, until the pipe is closed."""
    kernels, share = load_kernels(prepared), share_of(prepared, number, count)
    folder: Path = prepared.folder / f"share-{number}"
    pipe.send("")
    while True:
        try:
            pipe.recv()
        except EOFError:
            return
        try:
            seal_records(kernels, share, folder)
            pipe.send("")
        except Exception as error:  # noqa: BLE001 - the caller reports it
            pipe.send(f"{type(error).__name__}: {error}")


def all_growth() -> list[System]:
    """Every one of them, in the order of the report."""
    cores = os.cpu_count() or 1
    counts = [count for count in (1, 2, 4, 8, 16, 32, 64) if count < cores] + [cores]
    return [
        *(Processes(count) for count in counts),
        *(Threads(count) for count in counts),
        *(ManyDatasets(count) for count in _DATASETS),
        *(HttpToSealedOf(count) for count in _PARTITIONS),
    ]
