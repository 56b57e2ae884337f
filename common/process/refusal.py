"""How one role tells another that it is busy: always 429, and whose share is used up.

`whole` is new: a role of an older version neither sends nor reads it, and takes every 429 for a
share of the asker's that is used up.
"""

import msgspec
from aiohttp import web

from common.errors import BellwetherError, TooManyRequests, Unavailable


class Refusal(msgspec.Struct, frozen=True):
    """An internal error's body. whole: the role is busy with what others than the asker want."""

    error: str
    whole: bool = False


def busy_response(error: BellwetherError) -> web.Response:
    """The answer to a role that gets no slot."""
    body = msgspec.json.encode(Refusal(str(error), isinstance(error, Unavailable)))
    headers = {"Retry-After": str(error.retry_after_s or 1)}
    return web.Response(
        body=body, status=TooManyRequests.status, headers=headers, content_type="application/json"
    )


def read_refusal(status: int, body: bytes, unreadable: str) -> BellwetherError:
    """The error that an internal answer tells: TooManyRequests, or Unavailable for all others.

    unreadable: what to say when the body is not one of ours.
    """
    try:
        told = msgspec.json.decode(body, type=Refusal)
    except msgspec.DecodeError:
        told = Refusal(unreadable)
    busy = status == TooManyRequests.status and not told.whole
    return TooManyRequests(told.error) if busy else Unavailable(told.error)
