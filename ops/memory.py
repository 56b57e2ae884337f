"""How much memory the processes of this machine use, as Linux tells it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_OURS = b"bellwether"


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """The memory of one process.

    resident_bytes: all pages that are in memory, also those that other processes share.
    proportional_bytes: the same with each shared page divided among those that share it; these add
    up to what the processes really take.
    """

    pid: int
    resident_bytes: int
    proportional_bytes: int


def read_memory(pid: int, proc: Path = _PROC) -> ProcessMemory | None:
    """The memory of a process of Bellwether; None where it is not ours or the system is silent."""
    try:
        if _OURS not in (proc / str(pid) / "cmdline").read_bytes():
            return None  # another machine's process id, or one that was given out anew
        text = (proc / str(pid) / "smaps_rollup").read_text("ascii")
    except OSError:
        return None
    fields = {line.split()[0]: line.split()[1] for line in text.splitlines()[1:] if line}
    try:
        return ProcessMemory(pid, int(fields["Rss:"]) * 1024, int(fields["Pss:"]) * 1024)
    except (KeyError, ValueError):
        return None


def with_supervisors(pids: Iterable[int], proc: Path = _PROC) -> list[int]:
    """These processes and the `up` that started them, each once."""
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
