"""Pages of long lists, like those of the vendor's newer routes: `page[size]` and `page[next]`.

The body of an answer is an array. Where it is not the whole list, a `Link` header with
`rel="next"` has the URL of the next page, and `X-Bellwether-Next` has the cursor alone.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from aiohttp import web

from common.errors import BadRequest

NEXT_HEADER = "X-Bellwether-Next"
_SIZE, _NEXT = "page[size]", "page[next]"
_NAME_BYTES_MAX = 1_024  # of a name in a cursor; a hash replaces a longer name
_WHOLE = "n"  # first letter of a cursor that holds a whole name
_HASHED = "h"  # first letter of a cursor that holds a hash and the first bytes of the name


@dataclass(frozen=True, slots=True)
class Cursor:
    """The name after which a page begins.

    name: the whole name, or its first characters if it is too long for a URL.
    sha256: hash of the whole name (hex), if it is too long.
    """

    name: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A requested page: its size in names, and the cursor where it begins."""

    size: int
    after: Cursor | None


def read_page_request(request: web.Request, size_max: int) -> PageRequest:
    """Read both query parameters. Raises BadRequest."""
    size = request.query.get(_SIZE, str(size_max))
    if not (size.isascii() and size.isdecimal() and 0 < len(size) <= 9 and int(size) > 0):
        raise BadRequest(f"{_SIZE} must be a whole number from 1 to {size_max}")
    text = request.query.get(_NEXT)
    return PageRequest(min(int(size), size_max), _decode(text) if text else None)


def next_headers(request: web.Request, size: int, last: str) -> dict[str, str]:
    """Headers of an answer that is not the whole list. last: the last name in it."""
    cursor = _encode(last)
    query = urlencode({**request.query, _SIZE: size, _NEXT: cursor}, quote_via=quote)
    return {NEXT_HEADER: cursor, "Link": f'<{request.rel_url.raw_path}?{query}>; rel="next"'}


def _encode(name: str) -> str:
    raw = name.encode()
    if len(raw) <= _NAME_BYTES_MAX:
        return _WHOLE + base64.urlsafe_b64encode(raw).decode()
    begin = raw[:_NAME_BYTES_MAX].decode(errors="ignore").encode()
    return _HASHED + base64.urlsafe_b64encode(hashlib.sha256(raw).digest() + begin).decode()


def _decode(cursor: str) -> Cursor:
    try:
        raw = base64.b64decode(cursor[1:], altchars=b"-_", validate=True)
        if cursor[0] == _WHOLE:
            return Cursor(raw.decode())
        if cursor[0] == _HASHED and len(raw) > 32:
            return Cursor(raw[32:].decode(), raw[:32].hex())
    except (binascii.Error, ValueError):
        pass
    raise BadRequest(f"{_NEXT} is not a cursor that an answer has given")
