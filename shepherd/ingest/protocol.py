"""The base class of ingest protocols. A protocol is a folder with a decoder and response writer.

`shepherd.wiring.PROTOCOLS` lists the protocols; the rest of the shepherd depends on none of them.
"""

import random
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from common.clock import Clock
from common.metadata import Metadata
from common.process.auth import KeyCache
from shepherd.config import ShepherdConfig
from shepherd.http.request import IngestRoute
from shepherd.ingest.accept import AcceptParts


@dataclass(frozen=True, slots=True)
class ProtocolParts:
    """The parts of the shepherd from which a protocol is built."""

    accept: AcceptParts
    keys: KeyCache
    metadata: Metadata
    clock: Clock
    config: ShepherdConfig
    folder: Path  # of the role, for what a protocol keeps on disk
    random: random.Random


class ProtocolListener(typing.Protocol):
    """A listener that a protocol opens in addition to the public port."""

    async def drain(self, timeout_s: float) -> None:
        """Take no new requests, wait for those that are being answered, then close the rest."""


class IngestProtocol:
    """Base of the protocols. A protocol has to implement `routes`; all else has a default."""

    routes: Sequence[IngestRoute] = ()
    browser_headers: Sequence[str] = ()  # of requests that pages in browsers may send
    other_paths: Sequence[str] = ()  # that `add_routes` serves

    def add_routes(self, app: web.Application) -> None:
        """Add the protocol's routes other than those for events."""

    async def prepare(self) -> None:
        """Slow preparation, and work in the background: it runs after the start, while requests are
        already served, and is cancelled when the role drains.
        """

    async def listen(self) -> ProtocolListener | None:
        """Start a listener of the protocol's own. It is drained with the public port."""
        return None

    def status(self) -> Mapping[str, object]:
        """The protocol's part of `GET /internal/placement`."""
        return {}


MakeProtocol = Callable[[ProtocolParts], IngestProtocol]
