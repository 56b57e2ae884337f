"""Prepares a kernel while the reference serves: compiles, loads and tests it (I3).

Compiling takes seconds of a core, so it runs in a process of its own, at low priority, into a
folder that the next start reuses without such a process, which would import all that the role does
(a CPU second for each kernel). A role loads the code in a thread and tests it against the reference
before it serves. Any error is logged, and the reference continues to serve: with the same results,
only slower.
"""

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from common.errors import BellwetherError
from common.kernels.folder import has_any
from common.logs import log_event

_COMPILE = (
    "import sys; sys.path[:] = sys.argv[3:]; "
    "from common.kernels.precompile import compile_while_wanted; "
    "compile_while_wanted(sys.argv[1], sys.argv[2])"
)
_REASON_CHARS = 400  # of what the compiling process wrote last
T = TypeVar("T")
# numba has one cache folder for the whole process, and each kernel sets it before it is imported:
# the roles of one process load theirs one after the other.
_loading = threading.Lock()
logger = logging.getLogger(__name__)


class KernelUnavailable(BellwetherError):
    """A compiled kernel cannot be used here; the text has the reason."""


async def is_compiled(folder: Path, module: str) -> bool:
    """Whether the kernel of this module is in the cache, whole: loading it compiles nothing.

    A cache that cannot be read is logged and counts as empty: compiling anew meets the same fault.
    """
    try:
        return await asyncio.to_thread(_is_compiled, folder, module)
    except KernelUnavailable as error:
        text = "the cache of compiled code cannot be looked at; compiling anew"
        log_event(logger, logging.WARNING, text, cache=str(folder), why=str(error))
        return False


async def prepare(what: str, folder: Path, module: str, load: Callable[[Path], T]) -> T | None:
    """The kernel of this module, compiled in `folder` and loaded. None where it cannot be: logged.

    what: its name in the log. load: gives the kernel once it is proved; it runs in a thread.
    """
    if not await is_compiled(folder, module):
        try:
            await _compile_in_process(folder, module)
        except KernelUnavailable as error:
            _log_unavailable(what, error)
            return None
    return await load_compiled(what, folder, load)


def _is_compiled(folder: Path, module: str) -> bool:
    """Blocks for some tenths of a second, if there is anything. Raises KernelUnavailable.

    numba is imported only if it has compiled something here before, in a process that ended well.
    """
    try:
        if not has_any(folder):
            return False
        from common.kernels import precompile  # numba: only where it is wanted, never on the loop

        return precompile.is_compiled(folder, module)
    except Exception as error:
        raise KernelUnavailable(f"{type(error).__name__}: {error}") from error


async def load_compiled(what: str, folder: Path, load: Callable[[Path], T]) -> T | None:
    """The result of `load` from cached code. Logs the reason and returns None if it fails."""
    try:
        kernel = await asyncio.to_thread(_load, folder, load)
    except KernelUnavailable as error:
        _log_unavailable(what, error)
        return None
    log_event(logger, logging.INFO, f"the compiled {what} is active", cache=str(folder))
    return kernel


def _log_unavailable(what: str, error: KernelUnavailable) -> None:
    log_event(
        logger,
        logging.ERROR,
        f"the compiled {what} cannot be used; the reference goes on, several times slower",
        why=str(error),
    )


async def _compile_in_process(folder: Path, module: str) -> None:
    """Raises KernelUnavailable. The process ends with ours, and when this call is cancelled."""
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _COMPILE, str(folder), module, *sys.path),
            stdin=asyncio.subprocess.PIPE,  # it ends with this pipe, also when we are killed
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise KernelUnavailable(f"no process to compile in: {error}") from error
    try:
        written = await _read_all(process)
        await process.wait()
    except asyncio.CancelledError:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    if process.returncode != 0:
        text = written.decode(errors="replace").strip()
        why = f"compiling ended with {process.returncode}: {text[-_REASON_CHARS:]}"
        raise KernelUnavailable(why)


async def _read_all(process: asyncio.subprocess.Process) -> bytes:
    """What it wrote to standard error; `communicate` would also close its standard input."""
    return b"" if process.stderr is None else await process.stderr.read()


def _load(folder: Path, load: Callable[[Path], T]) -> T:
    """Blocks for a second. Raises KernelUnavailable."""
    try:
        with _loading:
            return load(folder)
    except Exception as error:
        raise KernelUnavailable(f"{type(error).__name__}: {error}") from error
