"""Ours: records as they are in the log to the sealed segments of their cuts, as an indexer does.

Decompression, shredding, live rows, the cut at its limits, sorting out far rows, columns, Parquet,
digest, the file's hash, fsync and rename. Left out: reading the log, and publishing.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from benchmarks.systems.base import Group, Prepared, Written, record_lines
from common import limits
from common.model.record import Kind, Record
from common.model.record_value import compress_value, decoded_bytes
from common.process.machine.memory import keep_freed_pages
from indexer.config import IndexerConfig
from indexer.partition.index_batch import index_batch
from indexer.seal.segment_files import seal_all
from indexer.shred.interface import Accepted, Shredder
from indexer.shred.load_compiled import load
from indexer.state.live_rows import CutRows, LiveRows
from segment.columns.key import ColumnKey, FieldType
from segment.columns.segment import SegmentFile
from segment.parquet import load_compiled as load_writer
from segment.parquet.encoders import Encoders

SEEDS = (3, 5)  # of the kernel's hash: any two
DATASET = "benchmark"


def accepted_records(prepared: Prepared) -> list[Accepted]:
    """The events as records in the log, one per body."""
    found = []
    for offset, lines in enumerate(record_lines(prepared)):
        record = Record(
            Kind.EVENTS,
            compress_value(lines),
            bytes(16),
            "team",
            "env",
            DATASET,
            lines.count(b"\n"),
            prepared.depth,
        )
        found.append(Accepted(offset, first_time_ns(lines), record))
    return found


def first_time_ns(lines: bytes) -> int:
    """A record is appended when its first event happens."""
    return int(lines[5 : lines.index(b",")])


def load_kernel(prepared: Prepared) -> Shredder:
    """The compiled shredder from the cache, compiled if it is not there."""
    return _load_kernel(prepared.cache / "kernel")


class Kernels(NamedTuple):
    """Compiled code."""

    shredder: Shredder
    encoders: Encoders


def load_kernels(prepared: Prepared) -> Kernels:
    """Everything compiled that records need on their way to segments."""
    return Kernels(load_kernel(prepared), load_encoders(prepared))


def load_encoders(prepared: Prepared) -> Encoders:
    """The compiled part of the segment writer, as `load_kernel`."""
    return _load_encoders(prepared.cache / "kernel")


@cache
def _load_encoders(folder: Path) -> Encoders:
    return load_writer.load(folder)


@cache
def _load_kernel(folder: Path) -> Shredder:
    return load(folder, SEEDS, lambda _: None)


def cuts(shredder: Shredder, records: Sequence[Accepted]) -> Iterator[tuple[CutRows, ...]]:
    """Rows of the records, shredded in the indexer's steps, at each of the format's limits."""
    step_rows = IndexerConfig().shred_rows
    live, batch = LiveRows(0), list[Accepted]()
    batch_rows = cut_rows = cut_bytes = 0
    for one in records:
        batch.append(one)
        batch_rows += one.record.n
        cut_rows += one.record.n
        cut_bytes += decoded_bytes(one.record.value)
        is_last = one is records[-1]
        is_cut = cut_rows >= limits.CUT_ROWS_MAX_V1 or cut_bytes >= limits.CUT_BYTES_MAX_V1
        if is_cut or is_last or batch_rows >= step_rows:
            live = index_batch(shredder, live, batch, one.offset + 1, frozenset()).live
            batch, batch_rows = [], 0
        if is_cut or is_last:
            yield live.cut().sealing[-1].cuts
            live, cut_rows, cut_bytes = LiveRows(one.offset + 1), 0, 0


def seal_records(
    kernels: Kernels, records: Sequence[Accepted], folder: Path, *, packing: bool = False
) -> list[SegmentFile]:
    """Seal every cut of the records into the folder, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return [
        file
        for cut in cuts(kernels.shredder, records)
        for file in seal_all(
            cut,
            epoch="epoch",
            partition=0,
            folder=folder,
            encoders=kernels.encoders,
            packing=packing,
        )
    ]


class Bellwether:
    """Records to sealed segments in one thread. A second one under another name shows the noise."""

    group = Group.FILES

    def __init__(self, name: str = "bellwether", note: str = "") -> None:
        self.name = name
        self.note = note or (
            "reads compressed records, checks every event, keeps the order of the log; writes a "
            "logical digest, page checksums, a page index, offsets and the file's hash, and fsyncs"
        )
        self._prepared: Prepared | None = None
        self._kernels: Kernels | None = None
        self._records: list[Accepted] = []

    def settings(self) -> Mapping[str, object]:
        """As `System.settings`."""
        return {
            "shred_rows": IndexerConfig().shred_rows,
            "cut_rows": limits.CUT_ROWS_MAX_V1,
            "cut_bytes": limits.CUT_BYTES_MAX_V1,
            "threads": 1,
            "shredder": "kernel",
        }

    def available(self) -> str:
        """As `System.available`."""
        return ""

    def prepare(self, prepared: Prepared) -> None:
        """As `System.prepare`."""
        import pyarrow as pa

        pa.set_cpu_count(1)
        keep_freed_pages()
        self._prepared = prepared
        self._kernels = load_kernels(prepared)
        self._records = accepted_records(prepared)

    def run(self) -> None:
        """As `System.run`."""
        if self._prepared is None or self._kernels is None:
            raise RuntimeError("not prepared")
        seal_records(self._kernels, self._records, self._prepared.folder / "segments")

    def written(self) -> Written:
        """As `System.written`."""
        if self._prepared is None:
            raise RuntimeError("not prepared")
        folder = self._prepared.folder / "segments"
        return read_segments(self._prepared, sorted(folder.glob("*.parquet")))


def read_segments(prepared: Prepared, paths: Sequence[Path]) -> Written:
    """Rows, sums and sizes of segments, read by another engine than ours."""
    import duckdb

    files = f"read_parquet({[str(path) for path in paths]}, union_by_name=true)"
    with duckdb.connect() as connection:
        there = {name for name, *_ in connection.execute(f"DESCRIBE FROM {files}").fetchall()}
        sums = []
        for keys in prepared.checks.numbers:
            kinds = (FieldType.INT, FieldType.FLOAT)
            names = [ColumnKey(".".join(keys), kind).physical for kind in kinds]
            parts = [f'coalesce(sum(CAST("{one}" AS DOUBLE)), 0)' for one in names if one in there]
            sums.append(" + ".join(parts) or "0.0")
        text = ColumnKey(".".join(prepared.checks.text), FieldType.STRING).physical
        sums.append(f'coalesce(sum(strlen("{text}")), 0)' if text in there else "0")
        row = connection.execute(f"SELECT count(*), {', '.join(sums)} FROM {files}").fetchone()
    if row is None:
        raise RuntimeError("count(*) gave no row")
    stored = sum(path.stat().st_size for path in paths)
    return Written(row[0], (row[1], row[2]), int(row[3]), stored)
