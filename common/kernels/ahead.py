"""Compiling a kernel ahead of its use, into a folder where any process finds it.

The folder of a compilation is named after the kernel's sources and the versions that made it, so
neither a new version of ours nor one of numba's can ever meet old machine code (numba itself only
looks at the file of the function that is called, and at the processor).
"""

import fcntl
import hashlib
import importlib
import os
import platform
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

import llvmlite
import numba
import numpy as np
import pyarrow as pa
from numba.core import config

_EXIT_UNWANTED = 1  # nobody is left to hear about it
_PRIORITY = 10  # steps down, while others serve
_DONE = "compiled"


class Kernel(Protocol):
    """A module that can be compiled ahead."""

    SOURCES: Sequence[ModuleType]

    def compile_all(self, folder: Path) -> None:
        """Have everything compiled that serving will call. Raises."""


def compile_while_wanted(folder: str, module: str) -> None:
    """Compile as a process of its own, which ends when its standard input does. Raises."""
    threading.Thread(target=_end_with_input, daemon=True).start()
    compile_into(folder, module)


def _end_with_input() -> None:
    while os.read(sys.stdin.fileno(), 1):
        continue
    os._exit(_EXIT_UNWANTED)


def compile_into(folder: str, module: str) -> None:
    """Compile a kernel into the folder, once for all processes that share it. Raises."""
    os.nice(_PRIORITY)
    kernel = cast(Kernel, importlib.import_module(module))
    place = versioned(Path(folder), kernel.SOURCES)
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # freed when the process ends, however it ends
        if not (place / _DONE).exists():
            kernel.compile_all(Path(folder))
            (place / _DONE).touch()


def use_cache(folder: Path, sources: Sequence[ModuleType]) -> None:
    """Have compiled code kept in this folder. Call before a module of the sources is imported."""
    vars(config)["CACHE_DIR"] = str(versioned(folder, sources))


def versioned(folder: Path, sources: Sequence[ModuleType]) -> Path:
    """Where the code of these sources, these versions and this kind of machine is kept."""
    hasher = hashlib.sha256()
    versions = (numba.__version__, llvmlite.__version__, np.__version__, pa.__version__)
    hasher.update(repr((*versions, platform.python_version(), platform.machine())).encode())
    for package in sources:
        for source in sorted(Path(package.__path__[0]).glob("*.py")):
            hasher.update(source.name.encode() + source.read_bytes())
    return folder / f"kernel-{hasher.hexdigest()[:16]}"
