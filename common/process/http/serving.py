"""An aiohttp application behind our own acceptor and connections: how every role serves HTTP."""

import logging
import ssl
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import PayloadEncodingError
from aiohttp.web_protocol import RequestHandler

from common.process.http.acceptor import AcceptingSite, Acceptor, bind
from common.process.http.connection_limits import ConnectionLimits
from common.process.http.descriptors import DescriptorShare, capacity, open_files
from common.process.http.service import AiohttpEnd, MakeAiohttpEnd, Service, now_s

_INTERNAL_ERROR: Final = "internal error; please report it"
_BAD_REQUEST: Final = "the request cannot be read"
_logger = logging.getLogger(__name__)


class _AiohttpEnd(RequestHandler):
    """aiohttp's end of a connection: reports finished responses, and quotes no request."""

    __slots__ = ("_answered",)

    def __init__(self, answered: Callable[[web.StreamResponse], None], *args: Any, **more: Any):
        super().__init__(*args, **more)
        self._answered = answered

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """As aiohttp's; then the connection is notified."""
        response, reset = await super().finish_response(request, resp, start_time)
        if not reset:
            self._answered(response)
        return response, reset

    def break_body(self) -> None:
        """As `AiohttpEnd.break_body`: aiohttp's own parser leaves the handler waiting."""
        broken = web.RequestPayloadError("the request's body cannot be read")
        if self._messages:
            self._messages[-1][1].set_exception(broken)
        elif self._current_request is not None:
            self._current_request.content.set_exception(broken)

    def log_exception(self, *args: Any, **more: Any) -> None:
        """As aiohttp's, but for a client's broken body: that is answered, and no fault of ours."""
        if not isinstance(more.get("exc_info"), (web.RequestPayloadError, PayloadEncodingError)):
            super().log_exception(*args, **more)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The API's JSON instead of aiohttp's text, which quotes the request."""
        if isinstance(exc, (web.RequestPayloadError, PayloadEncodingError)):
            status = 400
        elif status >= 500:
            _logger.error("a request failed", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("a response is sent already")
        text = _INTERNAL_ERROR if status >= 500 else _BAD_REQUEST
        response = web.json_response({"error": text}, status=status)
        response.force_close()
        return response


def aiohttp_ends(runner: web.AppRunner) -> MakeAiohttpEnd:
    """Makes aiohttp's ends of connections."""
    server = runner.server
    assert server is not None, "the runner is set up"
    arguments = server._kwargs  # what the runner was given for each connection

    def make(answered: Callable[[web.StreamResponse], None]) -> AiohttpEnd:
        return _AiohttpEnd(answered, server, loop=server._loop, **arguments)

    return make


async def listen(
    runner: web.AppRunner,
    name: str,
    host: str,
    port: int,
    *,
    connection_limits: ConnectionLimits | None = None,
    share: DescriptorShare = DescriptorShare.INTERNAL,
    service: Service | None = None,
    tls: ssl.SSLContext | None = None,
    reuse_port: bool = False,
) -> Acceptor:
    """Serve the runner's application; its `addresses` has the port, its `cleanup` ends it.

    service: how requests are answered, if not by the application alone.
    Raises OSError if the port cannot be had.
    """
    if connection_limits is None:
        connection_limits = ConnectionLimits(capacity(share, open_files()), now_s)
    sockets = await bind(host, port, reuse_port=reuse_port)
    acceptor = Acceptor(
        name, sockets, connection_limits, service or Service(aiohttp_ends(runner)), tls
    )
    await AcceptingSite(runner, acceptor).start()
    return acceptor
