"""What a run found, as it is kept in JSON."""

from statistics import median

import msgspec
import numpy as np


class Sampled(msgspec.Struct, frozen=True):
    """One answer. ns: nanoseconds."""

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


class Memory(msgspec.Struct, frozen=True):
    """Peak of resident memory of an engine's processes over all questions of a case."""

    engine: str
    peak_bytes: int


class Case(msgspec.Struct, frozen=True):
    """The same rows in the same layout, asked of every engine in one run."""

    name: str
    rows: int
    pieces: int
    partitions: int
    threads: int
    files: int
    bytes: int
    results: list[Measured]
    memory: list[Memory] = []

    def find(self, question: str, engine: str) -> Measured | None:
        """The result, if it has figures."""
        for one in self.results:
            if (one.question, one.engine) == (question, engine) and one.samples:
                return one
        return None
