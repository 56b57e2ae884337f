"""One request after another over one connection, with nothing but the standard library.

Importing aiohttp would take longer than most queries take to be answered.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

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
from common.version import VERSION

ANSWER_S = 120.0  # the longest wait for the next bytes of a response


class Caller:
    """Requests with a key. Use it as `with calling(target) as caller`."""

    def __init__(self, target: Target, answer_s: float = ANSWER_S) -> None:
        parts = urlsplit(target.url)
        self.target = target
        self._prefix = parts.path
        self._answer_s = answer_s
        self._headers = {KEY_HEADER: target.key, "User-Agent": f"bellwether/{VERSION}"}
        self._connection: http.client.HTTPConnection
        host = parts.hostname or ""
        if parts.scheme == "https":
            self._connection = http.client.HTTPSConnection(
                host, parts.port, timeout=CONNECT_S, context=_trust(target.insecure)
            )
        else:
            self._connection = http.client.HTTPConnection(host, parts.port, timeout=CONNECT_S)

    def json(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """Send a request and read the JSON response. Raises ClientError for anything but a 2xx."""
        raw = self.raw(method, path, body, **headers)
        return decode_body(raw, self.target.url + path)

    def raw(self, method: str, path: str, body: object = None, **headers: str) -> bytes:
        """Send a request and read the response's body. Raises ClientError like `json`."""
        data = None if body is None else encode_body(body)
        kind = {} if body is None else {"Content-Type": "application/json"}
        return self.request(method, path, data, {**kind, **headers})

    def close(self) -> None:
        """Close the connection: a query that is running ends on the server too."""
        self._connection.close()

    def request(
        self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]
    ) -> bytes:
        """Send a request and read the response's body. Raises ClientError for anything but a 2xx;
        its status is 0 if there was no response.
        """
        try:
            answer = self._send(method, path, data, {**self._headers, **headers})
            raw = answer.read()
        except ssl.SSLCertVerificationError as error:
            self.close()
            raise ClientError(distrusted(self.target.url, error.verify_message)) from error
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise ClientError(unreachable(self.target.url, _reason(error))) from error
        except BaseException:  # Ctrl-C: the response is not wanted any more
            self.close()
            raise
        if answer.status >= 300:
            location = answer.getheader("Location")
            text = refusal_text(answer.status, raw, answer.reason, location)
            raise ClientError(text, answer.status)
        return raw

    def _send(
        self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]
    ) -> http.client.HTTPResponse:
        """Send a request, over the connection of the one before if that is still open."""
        if self._connection.sock is not None:
            try:
                return self._exchange(method, path, data, headers)
            except (ConnectionError, http.client.BadStatusLine):
                # the server closed it while it was idle; every request here may be sent twice
                self._connection.close()
        self._connection.connect()
        self._connection.sock.settimeout(self._answer_s)
        return self._exchange(method, path, data, headers)

    def _exchange(
        self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]
    ) -> http.client.HTTPResponse:
        self._connection.request(method, self._prefix + path, data, dict(headers))
        return self._connection.getresponse()


@contextmanager
def calling(target: Target, answer_s: float = ANSWER_S) -> Iterator[Caller]:
    """A caller with its connection."""
    caller = Caller(target, answer_s)
    try:
        yield caller
    finally:
        caller.close()


def _trust(insecure: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _reason(error: OSError | http.client.HTTPException) -> str:
    """The operating system's or the resolver's text, without anything that was sent."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "the host's name is not known"
    if isinstance(error, http.client.RemoteDisconnected | ConnectionResetError):
        return "the connection was closed without an answer"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or type(error).__name__}"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return type(error).__name__
