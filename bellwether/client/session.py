"""Many requests at once, and streams: for commands that load files or follow events."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from bellwether.client.answers import (
    CONNECT_S,
    KEY_HEADER,
    decode_body,
    distrusted,
    encode_body,
    refusal_text,
    unreachable,
)
from bellwether.client.errors import ClientError
from bellwether.client.target import Target
from common.error_text import describe_error
from common.version import VERSION


class Client:
    """Requests with a key. Use it as `async with connect(target) as client`."""

    def __init__(self, target: Target, session: aiohttp.ClientSession) -> None:
        self.target = target
        self.session = session

    async def json(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """Send a request and read the JSON response. Raises ClientError for anything but a 2xx."""
        data = None if body is None else encode_body(body)
        async with self.open(method, path, data, headers) as answer:
            raw = await answer.read()
        return decode_body(raw, self.target.url + path)

    @asynccontextmanager
    async def open(
        self, method: str, path: str, data: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request; yields a 2xx response, to be read. Raises ClientError."""
        sent = {"Content-Type": "application/json", **headers} if data is not None else headers
        try:
            async with self.session.request(
                method, self.target.url + path, data=data, headers=sent, allow_redirects=False
            ) as answer:  # a redirect must not take the key elsewhere
                if answer.status >= 300:
                    raise ClientError(await refusal(answer), answer.status)
                yield answer
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ClientError(self.unreachable(error)) from error

    def unreachable(self, error: Exception) -> str:
        """The error text when no response came."""
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return distrusted(self.target.url, error.certificate_error)
        return unreachable(self.target.url, _reason(error))


def _reason(error: Exception) -> str:
    """Why no response came, without the library's names for it."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the host's name is not known"
    if isinstance(error, aiohttp.ServerDisconnectedError | ConnectionResetError):
        return "the connection was closed without an answer"
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return os.strerror(error.errno)
    return describe_error(error)


async def refusal(answer: aiohttp.ClientResponse) -> str:
    """The reason in a response that is no success."""
    location = answer.headers.get("Location")
    return refusal_text(answer.status, await answer.read(), answer.reason, location)


@asynccontextmanager
async def connect(target: Target, total_s: float | None = 120.0) -> AsyncIterator[Client]:
    """A client with its connections."""
    timeout = aiohttp.ClientTimeout(total=total_s, connect=CONNECT_S)
    headers = {KEY_HEADER: target.key, "User-Agent": f"bellwether/{VERSION}"}
    connector = aiohttp.TCPConnector(ssl=not target.insecure, limit=16)
    async with aiohttp.ClientSession(
        timeout=timeout, headers=headers, connector=connector
    ) as session:
        yield Client(target, session)
