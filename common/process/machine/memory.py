"""Memory of a process: freed pages are used again; pages that stay unused go back to the system.

Live rows, the joined columns of a cut and decompressed records are large and short-lived. By
default both the C library and Arrow's allocator give such memory back at once, and the kernel
clears every page when it is asked for again. From records to a segment: 3.3 -> 3.0 CPU seconds per
million wide events, 110 -> 26 page faults per thousand events, resident memory no larger. `Kept`
bounds the memory that is kept (I11). It counts only pages at an arena's end; others stay between
pieces that are in use, so the process checks periodically whether it has grown, and then gives all
free pages back.
"""

import asyncio
import ctypes
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from common import limits
from common.logs import log_event
from common.metrics import given_back_bytes_total
from common.tasks import run_every

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4_096
logger = logging.getLogger(__name__)
# Parameters of glibc's mallopt(3).
_ARROW_POOL = "ARROW_DEFAULT_MEMORY_POOL"
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8


@dataclass(frozen=True, slots=True)
class Kept:
    """How much freed memory a process may keep for its next work.

    arenas: parts of the heap; threads share them.
    free_bytes: freed memory at the end of each arena that is kept.
    block_bytes: larger blocks are always given back when they are freed.
    """

    arenas: int = limits.KEPT_ARENAS_MAX
    free_bytes: int = limits.KEPT_FREE_BYTES_MAX
    block_bytes: int = limits.KEPT_BLOCK_BYTES_MAX


KEPT = Kept()
KEPT_SMALL = Kept(limits.KEPT_ARENAS_SMALL, limits.KEPT_FREE_BYTES_SMALL)


def keep_freed_pages(kept: Kept = KEPT) -> bool:
    """Apply `kept` to the whole process, Arrow included. Call it once, before any thread starts.

    False where the C library has no such setting (it is not glibc); Arrow's allocator then stays.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # TypeError: Windows has no such library
        return False
    done = (
        mallopt(_ARENA_MAX, kept.arenas),
        mallopt(_MMAP_THRESHOLD, kept.block_bytes),
        mallopt(_TRIM_THRESHOLD, kept.free_bytes),
    )
    if not all(done):
        return False
    os.environ.setdefault(_ARROW_POOL, "system")  # also for what Arrow allocates inside itself
    import pyarrow as pa  # reads that variable when it is imported

    pa.set_memory_pool(pa.system_memory_pool())
    return True


def resident_bytes() -> int | None:
    """Resident memory of this process; None where the system does not report it."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * PAGE_BYTES


class GivingBack:
    """Gives free pages back to the system: soon after the process has grown, and periodically,
    since pages that were in use the last time may be free by now.

    Parts that keep memory for their next work register with `add`.
    """

    def __init__(
        self,
        resident: Callable[[], int | None] = resident_bytes,
        trim: Callable[[], object] | None = None,
    ) -> None:
        self._parts: list[Callable[[], None]] = []
        self._resident = resident
        self._trim = _malloc_trim if trim is None else trim
        self._left: int | None = None  # real memory after the last time
        self._looks = 0  # checks since then

    def add(self, give_back: Callable[[], None]) -> None:
        """Have a part called before each check; it frees memory that it does not use.

        `give_back` is called in a thread and must not raise.
        """
        self._parts.append(give_back)

    async def run(self) -> None:
        """Until cancelled."""
        await run_every(limits.GIVE_BACK_LOOK_S, lambda: asyncio.to_thread(self.look))

    def look(self) -> None:
        """Blocks for some milliseconds, in which other threads may not allocate."""
        for give_back in self._parts:
            give_back()
        before = self._resident()
        if before is None:
            return
        self._looks += 1
        grown = self._left is None or before > self._left + limits.GIVE_BACK_GROWN_BYTES
        if not grown and self._looks < limits.GIVE_BACK_LOOKS:
            return
        self._trim()
        self._left, self._looks = self._resident() or before, 0
        freed = max(0, before - self._left)
        given_back_bytes_total.inc(freed)
        log_event(logger, logging.DEBUG, "free memory given back", bytes=freed, left=self._left)


def _malloc_trim() -> None:
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):  # not glibc
        return
