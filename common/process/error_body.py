"""The body of an internal error between roles. A busy role always answers 429.

A role of an older version neither sends nor reads `whole`: it assumes that every 429 is for the
requester's own share.
"""

import msgspec
from aiohttp import web

from common.errors import BellwetherError, TooManyRequests, Unavailable


class ErrorBody(msgspec.Struct, frozen=True):
    """whole: the role is busy with the requests of others, not with the requester's own share."""

    error: str
    whole: bool = False


def busy_response(error: BellwetherError) -> web.Response:
    """The response to a role that gets no slot."""
    body = msgspec.json.encode(ErrorBody(str(error), isinstance(error, Unavailable)))
    headers = {"Retry-After": str(error.retry_after_s or 1)}
    return web.Response(
        body=body, status=TooManyRequests.status, headers=headers, content_type="application/json"
    )


def read_error_body(status: int, body: bytes, unreadable: str) -> BellwetherError:
    """The error of an internal response: TooManyRequests, or Unavailable for all others.

    unreadable: the error's text if the body is not one of ours.
    """
    try:
        found = msgspec.json.decode(body, type=ErrorBody)
    except msgspec.DecodeError:
        found = ErrorBody(unreadable)
    busy = status == TooManyRequests.status and not found.whole
    return TooManyRequests(found.error) if busy else Unavailable(found.error)
