"""OTLP as the shepherd registers it."""

from collections.abc import Coroutine, Mapping
from pathlib import Path

from common.tasks import run_together
from shepherd.ingest.protocol import IngestProtocol, ProtocolListener, ProtocolParts
from shepherd.otlp.decode.selected import SelectedDecoder
from shepherd.otlp.grpc.exports import Exports
from shepherd.otlp.grpc.start import start_listener
from shepherd.otlp.ingest import OtlpIngest
from shepherd.otlp.json.selected import SelectedTranscoder
from shepherd.otlp.metrics.facts_queue import FactsQueue
from shepherd.otlp.routes import HttpRoutes


class OtlpProtocol(IngestProtocol):
    """`/v1/traces`, `/v1/logs` and `/v1/metrics`; over gRPC on a port of its own."""

    def __init__(self, parts: ProtocolParts) -> None:
        config = parts.config
        self._decoder = SelectedDecoder(config.string_bytes_max)
        self._transcoder = SelectedTranscoder()
        self._facts = FactsQueue(parts.metadata, parts.clock)
        ingest = OtlpIngest(self._decoder, self._transcoder, self._facts)
        self.routes = HttpRoutes(parts.accept, parts.keys, ingest).routes
        self._config = config
        in_flight_bytes_max = parts.config.in_flight_bytes_max
        self._exports = Exports(parts.accept, parts.keys, ingest, in_flight_bytes_max)
        self._grpc_address: str | None = None
        self._seeds = parts.random.getrandbits(63), parts.random.getrandbits(63)
        self._kernel_folder: Path | None = None
        if config.kernel:
            self._kernel_folder = Path(config.kernel_cache or parts.folder / "kernel")

    async def prepare(self) -> None:
        """Compile decoder and transcoder, then serve with the compiled ones. Bring facts of
        columns to metadata until the role drains.
        """
        tasks: list[Coroutine[None, None, None]] = [self._facts.run()]
        if self._kernel_folder is not None:
            tasks.append(self._use_compiled(self._kernel_folder))
        await run_together(*tasks)

    async def _use_compiled(self, folder: Path) -> None:
        await self._decoder.use_compiled(folder, self._seeds)
        await self._transcoder.use_compiled(folder)

    async def listen(self) -> ProtocolListener | None:
        """As `IngestProtocol.listen`: gRPC's, if the settings have a port for it."""
        listener = await start_listener(self._exports, self._config)
        self._grpc_address = None if listener is None else listener.address
        return listener

    def status(self) -> Mapping[str, object]:
        """The names of what serves, and where gRPC is listened for."""
        return {
            "otlp_decoder": self._decoder.name,
            "otlp_transcoder": self._transcoder.name,
            "otlp_grpc": self._grpc_address,
        }
