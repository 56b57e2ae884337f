"""The shredder that serves: the reference first, the compiled one as soon as it is ready (I3)."""

from collections.abc import Sequence
from pathlib import Path

from common.kernels.background import prepare
from common.metrics import kernel_active, kernel_events_handed_total
from indexer.shred.interface import Accepted, Shredded, Shredder, ShredInput
from indexer.shred.reference import ReferenceShredder

Seeds = tuple[int, int]


class ActiveShredder:
    """Delegates to the implementation that is active; changing it changes no result."""

    def __init__(self) -> None:
        self._active: Shredder = ReferenceShredder()
        kernel_active.labels("shredder").set(0)

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

    async def activate_kernel(self, folder: Path, seeds: Seeds) -> None:
        """Have the kernel compiled in `folder`, try it, and serve with it from then on."""

        def load(folder: Path) -> Shredder:
            from indexer.shred import ahead  # numba: only where it is wanted, never on the loop

            return ahead.load(folder, seeds, kernel_events_handed_total.inc)

        kernel = await prepare("shredder", folder, "indexer.shred.ahead", load)
        if kernel is not None:
            self._active = kernel
            kernel_active.labels("shredder").set(1)
