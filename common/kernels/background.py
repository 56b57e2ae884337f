"""A kernel made ready while the reference serves: compiled, loaded, tried, or said why not (I3).

Compiling takes seconds of a core, so it runs in a process of its own, at low priority, into a
folder where the next start finds it. A role then loads it in a thread and tries it against the
reference before it serves. Whatever goes wrong is said, and the reference goes on serving: the
results are the same, only slower.
"""

import asyncio
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from common.errors import BellwetherError
from common.logs import say

_COMPILE = (
    "import sys; sys.path[:] = sys.argv[3:]; "
    "from common.kernels.ahead import compile_while_wanted; "
    "compile_while_wanted(sys.argv[1], sys.argv[2])"
)
_REASON_CHARS = 400  # of what the compiling process said last
T = TypeVar("T")
logger = logging.getLogger(__name__)


class KernelUnavailable(BellwetherError):
    """A compiled kernel cannot be used here; the text says why."""


async def prepare(what: str, folder: Path, module: str, load: Callable[[Path], T]) -> T | None:
    """The kernel of this module, compiled in `folder` and loaded; None, loudly, where it cannot be.

    what: how operators know it. load: gives the kernel once it is proved; it runs in a thread.
    """
    try:
        await _compile_in_process(folder, module)
        kernel = await asyncio.to_thread(_load, folder, load)
    except KernelUnavailable as error:
        say(
            logger,
            logging.ERROR,
            f"the compiled {what} cannot be used; the reference goes on, several times slower",
            why=str(error),
        )
        return None
    say(logger, logging.INFO, f"the compiled {what} is active", cache=str(folder))
    return kernel


async def _compile_in_process(folder: Path, module: str) -> None:
    """Raises KernelUnavailable. A cancelled call ends the process, and so does our own end."""
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _COMPILE, str(folder), module, *sys.path),
            stdin=asyncio.subprocess.PIPE,  # it ends when this pipe does, so when we are killed
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise KernelUnavailable(f"no process to compile in: {error}") from error
    try:
        said = await _read_all(process)
        await process.wait()
    except asyncio.CancelledError:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    if process.returncode != 0:
        text = said.decode(errors="replace").strip()
        why = f"compiling ended with {process.returncode}: {text[-_REASON_CHARS:]}"
        raise KernelUnavailable(why)


async def _read_all(process: asyncio.subprocess.Process) -> bytes:
    """What it wrote to standard error; `communicate` would also close its standard input."""
    return b"" if process.stderr is None else await process.stderr.read()


def _load(folder: Path, load: Callable[[Path], T]) -> T:
    """Blocks for a second. Raises KernelUnavailable."""
    try:
        return load(folder)
    except Exception as error:
        raise KernelUnavailable(f"{type(error).__name__}: {error}") from error
