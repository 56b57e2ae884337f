"""What the operating system says about running processes: CPU seconds and resident memory."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """One process: CPU seconds since its start (user and system) and resident bytes now."""

    cpu_s: float
    rss_bytes: int


def usage(pid: int) -> Usage:
    """Read /proc (Linux). Raises FileNotFoundError if the process is gone."""
    stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return Usage((int(stat[11]) + int(stat[12])) / _TICKS_PER_S, pages * _PAGE_BYTES)


def machine() -> str:
    """One line: CPU model, cores, memory, kernel."""
    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = next(
        (line.split(":", 1)[1].strip() for line in cpuinfo.splitlines() if "model name" in line),
        "unknown CPU",
    )
    memory_gib = os.sysconf("SC_PHYS_PAGES") * _PAGE_BYTES / 2**30
    kernel = os.uname()
    return (
        f"{model}, {os.cpu_count()} cores, {memory_gib:.0f} GiB, {kernel.sysname} {kernel.release}"
    )


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
