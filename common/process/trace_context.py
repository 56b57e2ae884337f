"""The trace of a request: whose id every response names, and requests between roles carry on.

W3C's Trace Context: a caller's `traceparent` is continued; else a request begins a trace of its
own. The response has the id as `X-Trace-Id`, so that an answer can be looked up in the events that
roles send about themselves.
"""

import os
import re
from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import SimpleNamespace

    import aiohttp
    from aiohttp import web
    from aiohttp.typedefs import Handler

TRACEPARENT: Final = "traceparent"  # in lower case, as the fast path looks headers up
TRACE_ID: Final = "X-Trace-Id"
# https://www.w3.org/TR/trace-context/: a later version may have more parts, 00 has these alone
_FORM: Final = re.compile(
    r"(?!ff|00.{54})[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?"
)
_NO_TRACE: Final = "0" * 32
_NO_SPAN: Final = "0" * 16
_TRACE_BYTES: Final = 16
_SPAN_BYTES: Final = 8
_CURRENT: Final = ContextVar("trace_id", default="")


def trace_id_of(traceparent: str | None) -> str:
    """The trace that a header names, 32 hexadecimal digits; a new one without a valid header."""
    if traceparent is not None:
        found = _FORM.fullmatch(traceparent)
        if found is not None and found[1] != _NO_TRACE and found[2] != _NO_SPAN:
            return found[1]
    return os.urandom(_TRACE_BYTES).hex()


def traceparent_of(trace_id: str) -> str:
    """The header for a request that is part of the trace, as a span of its own."""
    return f"00-{trace_id}-{os.urandom(_SPAN_BYTES).hex()}-01"


def begin_trace(headers: Mapping[str, str]) -> str:
    """Continue the trace of a request's headers, or begin one, for what this task does from now on.

    headers: looked up by lower-case names. Returns the id.
    """
    trace_id = trace_id_of(headers.get(TRACEPARENT))
    _CURRENT.set(trace_id)
    return trace_id


def current_trace_id() -> str:
    """The trace of the request that is being answered; empty outside of one."""
    return _CURRENT.get()


def trace_requests(app: "web.Application") -> None:
    """Let every request of an application continue its trace or begin one, and every response name
    it. What another role has answered names the trace already.
    """
    from aiohttp import web  # not for a process that answers no request

    @web.middleware
    async def traced(request: web.Request, handler: "Handler") -> web.StreamResponse:
        begin_trace(request.headers)
        return await handler(request)

    async def name_trace(_: web.Request, response: web.StreamResponse) -> None:
        trace_id = _CURRENT.get()
        if trace_id:
            response.headers.setdefault(TRACE_ID, trace_id)

    app.middlewares.insert(0, traced)
    app.on_response_prepare.append(name_trace)


def carrying_trace() -> "aiohttp.TraceConfig":
    """For a client session: its requests carry the trace of what they are sent for."""
    import aiohttp  # not for a process that sends no request

    async def carry(
        _: aiohttp.ClientSession, __: "SimpleNamespace", params: aiohttp.TraceRequestStartParams
    ) -> None:
        trace_id = _CURRENT.get()
        if trace_id:
            params.headers.setdefault(TRACEPARENT, traceparent_of(trace_id))

    config = aiohttp.TraceConfig()
    config.on_request_start.append(carry)
    return config
