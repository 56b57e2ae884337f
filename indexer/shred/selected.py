"""The shredder in use: the reference first, the compiled one once it is proved equal (I3)."""

from collections.abc import Sequence
from pathlib import Path

from common.kernels.selected import Selected
from common.metrics import kernel_events_handed_total
from indexer.shred.interface import Accepted, Shredded, Shredder, ShredInput
from indexer.shred.reference import ReferenceShredder

Seeds = tuple[int, int]


class SelectedShredder:
    """Delegates to the implementation that is selected; changing it changes no result."""

    def __init__(self) -> None:
        reference: Shredder = ReferenceShredder()
        self._selected = Selected("shredder", reference, "indexer.shred.load_compiled")

    @property
    def name(self) -> str:
        """Name of the selected implementation."""
        return self._selected.now.name

    def shred(self, records: Sequence[ShredInput]) -> Shredded:
        """As `Shredder.shred`."""
        return self._selected.now.shred(records)

    def shred_values(self, records: Sequence[Accepted]) -> Shredded:
        """As `Shredder.shred_values`."""
        return self._selected.now.shred_values(records)

    def give_back(self) -> None:
        """As `Shredder.give_back`."""
        self._selected.now.give_back()

    async def load_cached(self, folder: Path, seeds: Seeds) -> bool:
        """As `Selected.load_cached`."""
        return await self._selected.load_cached(folder, seeds, kernel_events_handed_total.inc)

    async def use_compiled(self, folder: Path, seeds: Seeds) -> None:
        """As `Selected.use_compiled`."""
        await self._selected.use_compiled(folder, seeds, kernel_events_handed_total.inc)
