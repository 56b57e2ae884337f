"""The decoder that serves: first the reference, then the compiled one once it is tested."""

from pathlib import Path

from common import limits
from common.kernels.selected import Selected
from common.metrics import kernel_events_handed_total
from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import DecodedRequest, Decoder, OtlpBody
from shepherd.otlp.decode.reference.decoder import ReferenceDecoder


class SelectedDecoder:
    """Delegates to the selected implementation. All implementations give the same results."""

    def __init__(self, string_max: int = limits.STRING_BYTES_MAX) -> None:
        self._string_max = string_max
        reference: Decoder = ReferenceDecoder(string_max)
        module = "shepherd.otlp.decode.load_compiled"
        self._selected = Selected("otlp decoder", reference, module)

    @property
    def name(self) -> str:
        """The name of the selected implementation."""
        return self._selected.now.name

    def decode(self, body: OtlpBody, work: Work) -> DecodedRequest:
        """As `Decoder.decode`."""
        return self._selected.now.decode(body, work)

    async def use_compiled(self, folder: Path, seeds: tuple[int, int]) -> None:
        """As `Selected.use_compiled`. seeds: as those of the compiled decoder."""
        counted = kernel_events_handed_total.inc
        await self._selected.use_compiled(folder, seeds, counted, self._string_max)
