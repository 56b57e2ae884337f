"""The transcoder that serves: first the reference, then the compiled one once it is tested."""

from pathlib import Path

from common.kernels.selected import Selected
from common.metrics import kernel_events_handed_total
from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import Signal
from shepherd.otlp.json.interface import Transcoder
from shepherd.otlp.json.transcode import ReferenceTranscoder


class SelectedTranscoder:
    """Delegates to the selected implementation. All implementations give the same results."""

    def __init__(self) -> None:
        reference: Transcoder = ReferenceTranscoder()
        self._selected = Selected("transcoder", reference, "shepherd.otlp.json.load_compiled")

    @property
    def name(self) -> str:
        """The name of the selected implementation."""
        return self._selected.now.name

    def to_protobuf(self, signal: Signal, text: bytes, work: Work) -> bytes:
        """As `Transcoder.to_protobuf`."""
        return self._selected.now.to_protobuf(signal, text, work)

    async def use_compiled(self, folder: Path) -> None:
        """As `Selected.use_compiled`."""
        await self._selected.use_compiled(folder, kernel_events_handed_total.inc)
