"""What a run found, as it is kept in JSON."""

from pathlib import Path
from statistics import median

import msgspec
import numpy as np

FORMAT = 1


class Sampled(msgspec.Struct, frozen=True):
    """One answer. ns: nanoseconds. read_bytes: by system calls, from the page cache too."""

    clock_ns: int
    cpu_ns: int
    read_bytes: int


class Measured(msgspec.Struct, frozen=True):
    """An engine and a question. problem: why it has no figures: it failed, or differs.

    estimates: it was allowed to estimate, as the answer it is compared with does.
    """

    question: str
    engine: str
    samples: list[Sampled] = []
    problem: str = ""
    estimates: bool = False

    def clock_ms(self, percent: float = 50) -> float:
        """A percentile of the clock."""
        return float(np.percentile([one.clock_ns for one in self.samples], percent)) / 1e6

    def cpu_ms(self) -> float:
        """The median."""
        return median(one.cpu_ns for one in self.samples) / 1e6

    def read_mb(self) -> float:
        """The median."""
        return median(one.read_bytes for one in self.samples) / 1e6


class AtOnce(msgspec.Struct, frozen=True):
    """One kind of question, asked by several at once. waits_ns: of each question."""

    question: str
    engine: str
    askers: int
    waits_ns: list[int]
    cpu_ns: int
    clock_ns: int

    def wait_ms(self, percent: float = 50) -> float:
        """A percentile."""
        return float(np.percentile(self.waits_ns, percent)) / 1e6

    def cpu_ms(self) -> float:
        """CPU of one question."""
        return self.cpu_ns / len(self.waits_ns) / 1e6

    def per_s(self) -> float:
        """Questions answered in a second."""
        return len(self.waits_ns) / (self.clock_ns / 1e9)


class Memory(msgspec.Struct, frozen=True):
    """Peak of resident memory of an engine's processes over all questions of a case.

    idle_ms_per_s: CPU that they use while nobody asks; it is part of every question's CPU.
    """

    engine: str
    peak_bytes: int
    idle_ms_per_s: float = 0.0

    @property
    def text(self) -> str:
        """In words."""
        return (
            f"{self.engine} {self.peak_bytes / 2**20:,.0f} MiB, "
            f"idle {self.idle_ms_per_s:.1f} ms of CPU per s"
        )


class Layout(msgspec.Struct, frozen=True):
    """The rows of a case, how they are stored, and how they are asked about."""

    kind: str
    rows: int
    users: int
    columns: int
    pieces: int
    live: int
    partitions: int
    indexers: int
    threads: int
    cold: bool


class Case(msgspec.Struct, frozen=True):
    """The same rows in one layout, asked of every engine in one run.

    files, bytes: of the segments. compacted: whether Bellwether compacts.
    """

    layout: Layout
    files: int
    bytes: int
    results: list[Measured]
    at_once: list[AtOnce] = []
    memory: list[Memory] = []
    compacted: bool = False

    def find(self, question: str, engine: str) -> Measured | None:
        """The result, if it has figures."""
        for one in self.results:
            if (one.question, one.engine) == (question, engine) and one.samples:
                return one
        return None

    @property
    def name(self) -> str:
        """In one line."""
        asked, made = self.layout, "by size" if not self.layout.pieces else "pieces"
        parts = [f"{asked.rows:,} {asked.kind}", f"{self.files:,} files ({made})"]
        parts += [f"{asked.live:,} rows live"] * bool(asked.live)
        parts += [f"{asked.columns:,} columns"] * bool(asked.columns)
        parts += [f"{asked.users:,} users"] * (asked.kind == "spans")
        parts += [f"{asked.partitions} partitions"] * (asked.partitions > 1)
        parts += [f"{asked.indexers} indexers"] * (asked.indexers > 1)
        parts += ["cold files"] * asked.cold + ["compacted"] * self.compacted
        return ", ".join(parts)


class QueriesRun(msgspec.Struct, frozen=True):
    """Cases that were measured one after the other on one machine."""

    format: int
    taken: str
    seed: int
    machine: dict[str, object]
    versions: dict[str, str]
    other: str
    cases: list[Case]


def write_queries(run: QueriesRun, path: Path) -> None:
    """Replace the file at once."""
    made = path.with_suffix(".new")
    made.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=1) + b"\n")
    made.replace(path)


def read_queries(path: Path) -> QueriesRun:
    """Read what `write_queries` wrote. Raises ValueError."""
    run = msgspec.json.decode(path.read_bytes(), type=QueriesRun)
    if run.format != FORMAT:
        raise ValueError(f"{path} has format {run.format}; this program reads {FORMAT}")
    return run
