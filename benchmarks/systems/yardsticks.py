"""Physical yardsticks: what the same bytes cost at the least, done by well-known libraries."""

from benchmarks.systems.base import Group, Prepared, make_durable, record_lines
from benchmarks.systems.parquet_peer import missing
from benchmarks.systems.stages import Stage, Step

_ZSTD_LEVEL = 1  # as records have


def copy(prepared: Prepared) -> Step:
    """All lines from one place in memory to another."""
    import numpy as np

    source = np.frombuffer(prepared.lines.read_bytes(), np.uint8)
    target = np.empty_like(source)

    def step() -> int:
        np.copyto(target, source)
        return prepared.events

    return step


def compress(prepared: Prepared) -> Step:
    """Lines of records through zstd, one frame per record."""
    import zstandard

    values = list(record_lines(prepared))

    def step() -> int:
        for value in values:
            zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True).compress(value)
        return prepared.events

    return step


def tape(prepared: Prepared) -> Step:
    """simdjson's tape over the lines: everything is found and checked, no Python object is made.

    A record's lines are made one array beforehand, since each call of the parser costs a
    microsecond; the package has no stream of documents.
    """
    import simdjson

    lines = prepared.lines.read_bytes().splitlines()
    size = prepared.body_events
    documents = [b"[%b]" % b",".join(lines[at : at + size]) for at in range(0, len(lines), size)]
    parser = simdjson.Parser()

    def step() -> int:
        return sum(len(parser.parse(document)) for document in documents)

    return step


def write_parquet(prepared: Prepared) -> Step:
    """The columns of our own segments, as Arrow in memory, to Parquet files with zstd; fsynced."""
    import pyarrow.parquet as pq

    from benchmarks.systems.bellwether import Bellwether

    whole = Bellwether()
    whole.prepare(prepared)
    whole.run()
    paths = sorted((prepared.folder / "segments").glob("*.parquet"))
    tables = [pq.read_table(path) for path in paths]
    target = prepared.folder / "plain.parquet"

    def step() -> int:
        for table in tables:
            pq.write_table(table, target, compression="zstd", compression_level=_ZSTD_LEVEL)
            make_durable(target)
        return sum(table.num_rows for table in tables)

    return step


class Tape(Stage):
    """The one yardstick that is a package of its own."""

    def available(self) -> str:
        """As `System.available`."""
        return missing("pysimdjson", "simdjson")


def all_yardsticks() -> list[Stage]:
    """From the least work to the most."""
    group = Group.YARDSTICKS
    return [
        Stage("memory copy", "numpy, over all lines", copy, group),
        Stage("zstd", f"level {_ZSTD_LEVEL}, with checksum, of each record", compress, group),
        Tape("simdjson tape", "finds and checks everything, makes no objects", tape, group),
        Stage("Parquet writer", "pyarrow's defaults with zstd level 1", write_parquet, group),
    ]
