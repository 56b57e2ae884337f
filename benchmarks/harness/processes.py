"""CPU seconds and resident memory of running processes, from the operating system."""

import contextlib
import os
import resource
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.results import Repetition

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """One process: CPU seconds since its start (user and system) and resident bytes now."""

    cpu_s: float
    rss_bytes: int


def usage(pid: int) -> Usage:
    """Read /proc (Linux). Raises FileNotFoundError if the process is gone."""
    stat = _stat(pid)
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return Usage((int(stat[11]) + int(stat[12])) / _TICKS_PER_S, pages * _PAGE_BYTES)


def used_s(pid: int) -> float:
    """CPU seconds of a process and of those it started, running or ended."""
    return sum(map(_with_ended_children_s, (pid, *descendants(pid))))


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


class Meter:
    """CPU and peak memory between two moments: of this process and of everything it started.

    servers: then of these processes instead, and of what they started.
    """

    def __init__(self, servers: Callable[[], Sequence[int]] | None = None) -> None:
        self._servers = servers
        self._cpu_s = 0.0

    def begin(self) -> None:
        """Start counting."""
        for pid in self._pids():
            _reset_peak(pid)
        self._cpu_s = self._others_s() + self._own_s()  # looking for others takes milliseconds

    def end(self, wall_s: float) -> Repetition:
        """What was used since `begin`."""
        cpu_s = self._own_s() + self._others_s() - self._cpu_s
        return Repetition(wall_s, cpu_s, sum(map(_peak_bytes, self._pids())))

    def _pids(self) -> list[int]:
        above = [os.getpid()] if self._servers is None else self._servers()
        return [pid for one in above for pid in (one, *descendants(one))]

    def _own_s(self) -> float:
        """CPU of this process and of what it started and has seen end."""
        if self._servers is not None:
            return 0.0
        mine = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(one.ru_utime + one.ru_stime for one in mine)

    def _others_s(self) -> float:
        """CPU of the other processes that count, as far as they run."""
        if self._servers is not None:
            return sum(map(_with_ended_children_s, self._pids()))
        used_s = 0.0
        for pid in descendants(os.getpid()):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # ended meanwhile
                used_s += _with_ended_children_s(pid)
        return used_s


def descendants(pid: int) -> list[int]:
    """Processes that this one started and that they started, running now."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                children.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def _stat(pid: int) -> list[str]:
    """What follows the command's name, which may hold anything, in the process's status."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def _with_ended_children_s(pid: int) -> float:
    return sum(map(int, _stat(pid)[11:15])) / _TICKS_PER_S


def _reset_peak(pid: int) -> None:
    with contextlib.suppress(OSError):  # where this is not allowed the peak is that of its life
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def _peak_bytes(pid: int) -> int:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
