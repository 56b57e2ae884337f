"""What a run's figures depend on besides the code: the machine, its system, and versions."""

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from common.version import VERSION

_PACKAGES = (
    "numba", "llvmlite", "numpy", "pyarrow", "duckdb", "zstandard", "orjson", "msgspec",
    "chdb", "polars", "pysimdjson",
)  # fmt: skip


def describe_machine() -> dict[str, object]:
    """CPU, cores, memory, kernel, Python."""
    kernel = os.uname()
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30),
        "kernel": f"{kernel.sysname} {kernel.release} {kernel.machine}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def describe_versions() -> dict[str, str]:
    """Ours, with the commit where there is one, and those of packages that matter."""
    found = {"bellwether": VERSION}
    if commit := _commit():
        found["commit"] = commit
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def one_line(machine: Mapping[str, object]) -> str:
    """A machine in one line."""
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['kernel']}, {machine['python']}"
    )


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown CPU"
    return next((x.split(":", 1)[1].strip() for x in lines if "model name" in x), "unknown CPU")


def _commit() -> str:
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False,
        )  # fmt: skip
    except OSError:
        return ""
    return done.stdout.strip()
