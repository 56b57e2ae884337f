"""CPU seconds per million events, stage by stage: `python -m benchmarks.shred [--events N]`.

The reference, the compiled shredder and DuckDB's `read_json` to Parquet on the same events in the
same run, interleaved; medians of process CPU time, as other work on the machine changes it least.
DuckDB does less: no digest, no page checksums, no log offsets, no hash of the file, no fsync.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import duckdb
import orjson
import pyarrow as pa

from benchmarks.processes import machine
from common.columns import ColumnBlock, concat
from common.columns.digest import block_digest
from common.columns.segment import SegmentOrigin
from common.columns.segment_write import EncodedSegment, encode_segment
from common.record import Kind, Record, compress_value, decompress_value
from indexer.batch import Accepted, index_batch
from indexer.live import LiveRows
from indexer.shred.ahead import load
from indexer.shred.interface import Shredder, ShredInput
from indexer.shred.reference import ReferenceShredder
from tests.generate import START_NS, wide_lines

SEEDS = (3, 5)
SHRED_ROWS = 8_192  # as the indexer's setting
RECORD_EVENTS = 1_000
ORIGIN = SegmentOrigin("d", "e", 0, False, START_NS, START_NS)


def records_of(lines: Sequence[bytes]) -> list[ShredInput]:
    """Records of some events each, as a busy shepherd writes them."""
    return [
        ShredInput(at // RECORD_EVENTS, START_NS, 0, b"".join(lines[at : at + RECORD_EVENTS]))
        for at in range(0, len(lines), RECORD_EVENTS)
    ]


def shred_all(shredder: Shredder, records: Sequence[ShredInput]) -> list[ColumnBlock]:
    """Blocks of as many rows as an indexer makes of a backlog."""
    step = SHRED_ROWS // RECORD_EVENTS
    return [shredder.shred(records[at : at + step]).block for at in range(0, len(records), step)]


def accepted(records: Sequence[ShredInput]) -> list[Accepted]:
    """The records as they are in the log."""
    return [
        Accepted(
            one.offset,
            one.append_ns,
            Record(Kind.EVENTS, compress_value(one.lines), bytes(16), "t", "e", "d", RECORD_EVENTS),
        )
        for one in records
    ]


def to_segment(shredder: Shredder, batch: Sequence[Accepted]) -> EncodedSegment:
    """The whole path: values of the log to the bytes of a segment, digest included."""
    live = LiveRows(0)
    step = SHRED_ROWS // RECORD_EVENTS
    for at in range(0, len(batch), step):
        some = batch[at : at + step]
        live = index_batch(shredder, live, some, some[-1].offset + 1, frozenset()).live
    return encode_segment(concat(live.blocks("d")), ORIGIN)


def to_duckdb(connection: duckdb.DuckDBPyConnection, source: Path, target: Path) -> int:
    """The same events as flat JSON lines to Parquet with zstd; returns the file's size."""
    connection.execute(
        f"COPY (SELECT * FROM read_json('{source}', format='newline_delimited')) "
        f"TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
    )
    return target.stat().st_size


def flat(line: bytes) -> bytes:
    """A line of a record as one flat object, for DuckDB."""
    parsed = orjson.loads(line)
    return orjson.dumps({"_time": parsed["t"], "_rate": parsed["r"], **parsed["d"]})


def measure(
    stages: dict[str, Callable[[], object]], events: int, rounds: int
) -> dict[str, list[float]]:
    """CPU seconds per million events of each stage, interleaved; the first round only warms up."""
    found: dict[str, list[float]] = {name: [] for name in stages}
    for number in range(rounds + 1):
        for name, stage in stages.items():
            began = time.process_time()
            stage()
            used = time.process_time() - began
            if number:
                found[name].append(used / events * 1e6)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=131_072)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    pa.set_cpu_count(1)
    lines = list(wide_lines(options.events))
    records = records_of(lines)
    batch = accepted(records)
    reference = ReferenceShredder()
    with tempfile.TemporaryDirectory() as folder:
        kernel = load(Path(folder) / "kernel", SEEDS, lambda _: None)
        source, target = Path(folder) / "events.ndjson", Path(folder) / "events.parquet"
        source.write_bytes(b"\n".join(map(flat, lines)) + b"\n")
        connection = duckdb.connect(config={"threads": 1})
        block = concat(shred_all(kernel, records))
        stages: dict[str, Callable[[], object]] = {
            "decompress records": lambda: [decompress_value(one.record.value) for one in batch],
            "columns: reference": lambda: shred_all(reference, records[: len(records) // 8]),
            "columns: kernel": lambda: shred_all(kernel, records),
            "digest": lambda: block_digest(block),
            "segment of columns (with digest)": lambda: encode_segment(block, ORIGIN),
            "records to segment: kernel": lambda: to_segment(kernel, batch),
            "DuckDB read_json to Parquet": lambda: to_duckdb(connection, source, target),
        }
        found = measure(stages, options.events, options.rounds)
        found["columns: reference"] = [8 * one for one in found["columns: reference"]]
        sizes = (encode_segment(block, ORIGIN).data.size, to_duckdb(connection, source, target))
    print(machine())
    print(" ".join(f"{name} {version(name)}" for name in ("numba", "pyarrow", "duckdb")))
    print(f"{options.events} events of {sum(map(len, lines)) / len(lines):.0f} bytes\n")
    peer = statistics.median(found["DuckDB read_json to Parquet"])
    print(f"{'stage':34} {'CPU-s/M':>8} {'spread':>13} {'events/s':>10} {'DuckDB /':>9}")
    for name, took in found.items():
        middle = statistics.median(took)
        spread = f"{min(took):.2f}-{max(took):.2f}"
        print(f"{name:34} {middle:8.2f} {spread:>13} {1e6 / middle:10,.0f} {peer / middle:9.2f}")
    print(f"\nbytes per event: segment {sizes[0] / options.events:.1f}, ", end="")
    print(f"DuckDB {sizes[1] / options.events:.1f}")


if __name__ == "__main__":
    main()
