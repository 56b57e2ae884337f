"""What an ingest protocol is to the shepherd: a folder with a decoder and a response writer.

`shepherd.wiring.PROTOCOLS` lists the protocols; nothing else of the shepherd knows one.
"""

import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from common.clock import Clock
from common.process.auth import KeyCache
from shepherd.accept import AcceptParts
from shepherd.config import ShepherdConfig
from shepherd.http.request import IngestRoute


@dataclass(frozen=True, slots=True)
class ProtocolParts:
    """What a protocol is made of."""

    accept: AcceptParts
    keys: KeyCache
    clock: Clock
    config: ShepherdConfig
    folder: Path  # of the role, for what a protocol keeps on disk


class ProtocolListener(typing.Protocol):
    """A listener of a protocol's own, beside the public port."""

    async def drain(self, timeout_s: float) -> None:
        """Take no new requests, wait for those that are being answered, then close the rest."""


class IngestProtocol:
    """Base of the protocols. Only `routes` has to be given; the other parts do nothing here."""

    routes: Sequence[IngestRoute] = ()
    browser_headers: Sequence[str] = ()  # of requests that pages in browsers may send
    other_paths: Sequence[str] = ()  # that `add_routes` serves

    def add_routes(self, app: web.Application) -> None:
        """Serve what the protocol answers besides its routes for events."""

    async def prepare(self) -> None:
        """What may take long after the start, while requests are taken already."""

    async def listen(self) -> ProtocolListener | None:
        """Start a listener of the protocol's own. It is drained with the public port."""
        return None

    def status(self) -> Mapping[str, object]:
        """What `GET /internal/placement` shows of the protocol."""
        return {}


MakeProtocol = Callable[[ProtocolParts], IngestProtocol]
