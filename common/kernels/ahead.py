"""Compiling a kernel ahead of its use, into a folder where any process finds it.

The folder of a compilation is named after all that decides whether numba will take what is in it
(else a role would compile while it serves): the sources, where they are and when they were
written, the versions that made it, and the processor.

numba runs whatever machine code it finds there. So the digests of all files are written down when
all is compiled; before a role loads anything, the compiling process compares them. What is damaged
goes, and is compiled anew. A folder that is whole is only read.
"""

import fcntl
import hashlib
import importlib
import json
import os
import pickle
import platform
import shutil
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

import llvmlite
import llvmlite.binding as llvm
import numba
import numpy as np
import pyarrow as pa
from numba.core import config

from common.kernels.locator import KernelFolder

_EXIT_UNWANTED = 1  # nobody is left to hear about it
_PRIORITY = 10  # steps down, while others serve
_DONE = "compiled.json"  # digests of all files, by their path within the folder
_LOCK = "lock"
_CODE = ".nbc"  # numba's machine code; ".nbi" is its index


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
    if is_whole(place):
        return
    place.mkdir(parents=True, exist_ok=True)
    with (place / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # freed when the process ends, however it ends
        if is_whole(place):  # made by another process meanwhile
            return
        if _damaged(place):
            _clear(place)
        try:
            kernel.compile_all(Path(folder))
        except (OSError, ValueError, EOFError, pickle.UnpicklingError):  # an index is damaged
            _clear(place)
            kernel.compile_all(Path(folder))
        made = place / f"{_DONE}.new"
        made.write_text(json.dumps(_digests(place)))
        made.rename(place / _DONE)


def is_whole(place: Path) -> bool:
    """Whether every file of a compilation is there as it was written."""
    written = _written(place)
    return bool(written) and written.items() <= _digests(place).items()


def _damaged(place: Path) -> bool:
    """Whether machine code is not what was compiled. An index may have got further entries."""
    code = {name: digest for name, digest in _written(place).items() if name.endswith(_CODE)}
    return not code.items() <= _digests(place).items()


def _written(place: Path) -> dict[str, str]:
    """Digests as they were when all was compiled; none if it never was, or that file is damaged."""
    try:
        return dict(json.loads((place / _DONE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return {}


def _digests(place: Path) -> dict[str, str]:
    return {
        str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(place.rglob("*.nb?"))
    }


def _clear(place: Path) -> None:
    for path in place.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != _LOCK:
            path.unlink()


def use_cache(folder: Path, sources: Sequence[ModuleType]) -> None:
    """Have compiled code kept in this folder. Call before a module of the sources is imported."""
    vars(config)["CACHE_DIR"] = str(versioned(folder, sources))
    vars(config)["CACHE_LOCATOR_CLASSES"] = f"{KernelFolder.__module__}.{KernelFolder.__name__}"


def versioned(folder: Path, sources: Sequence[ModuleType]) -> Path:
    """Where the code of these sources, these versions and this processor is kept."""
    hasher = hashlib.sha256()
    versions = (numba.__version__, llvmlite.__version__, np.__version__, pa.__version__)
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
