"""Heads of requests for events, read without aiohttp. It only ever says yes.

What is not plainly one of the two routes in HTTP/1.1 with a length (chunks, `Expect`, folded
lines, a header twice, bytes that are not printable ASCII) is not judged here: aiohttp reads it,
or refuses it. So no head means one thing here and another there (request smuggling).

Measured (one core, 3.11): 10 us for the seven headers of a client, where aiohttp's parser, its
request object, the router and the middlewares took 70; 4 us where all but a line or two are those
of the connection's last request, as they nearly always are.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from shepherd.incoming import Route

HEAD_BYTES_MAX: Final = 8_192  # longer ones are aiohttp's: clients' are a few hundred bytes
HOT_START: Final = b"POST /1/"
# A segment that a router could read in two ways (dots alone, an escaped slash) is not hot.
_HEAD = re.compile(
    r"POST (/1/events|/1/batch)/([A-Za-z0-9_~-](?:[A-Za-z0-9._~-]|%(?!2[Ff])[0-9A-Fa-f]{2})*)"
    r" HTTP/1\.1\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e]*\r\n)+)"
)
_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e]*)")  # as in _HEAD
_LENGTH = re.compile(r"[0-9]{1,15}")
_FOR_AIOHTTP: Final = frozenset(
    {"transfer-encoding", "expect", "upgrade", "trailer", "te", "sec-websocket-key1"}
)
_HEADERS_MAX = 64  # half of what aiohttp takes
_CHANGED_MAX = 4  # lines unlike those of the last head; beyond, reading all is as quick


class Head(msgspec.Struct, frozen=True, gc=False):
    """A request's head. segment: the path's last; headers: by lower-case name."""

    route: Route
    segment: str
    headers: Mapping[str, str]
    length: int

    def __repr__(self) -> str:
        return f"Head({self.route}, length={self.length})"  # headers hold keys


def read_head(raw: bytes) -> Head | None:
    """The head without the empty line that ends it; None if aiohttp has to read it."""
    try:
        found = _HEAD.fullmatch(raw.decode("ascii"))
    except UnicodeDecodeError:
        return None
    if found is None:
        return None
    headers: dict[str, str] = {}
    route, segment, block = found.groups()
    lines = block.split("\r\n")
    for line in lines[:-1]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip(" \t")
    count = len(lines) - 1
    if len(headers) != count or count > _HEADERS_MAX or "host" not in headers:
        return None
    if not _FOR_AIOHTTP.isdisjoint(headers):
        return None
    if headers.get("connection", "keep-alive").lower() != "keep-alive":
        return None
    length = headers.get("content-length", "")
    if _LENGTH.fullmatch(length) is None:
        return None
    return Head(_ROUTES[route], segment, headers, int(length))


class HeadReader:
    """Reads the heads of one connection: only what is unlike the head before."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._head: Head | None = None

    def read(self, raw: bytes) -> Head | None:
        """As `read_head`."""
        lines = raw.split(b"\r\n")
        self._head = self._changed(lines) or read_head(raw)
        self._lines = lines
        return self._head

    def _changed(self, lines: list[bytes]) -> Head | None:
        """The head whose values alone differ from the last one's, if that is plain to see."""
        last = self._head
        if last is None or len(lines) != len(self._lines):
            return None
        pairs = zip(lines, self._lines, strict=True)
        changed = [(line, old) for line, old in pairs if line != old]
        if len(changed) > _CHANGED_MAX:
            return None
        headers = dict(last.headers)
        for line, old in changed:
            found = _LINE.fullmatch(line)
            if found is None or not old.startswith(found[1] + b":"):
                return None
            name = found[1].decode().lower()
            if name == "connection":  # its value decides who reads the request
                return None
            headers[name] = found[2].decode().strip(" \t")
        length = headers["content-length"]
        if _LENGTH.fullmatch(length) is None:
            return None
        return Head(last.route, last.segment, headers, int(length))


_ROUTES: Final = {route.value: route for route in Route}
