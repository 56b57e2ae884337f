"""Compiling the kernel ahead of its use, and loading what was compiled.

The folder of a compilation is named after the kernel's sources and the versions that made it, so
neither a new version of ours nor one of numba's can ever meet old machine code (numba itself only
looks at the file of the function that is called, and at the processor).
"""

import fcntl
import hashlib
import os
import platform
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import llvmlite
import numba
import numpy as np
import pyarrow as pa
from numba.core import config

import common.scan.kernel
import indexer.shred.kernel
from common.columns.digest import block_digest
from indexer.shred.interface import Shredded, Shredder, ShredInput
from indexer.shred.reference import ReferenceShredder

_EXIT_UNWANTED = 1  # nobody is left to hear about it
_PRIORITY = 10  # steps down, while others serve
_DONE = "compiled"
_TRIAL = (
    b'{"t":1700000000000000000,"r":1,"d":{"a":1,"b":"x","c":[1, 2],"d":true,"e":null}}\n'
    b'{"t":-5,"r":10,"d":{"a":-2.5,"b":"\xc3\xa9\\n\\ud83d\\ude00","o":{"p":{"q":1e22}},"a":7}}\n'
    b'{"t":0,"r":3,"d":{"b":"y","a":0.1234567890123456789e-5,"f\\u0041":123456789012345678901}}\n'
    b'{"t":0,"r":3,"d": { "a" : 1.7976931348623157e308 , "o" : { "p" : [ { } , "]" ] } } }\n'
)
_TRIAL_BAD = b'{"t":1,"r":1,"d":{"a":01}}\n'


def compile_while_wanted(folder: str) -> None:
    """Compile as a process of its own, which ends when its standard input does. Raises."""
    threading.Thread(target=_end_with_input, daemon=True).start()
    compile_into(folder)


def _end_with_input() -> None:
    while os.read(sys.stdin.fileno(), 1):
        continue
    os._exit(_EXIT_UNWANTED)


def compile_into(folder: str) -> None:
    """Compile everything into the folder, once for all processes that share it. Raises."""
    os.nice(_PRIORITY)
    place = _versioned(Path(folder))
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # freed when the process ends, however it ends
        if not (place / _DONE).exists():
            load(Path(folder), (1, 2), lambda _: None)
            (place / _DONE).touch()


def load(folder: Path, seeds: tuple[int, int], handed_over: Callable[[int], None]) -> Shredder:
    """The compiled shredder, after it has given what the reference gives. Raises."""
    use_cache(folder)
    from indexer.shred.kernel.shredder import KernelShredder

    kernel = KernelShredder(seeds, handed_over=handed_over)
    records = [ShredInput(at, 5, at % 3, _TRIAL) for at in range(4)]
    records.append(ShredInput(4, 5, 0, _TRIAL_BAD))
    if _told(kernel.shred(records)) != _told(ReferenceShredder.exact().shred(records)):
        raise RuntimeError("the compiled shredder differs from the reference on its trial records")
    return kernel


def use_cache(folder: Path) -> None:
    """Have compiled code kept in this folder. Call before a module of the kernel is imported."""
    vars(config)["CACHE_DIR"] = str(_versioned(folder))


def _told(shredded: Shredded) -> tuple[object, ...]:
    return block_digest(shredded.block), list(shredded.block.columns), shredded.set_aside


def _versioned(folder: Path) -> Path:
    """Where the code of these sources, these versions and this kind of machine is kept."""
    hasher = hashlib.sha256()
    versions = (numba.__version__, llvmlite.__version__, np.__version__, pa.__version__)
    hasher.update(repr((*versions, platform.python_version(), platform.machine())).encode())
    for package in (common.scan.kernel, indexer.shred.kernel):
        for source in sorted(Path(package.__path__[0]).glob("*.py")):
            hasher.update(source.name.encode() + source.read_bytes())
    return folder / f"kernel-{hasher.hexdigest()[:16]}"
