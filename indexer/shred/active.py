"""The shredder that serves: the reference first, the compiled one as soon as it is ready (I3)."""

from collections.abc import Callable, Sequence
from pathlib import Path

from common.kernels.background import is_compiled, load_compiled, prepare
from common.metrics import kernel_active, kernel_events_handed_total
from indexer.shred.interface import Accepted, Shredded, Shredder, ShredInput
from indexer.shred.reference import ReferenceShredder

Seeds = tuple[int, int]
_WHAT = "shredder"
_MODULE = "indexer.shred.load_compiled"


class ActiveShredder:
    """Delegates to the implementation that is active; changing it changes no result."""

    def __init__(self) -> None:
        self._active: Shredder = ReferenceShredder()
        kernel_active.labels(_WHAT).set(0)

    @property
    def name(self) -> str:
        """Which implementation is active."""
        return self._active.name

    def shred(self, records: Sequence[ShredInput]) -> Shredded:
        """As `Shredder.shred`."""
        return self._active.shred(records)

    def shred_values(self, records: Sequence[Accepted]) -> Shredded:
        """As `Shredder.shred_values`."""
        return self._active.shred_values(records)

    def give_back(self) -> None:
        """As `Shredder.give_back`."""
        self._active.give_back()

    async def load_cached(self, folder: Path, seeds: Seeds) -> bool:
        """Serve with the kernel if it was compiled before. Returns whether it was.

        If it was and yet cannot be used, that is said, and the reference goes on.
        """
        if not await is_compiled(folder, _MODULE):
            return False
        self._serve(await load_compiled(_WHAT, folder, _loading(seeds)))
        return True

    async def activate_kernel(self, folder: Path, seeds: Seeds) -> None:
        """Have the kernel compiled in `folder`, try it, and serve with it from then on."""
        self._serve(await prepare(_WHAT, folder, _MODULE, _loading(seeds)))

    def _serve(self, kernel: Shredder | None) -> None:
        if kernel is not None:
            self._active = kernel
            kernel_active.labels(_WHAT).set(1)


def _loading(seeds: Seeds) -> Callable[[Path], Shredder]:
    def load(folder: Path) -> Shredder:
        from indexer.shred import (
            load_compiled as ahead,  # numba: only where it is wanted, never on the loop
        )

        return ahead.load(folder, seeds, kernel_events_handed_total.inc)

    return load
