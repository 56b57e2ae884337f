"""The toy protocol as it is registered: over HTTP, and over a listener of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from common.errors import BellwetherError
from common.process.http.body_reader import Intake
from shepherd.http.body import check_encoding, decompress
from shepherd.http.key_header import authenticate
from shepherd.http.request import (
    CONTENT_ENCODING,
    IngestRequest,
    IngestResponse,
    IngestRoute,
    ProtocolLimits,
)
from shepherd.ingest.accept import Submission
from shepherd.ingest.protocol import IngestProtocol, ProtocolListener, ProtocolParts
from tests.shepherd.toy.decode import decode, read_lines
from tests.shepherd.toy.responses import error_response, response

LIMITS = ProtocolLimits(body_bytes_max=4_000, events_max=50, datasets_max=5, work_units_max=200)
PATH = "/toy/lines"
COUNTED_AS = "(toy)"


class Toy:
    """Takes requests, however they have come."""

    def __init__(
        self, parts: ProtocolParts, *, named: str | None = None, whole: bool = False
    ) -> None:
        """named, whole: as in `Submission.store`."""
        self._parts = parts
        self._named = named
        self._whole = whole

    async def take(self, request: IngestRequest) -> IngestResponse:
        """A line of text per event."""
        key = await authenticate(request.headers, self._parts.keys)
        with Submission(self._parts.accept, key, request, COUNTED_AS) as submission:
            submission.admit()
            check_encoding(encoding := request.headers.get(CONTENT_ENCODING, ""))
            body = await submission.receive()
            lines = read_lines(decompress(body, encoding, LIMITS.body_bytes_max))
            datasets = await submission.resolve_all([name for name, _ in lines if name])
            arrival_ns = submission.arrival_ns()
            runs = await submission.decode(
                len(body), lambda work: decode(lines, datasets, arrival_ns, work)
            )
            submission.status = 207
            return response(await submission.store(runs, named=self._named, whole=self._whole))


class ToyProtocol(IngestProtocol):
    """Over HTTP, on the public port."""

    browser_headers = ("X-Toy",)

    def __init__(
        self, parts: ProtocolParts, *, named: str | None = None, whole: bool = False
    ) -> None:
        toy = Toy(parts, named=named, whole=whole)
        self.routes = (IngestRoute(PATH, LIMITS, toy.take, False, error_response),)

    def status(self) -> Mapping[str, object]:
        """As `IngestProtocol.status`."""
        return {"toy": "fine"}


@dataclass(slots=True)
class _Listener:
    """A connection sends its key and the body's length in a line, then the body."""

    take: Callable[[IngestRequest], Awaitable[IngestResponse]]
    route: IngestRoute
    server: asyncio.Server | None = None
    busy: set[asyncio.Task[None]] = field(default_factory=set)
    draining: bool = False

    async def start(self) -> int:
        """Listen on a free port, which is returned."""
        self.server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port: int = self.server.sockets[0].getsockname()[1]
        return port

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self.busy.add(task)
        task.add_done_callback(self.busy.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        key, length = (await reader.readline()).split()

        async def read(intake: Intake) -> bytes:
            body = await reader.readexactly(int(length))
            intake.add(len(body))
            return body

        headers = {"x-honeycomb-team": key.decode()}
        request = IngestRequest(self.route, "", headers, int(length), read)
        try:
            answer = await self.take(request)
        except BellwetherError as error:
            answer = error_response(error)
        writer.write(b"%d\n" % answer.status + answer.body)
        writer.close()

    async def drain(self, timeout_s: float) -> None:
        """As `ProtocolListener.drain`."""
        self.draining = True
        if self.server is not None:
            self.server.close()
        if self.busy:
            await asyncio.wait(self.busy, timeout=timeout_s)
        for task in self.busy:
            task.cancel()


class ToyWithListener(IngestProtocol):
    """Over a port of its own, and nothing on the public one."""

    def __init__(self, parts: ProtocolParts, listening: Callable[[int], None]) -> None:
        """listening: called with the port."""
        toy = Toy(parts)
        self._listener = _Listener(toy.take, IngestRoute("toy", LIMITS, toy.take, False))
        self._listening = listening

    @property
    def requests(self) -> int:
        """How many are being answered."""
        return len(self._listener.busy)

    @property
    def is_draining(self) -> bool:
        """Whether it takes no more requests."""
        return self._listener.draining

    async def listen(self) -> ProtocolListener:
        """As `IngestProtocol.listen`."""
        self._listening(await self._listener.start())
        return self._listener
