"""Encodes responses as bytes: the lines that aiohttp would send, built with one join."""

from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from aiohttp.http import SERVER_SOFTWARE

from common.clock import Clock
from shepherd.http.request import IngestResponse

_SECOND_NS = 10**9
_STATUS: Final = {one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n" for one in HTTPStatus}


class ResponseWriter:
    """Encodes responses. The date is formatted once a second: each time costs 4 us."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._second = -1
        self._dated = ""

    def encode(self, response: IngestResponse, *, last: bool) -> bytes:
        """Head and body. last: the connection is closed after it."""
        second = self._clock.now_ns() // _SECOND_NS
        if second != self._second:
            self._second = second
            date = formatdate(second, usegmt=True)
            self._dated = f"Date: {date}\r\nServer: {SERVER_SOFTWARE}\r\n"
        lines = [f"{name}: {value}\r\n" for name, value in response.headers.items()]
        end = "Connection: close\r\n\r\n" if last else "\r\n"
        length = f"Content-Length: {len(response.body)}\r\n"
        head = "".join((_STATUS[response.status], *lines, length, self._dated, end))
        return head.encode("ascii") + response.body
