"""The memory that processes of this machine use, as Linux reports it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_OURS = b"bellwether"


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """The memory of one process.

    resident_bytes: all pages that are in memory, including those that other processes share.
    proportional_bytes: the same with each shared page divided among the processes that share it.
    Their sum over all processes is the memory in use.
    """

    pid: int
    resident_bytes: int
    proportional_bytes: int


def read_memory(pid: int, proc: Path = _PROC) -> ProcessMemory | None:
    """The memory of a process of Bellwether; None: it is not ours, or the system has no figures."""
    try:
        if _OURS not in (proc / str(pid) / "cmdline").read_bytes():
            return None  # the process id is of another machine, or was reused
        text = (proc / str(pid) / "smaps_rollup").read_text("ascii")
    except OSError:
        return None
    fields = {line.split()[0]: line.split()[1] for line in text.splitlines()[1:] if line}
    try:
        return ProcessMemory(pid, int(fields["Rss:"]) * 1024, int(fields["Pss:"]) * 1024)
    except (KeyError, ValueError):
        return None


def with_supervisors(pids: Iterable[int], proc: Path = _PROC) -> list[int]:
    """The ids of these processes and of the `up` that started them, each once."""
    found: dict[int, None] = {}
    for pid in pids:
        found.setdefault(pid)
        parent = _parent(pid, proc)
        if parent > 1 and read_memory(parent, proc) is not None:
            found.setdefault(parent)
    return list(found)


def _parent(pid: int, proc: Path) -> int:
    try:
        return int((proc / str(pid) / "stat").read_text("ascii").rpartition(")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return 0
