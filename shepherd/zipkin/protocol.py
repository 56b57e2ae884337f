"""Zipkin's protocol as the shepherd registers it."""

from shepherd.ingest.protocol import IngestProtocol, ProtocolParts
from shepherd.zipkin.routes import ZipkinIngest


class ZipkinProtocol(IngestProtocol):
    """`/api/v2/spans` and `/api/v1/spans`."""

    browser_headers = ("X-Honeycomb-Team", "X-Honeycomb-Dataset")

    def __init__(self, parts: ProtocolParts) -> None:
        ingest = ZipkinIngest(parts.accept, parts.keys, parts.config.string_bytes_max)
        self.routes = ingest.routes
