"""What processes used between two moments: CPU in nanoseconds, bytes read, peak memory.

CPU comes from the process clock of the kernel's scheduler, which counts threads that have ended
too; `/proc/<pid>/schedstat` shows the same sum for one thread. A process that ended is missing, so
a sample is taken of processes that live on: servers, and the worker of an engine.
"""

import contextlib
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.processes import descendants

_SCHED_CLOCK = 2  # CPUCLOCK_SCHED of the kernel's process clocks


def cpu_ns(pid: int) -> int:
    """Time on a CPU of all threads of a process since its start, ended ones included."""
    return time.clock_gettime_ns((~pid << 3) | _SCHED_CLOCK)


def read_bytes(pid: int) -> int:
    """Bytes that its system calls read, from the page cache too. Mapped files are not in it."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/io").read_text().splitlines():
            if line.startswith("rchar:"):
                return int(line.split()[1])
    return 0


@dataclass(frozen=True, slots=True)
class Sample:
    """Sums over processes. clock_ns: monotonic."""

    cpu_ns: int
    read_bytes: int
    clock_ns: int


class Processes:
    """These processes and all that they started; found once, for that takes milliseconds."""

    def __init__(self, above: Sequence[int]) -> None:
        self._above = above
        self._pids: list[int] = []
        self.find()

    def find(self) -> None:
        """Look for what was started meanwhile."""
        self._pids = [pid for one in self._above for pid in (one, *descendants(one))]

    def sample(self) -> Sample:
        """Now."""
        used, read = 0, 0
        for pid in self._pids:
            with contextlib.suppress(OSError):
                used += cpu_ns(pid)
            read += read_bytes(pid)
        return Sample(used, read, time.perf_counter_ns())

    def reset_peaks(self) -> None:
        """Forget the peak of memory so far."""
        for pid in self._pids:
            with contextlib.suppress(OSError):
                Path(f"/proc/{pid}/clear_refs").write_text("5")

    def peak_bytes(self) -> int:
        """The sum of the processes' peaks of resident memory."""
        total = 0
        for pid in self._pids:
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        total += int(line.split()[1]) * 1024
        return total


def drop_from_page_cache(files: Iterable[Path]) -> None:
    """Ask the kernel to forget what it keeps of these files; what processes keep stays."""
    for path in files:
        with contextlib.suppress(OSError):
            file = os.open(path, os.O_RDONLY)
            try:
                os.fdatasync(file)
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(file)
