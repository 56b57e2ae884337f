"""The splitter that serves: first the reference, then the compiled one once it is tested."""

from pathlib import Path

from common import limits
from common.kernels.selected import Selected
from common.metrics import kernel_events_handed_total
from common.scan.work_budget import Work
from shepherd.honeycomb.media import Media
from shepherd.honeycomb.split.interface import Splitter
from shepherd.honeycomb.split.reference import ReferenceSplitter
from shepherd.ingest.decoded_events import Decoded


class SelectedSplitter:
    """Delegates to the selected implementation. All implementations give the same results."""

    def __init__(self, string_max: int = limits.STRING_BYTES_MAX) -> None:
        self._string_max = string_max
        reference: Splitter = ReferenceSplitter(string_max)
        self._selected = Selected("splitter", reference, "shepherd.honeycomb.split.load_compiled")

    @property
    def name(self) -> str:
        """The name of the selected implementation."""
        return self._selected.now.name

    def split(
        self, body: bytes, media: Media, depth: int, arrival_ns: int, work: Work | None = None
    ) -> Decoded:
        """As `Splitter.split`."""
        return self._selected.now.split(body, media, depth, arrival_ns, work)

    def split_quickly(
        self, body: bytes, media: Media, depth: int, arrival_ns: int
    ) -> Decoded | None:
        """As `Splitter.split_quickly`."""
        return self._selected.now.split_quickly(body, media, depth, arrival_ns)

    async def use_compiled(self, folder: Path) -> None:
        """As `Selected.use_compiled`."""
        counted = kernel_events_handed_total.inc
        await self._selected.use_compiled(folder, counted, self._string_max)
