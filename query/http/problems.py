"""Errors of the query and management API as problem documents (RFC 9457), always with `error`."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import PayloadEncodingError

from common.errors import BadRequest, BellwetherError, TooLarge, Unprocessable
from common.metrics import requests_total
from query.faults import BadReference, Fault, InvalidValues, SpecError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"
_INVALID = "The provided input is invalid."
_KINDS = {
    400: ("unparseable", "The request body could not be parsed."),
    404: ("not-found", "The requested resource cannot be found."),
    409: (
        "conflict",
        "Request could not be completed due to a conflict with the current state of the target "
        "resource.",
    ),
    413: ("payload-too-large", "Request body is too large."),
    422: ("validation-failed", _INVALID),
    429: ("rate-limited", "You have exceeded your rate limit."),
}


class QueryEnded(BellwetherError):
    """The query was ended before it had an answer; the caller must run it again."""

    status = 410


def public_base(request: web.Request) -> str:
    """Scheme and host that the client used; a shepherd forwards them."""
    host = request.headers.get("X-Forwarded-Host") or request.host
    scheme = request.headers.get("X-Forwarded-Proto") or request.scheme
    return f"{scheme}://{host}"


def problem(request: web.Request, error: BellwetherError) -> web.Response:
    """The error as a problem document; 401 and 403 in the vendor's plain form.

    Member `error` is the vendor's text, `detail` describes this request. 413 has the members of a
    problem document and the content type of plain JSON, like the vendor's.
    """
    headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
    kind = _KINDS.get(Unprocessable.status if isinstance(error, Unprocessable) else error.status)
    if kind is None:
        return web.json_response({"error": str(error)}, status=error.status, headers=headers)
    slug, title = kind
    document: dict[str, object] = {
        "status": error.status,
        "type": f"{public_base(request)}/problems/{slug}",
        "title": title,
        "error": str(error),
        "detail": getattr(error, "detail", str(error)),
    }
    if isinstance(error, Unprocessable):
        faults = (
            error.faults if isinstance(error, InvalidValues) else [Fault("", "invalid", str(error))]
        )
        document["error"] = error.description if isinstance(error, BadReference) else _INVALID
        document["type_detail"] = [fault._asdict() for fault in faults]
    return web.json_response(
        body=msgspec.json.encode(document),
        status=error.status,
        headers=headers,
        content_type="application/json" if error.status == TooLarge.status else CONTENT_TYPE,
    )


@web.middleware
async def answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn errors into documents, and count every answer. The outermost handler of the role."""
    try:
        response = await handler(request)
    except BellwetherError as error:
        response = problem(request, error)
    except (web.RequestPayloadError, PayloadEncodingError):  # broken chunks, a broken gzip
        response = problem(request, BadRequest("could not parse request body"))
        response.force_close()
    except web.HTTPRequestEntityTooLarge:
        response = problem(request, TooLarge("Request body is too large."))
    except (web.HTTPException, ConnectionError):
        raise  # aiohttp's own answers; a client that has closed its connection
    except Exception:
        _logger.exception("a request failed")
        response = web.json_response({"error": "internal error; please report it"}, status=500)
    resource = request.match_info.route.resource
    route = resource.canonical if resource is not None else "unknown"
    requests_total.labels(route, str(response.status)).inc()
    return response


async def json_body(request: web.Request) -> object:
    """The body as JSON, whatever its content type. Raises BadRequest."""
    body = await request.read()
    try:
        decoded: object = msgspec.json.decode(body, strict=True)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequest("could not parse request body") from error
    return decoded


async def json_object(request: web.Request) -> dict[str, Any]:
    """The body as a JSON object. Raises BadRequest, SpecError."""
    body = await json_body(request)
    if not isinstance(body, dict):
        raise SpecError("", "incorrect_type", "the body must be a JSON object")
    return body
