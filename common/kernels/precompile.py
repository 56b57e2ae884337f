"""Compiles a kernel before its use, into a folder that any process can load it from.

The folder of a compilation is named after everything that decides whether numba accepts its content
(otherwise a role would compile while it serves): the sources, their paths and modification times,
the versions of the compiler, and the processor.

A folder that is whole is only read. One that is damaged is emptied and compiled anew.
"""

import fcntl
import hashlib
import importlib
import os
import pickle
import platform
import sys
import threading
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

import llvmlite
import llvmlite.binding as llvm
import numba
import numpy as np
from numba.core import config

from common.kernels.folder import LOCK, clear, is_damaged, is_whole, save_digests
from common.kernels.numba_cache_locator import KernelFolder

_EXIT_UNWANTED = 1  # the process that wanted the code has ended
_ARROW = metadata.version("pyarrow")  # without importing it: a splitter does not need it
_PRIORITY = 10  # steps down, while others serve


class Kernel(Protocol):
    """The module of a kernel, as it is compiled."""

    SOURCES: Sequence[ModuleType]

    def compile_all(self, folder: Path) -> None:
        """Compile every function that serving calls. Raises any error of the compiler."""


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
    compiled = versioned(Path(folder), kernel.SOURCES)
    if is_whole(compiled):
        return
    compiled.mkdir(parents=True, exist_ok=True)
    with (compiled / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # freed when the process ends, however it ends
        if is_whole(compiled):  # made by another process meanwhile
            return
        if is_damaged(compiled):
            clear(compiled)
        try:
            kernel.compile_all(Path(folder))
        except (OSError, ValueError, EOFError, pickle.UnpicklingError):  # an index is damaged
            clear(compiled)
            kernel.compile_all(Path(folder))
        save_digests(compiled)


def is_compiled(folder: Path, module: str) -> bool:
    """Whether a kernel is in the folder, whole, so that loading it compiles nothing. Raises."""
    kernel = cast(Kernel, importlib.import_module(module))
    return is_whole(versioned(folder, kernel.SOURCES))


def use_cache(folder: Path, sources: Sequence[ModuleType]) -> None:
    """Keep compiled code in this folder. Call it before importing a module of the sources."""
    vars(config)["CACHE_DIR"] = str(versioned(folder, sources))
    vars(config)["CACHE_LOCATOR_CLASSES"] = f"{KernelFolder.__module__}.{KernelFolder.__name__}"


def versioned(folder: Path, sources: Sequence[ModuleType]) -> Path:
    """Where the code of these sources, these versions and this processor is kept."""
    hasher = hashlib.sha256()
    versions = (numba.__version__, llvmlite.__version__, np.__version__, _ARROW)
    processor = (
        platform.machine(),
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
    )
    hasher.update(repr((*versions, platform.python_version(), *processor)).encode())
    for package in sources:
        for source in sorted(Path(package.__path__[0]).glob("*.py")):
            written = source.stat().st_mtime_ns  # numba looks at it too
            hasher.update(repr((str(source), written)).encode() + source.read_bytes())
    return folder / f"kernel-{hasher.hexdigest()[:16]}"
