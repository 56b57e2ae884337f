"""Refusals of requests and connections: the API's own JSON, which quotes nothing of the request."""

import json
from typing import Final

from aiohttp.http import SERVER_SOFTWARE

from common.process.trace_context import TRACE_ID, trace_id_of

_REASONS: Final = {
    400: "Bad Request",
    415: "Unsupported Media Type",
    417: "Expectation Failed",
    501: "Not Implemented",
    505: "HTTP Version Not Supported",
}


class Refusal(Exception):
    """The request is not passed on. `status` and the text are the response."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def refusal_response(status: int, text: str, retry_after_s: int | None = None) -> bytes:
    """The API's JSON error as the last response of a connection."""
    body = json.dumps({"error": text}).encode()
    head = (
        f"HTTP/1.1 {status} {_REASONS.get(status, 'Service Unavailable')}\r\n"
        f"Content-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        f"Server: {SERVER_SOFTWARE}\r\n{TRACE_ID}: {trace_id_of(None)}\r\nConnection: close\r\n"
    )
    retry = "" if retry_after_s is None else f"Retry-After: {retry_after_s}\r\n"
    return f"{head}{retry}\r\n".encode() + body
