"""The protocol of a fast path, by which a role serves requests without aiohttp.

The connection finds the end of a head, holds the body, and keeps the order of responses. A fast
path only parses a head and makes the response. It never refuses a request: a head that it does not
parse is parsed strictly (`request_head`) and goes to aiohttp, so a head has only one meaning.
"""

from typing import Protocol, TypeVar

from common.process.http.body_reader import ReadBody


class FastHead(Protocol):
    """A head that the fast path has read."""

    @property
    def length(self) -> int:
        """Bytes of its body."""


class FastResponse(Protocol):
    """The response to a request of the fast path."""

    @property
    def status(self) -> int:
        """The status code."""


Head = TypeVar("Head", bound=FastHead)
Response = TypeVar("Response", bound=FastResponse)


class FastPath(Protocol[Head, Response]):
    """Reads heads and answers requests. Use it from one event loop."""

    @property
    def prefix(self) -> bytes:
        """The beginning of every request that it may read."""

    @property
    def head_bytes_max(self) -> int:
        """The longest head that it reads."""

    def read_head(self, raw: bytes) -> Head | None:
        """The head without the empty line that ends it; None if aiohttp has to read it."""

    async def answer(self, head: Head, read: ReadBody) -> Response:
        """The response to a request. Raises nothing but a cancellation."""

    def encode(self, response: Response, *, last: bool) -> bytes:
        """The response as it is sent; `last`: the connection is closed after it."""
