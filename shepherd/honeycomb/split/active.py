"""The splitter that serves: the reference first, the compiled one as soon as it is ready."""

from pathlib import Path

from common import limits
from common.kernels.background import prepare
from common.metrics import kernel_active, kernel_events_handed_total
from common.scan.work import Work
from shepherd.honeycomb.split.interface import Split, Splitter
from shepherd.honeycomb.split.reference import ReferenceSplitter
from shepherd.http.body import Media


class ActiveSplitter:
    """Delegates to the implementation that is active; changing it changes no result."""

    def __init__(self, string_max: int = limits.STRING_BYTES_MAX) -> None:
        self._string_max = string_max
        self._active: Splitter = ReferenceSplitter(string_max)
        kernel_active.labels("splitter").set(0)

    @property
    def name(self) -> str:
        """Which implementation is active."""
        return self._active.name

    def split(
        self, body: bytes, media: Media, depth: int, arrival_ns: int, work: Work | None = None
    ) -> Split:
        """As `Splitter.split`."""
        return self._active.split(body, media, depth, arrival_ns, work)

    def split_quickly(self, body: bytes, media: Media, depth: int, arrival_ns: int) -> Split | None:
        """As `Splitter.split_quickly`."""
        return self._active.split_quickly(body, media, depth, arrival_ns)

    async def activate_kernel(self, folder: Path) -> None:
        """Have the kernel compiled in `folder`, try it, and serve with it from then on."""

        def load(folder: Path) -> Splitter:
            # numba: only where it is wanted, never on the loop
            from shepherd.honeycomb.split import load_compiled

            return load_compiled.load(folder, kernel_events_handed_total.inc, self._string_max)

        kernel = await prepare("splitter", folder, "shepherd.honeycomb.split.load_compiled", load)
        if kernel is not None:
            self._active = kernel
            kernel_active.labels("splitter").set(1)
