"""OTLP as the shepherd registers it."""

from collections.abc import Mapping

from shepherd.ingest.protocol import IngestProtocol, ProtocolParts
from shepherd.otlp.decode.interface import Decoder
from shepherd.otlp.decode.reference.decoder import ReferenceDecoder
from shepherd.otlp.ingest import OtlpIngest
from shepherd.otlp.routes import HttpRoutes


class OtlpProtocol(IngestProtocol):
    """`/v1/traces`, `/v1/logs` and `/v1/metrics`."""

    def __init__(self, parts: ProtocolParts) -> None:
        self._decoder: Decoder = ReferenceDecoder(parts.config.string_bytes_max)
        ingest = OtlpIngest(self._decoder)
        self.routes = HttpRoutes(parts.accept, parts.keys, ingest).routes

    def status(self) -> Mapping[str, object]:
        """The name of the decoder that serves."""
        return {"otlp_decoder": self._decoder.name}
