"""What is measured: a system is given the same bytes as every other, and writes them durably.

Modules of systems import their peer inside of the methods, never at the top: a peer that is not
installed is named with how to get it, and the others are measured. Each system runs in a process
of its own with one thread for each library (`benchmarks.harness.worker`), unless its settings say
more.
"""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from benchmarks.harness.results import Along

Keys = tuple[str, ...]  # what leads to a field of a line, one key per level


class Group(StrEnum):
    """What a measurement belongs to in the report; only those of one group do the same job."""

    FILES = "records or lines to a durable columnar file"
    STAGES = "our stages apart"
    YARDSTICKS = "physical yardsticks"
    END_TO_END = "end to end through running servers"
    GROWTH = "cost as work grows"


@dataclass(frozen=True, slots=True)
class Checks:
    """Fields of a workload that every system must give back: two of numbers, one of text."""

    numbers: tuple[Keys, Keys]
    text: Keys


@dataclass(frozen=True, slots=True)
class Prepared:
    """One workload's input, made once and read by every system.

    lines: a file of JSON lines, the client's objects with `_time` (unix ns) and `_rate` in front.
    envelopes: a file of the same events as lines of a record, as the shepherd writes them.
    folder: empty, of this system alone; cache: kept over runs (compiled code, downloads).
    events, text_bytes: of `lines`. body_events: in one body or record. depth: of unpacking.
    """

    workload: str
    lines: Path
    envelopes: Path
    folder: Path
    cache: Path
    events: int
    text_bytes: int
    body_events: int
    depth: int
    checks: Checks


@dataclass(frozen=True, slots=True)
class Written:
    """What a system says it has written, read back from what it wrote.

    numbers: sums of the two fields; text_bytes: UTF-8 bytes of the text field's values. None
    where a stage has nothing to read back. stored_bytes: on disk, everything that is needed to
    ask again; 0 where nothing is stored.
    """

    rows: int
    numbers: tuple[float, float] | None = None
    text_bytes: int | None = None
    stored_bytes: int = 0

    def differs_from(self, truth: "Written") -> str:
        """What is wrong, or nothing."""
        found = []
        if self.rows != truth.rows:
            found.append(f"{self.rows} rows of {truth.rows}")
        for mine, right in zip(self.numbers or (), truth.numbers or (), strict=False):
            if not math.isclose(mine, right, rel_tol=1e-9, abs_tol=1e-6):
                found.append(f"a sum is {mine!r}, not {right!r}")
        if self.text_bytes not in (None, truth.text_bytes):
            found.append(f"{self.text_bytes} bytes of text, not {truth.text_bytes}")
        return "; ".join(found)


class System(Protocol):
    """Something that is measured. A new one is made in its own process for each workload."""

    @property
    def name(self) -> str:
        """How the report calls it: `duckdb`, `chdb (typed)`."""

    @property
    def group(self) -> Group:
        """Which others do the same job."""

    @property
    def note(self) -> str:
        """What it does less or more than ours: types, durability, schema inference, fsync."""

    def settings(self) -> Mapping[str, object]:
        """Everything that was set, versions too: printed and recorded. Called when available."""

    def available(self) -> str:
        """Empty, or why it cannot run here and how to get it."""

    def prepare(self, prepared: Prepared) -> None:
        """Imports, connections, compiled code, inputs in memory. Not timed."""

    def run(self) -> None:
        """The job, timed. Called several times; each call begins from nothing."""

    def written(self) -> Written:
        """What the last call of `run` wrote, read back. Not timed."""


@runtime_checkable
class Served(Protocol):
    """What a system has more whose work is done by servers: each repetition has its own.

    So none of them idles while others are measured, and each repetition is checked.
    """

    def reset(self) -> None:
        """Start servers that hold nothing, and wait until they are ready. Not timed."""

    def processes(self) -> Sequence[int]:
        """Whose CPU time and memory count, with what they started; not the client that sends."""

    def finish(self) -> Mapping[str, float]:
        """Check what they hold and stop them. Not timed; returns further figures."""


@runtime_checkable
class Grows(Protocol):
    """What a system has more that stands in a row of ones that differ in one number alone."""

    @property
    def along(self) -> Along:
        """In which direction, and where."""


def envelope_lines(prepared: Prepared) -> list[bytes]:
    """The lines of the records, each with its line break."""
    return prepared.envelopes.read_bytes().splitlines(keepends=True)


def record_lines(prepared: Prepared) -> Iterator[bytes]:
    """Values of records before compression: as many lines as a body has events."""
    lines = envelope_lines(prepared)
    for at in range(0, len(lines), prepared.body_events):
        yield b"".join(lines[at : at + prepared.body_events])


def bodies(prepared: Prepared) -> Iterator[bytes]:
    """JSON bodies of `/1/batch/{dataset}` with the events' times and rates."""
    lines = envelope_lines(prepared)
    for at in range(0, len(lines), prepared.body_events):
        yield b"[" + b",".join(map(_member, lines[at : at + prepared.body_events])) + b"]"


def _member(line: bytes) -> bytes:
    """`{"t":1,"r":2,"d":{...}}` of a record as a member of a batch body."""
    time, rate, data = line[:-2].split(b",", 2)
    return b'{"time":%b,"samplerate":%b,"data":%b}' % (time[5:], rate[4:], data[4:])


def make_durable(path: Path) -> None:
    """fsync a file, or every file below a folder, and the folders that name them."""
    paths = [path, *path.rglob("*")] if path.is_dir() else [path]
    for one in [*paths, path.parent]:
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
