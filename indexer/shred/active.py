"""The shredder that serves: the reference first, the compiled one as soon as it is ready (I3).

Compiling takes ten seconds or more of a core, so it runs in a process of its own, at low priority,
into a folder where the next start finds it. A role then loads it in a thread and tries it against
the reference before it serves. Whatever goes wrong is said, and the reference goes on serving: the
results are the same, only slower.
"""

import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from common.errors import BellwetherError
from common.logs import say
from common.metrics import kernel_active, kernel_events_handed_total
from indexer.shred.interface import Shredded, Shredder, ShredInput
from indexer.shred.reference import ReferenceShredder

_COMPILE = (
    "import sys; sys.path[:] = sys.argv[2:]; "
    "from indexer.shred.ahead import compile_while_wanted; compile_while_wanted(sys.argv[1])"
)
_REASON_CHARS = 400  # of what the compiling process said last
Seeds = tuple[int, int]
Load = Callable[[Path, Seeds, Callable[[int], None]], Shredder]
logger = logging.getLogger(__name__)


class KernelUnavailable(BellwetherError):
    """The compiled shredder cannot be used here; the text says why."""


class ActiveShredder:
    """Delegates to the implementation that is active; changing it changes no result."""

    def __init__(self) -> None:
        self._active: Shredder = ReferenceShredder()
        kernel_active.set(0)

    @property
    def name(self) -> str:
        """Which implementation is active."""
        return self._active.name

    def shred(self, records: Sequence[ShredInput]) -> Shredded:
        """As `Shredder.shred`."""
        return self._active.shred(records)

    async def activate_kernel(self, folder: Path, seeds: Seeds) -> None:
        """Have the kernel compiled in `folder`, try it, and serve with it from then on."""
        try:
            await _compile_in_process(folder)
            kernel = await asyncio.to_thread(_load, folder, seeds)
        except KernelUnavailable as error:
            say(
                logger,
                logging.ERROR,
                "the compiled shredder cannot be used; the reference goes on, several times slower",
                why=str(error),
            )
            return
        self._active = kernel
        kernel_active.set(1)
        say(logger, logging.INFO, "the compiled shredder is active", cache=str(folder))


async def _compile_in_process(folder: Path) -> None:
    """Raises KernelUnavailable. A cancelled call ends the process, and so does our own end."""
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _COMPILE, str(folder), *sys.path),
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


def _load(folder: Path, seeds: Seeds) -> Shredder:
    """Blocks for a second. Raises KernelUnavailable."""
    try:
        from indexer.shred.ahead import load  # numba: only where it is wanted, never on the loop

        return load(folder, seeds, kernel_events_handed_total.inc)
    except Exception as error:
        raise KernelUnavailable(f"{type(error).__name__}: {error}") from error
