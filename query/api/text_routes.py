"""`/bw/1/text/read` and `/bw/1/text/write`: the text form of a question and its specification.

They ask nothing: who shows both forms side by side keeps them equal with these.
"""

from typing import Any

import msgspec
from aiohttp import web

from common.clock import Clock
from common.model.times.zones import UnknownZone, read_zone
from common.process.auth import KeyCache
from query.faults import SpecError
from query.http.access import authorize
from query.http.problems import json_object
from query.plan.read_spec import read_spec
from query.text.parser import parse_query
from query.text.written import written
from query.tokens.errors import QueryTextError


class TextRoutes:
    """The handlers; they need the right to query."""

    def __init__(self, keys: KeyCache, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock

    def add_to(self, app: web.Application) -> None:
        """Mount the routes."""
        app.router.add_post("/bw/1/text/read", self.read)
        app.router.add_post("/bw/1/text/write", self.write)

    async def read(self, request: web.Request) -> web.Response:
        """The specification of a text, or the word that is not understood. Raises SpecError."""
        await authorize(self._keys, request, "queries")
        body = await json_object(request)
        text, zone = _text(body, "text"), _text(body, "zone", "UTC")
        try:
            read = parse_query(text, self._clock.now_ns(), read_zone(zone))
        except UnknownZone as error:
            raise SpecError("zone", "invalid", str(error)) from error
        except QueryTextError as error:
            fault = {"why": error.why, "hint": error.hint, "start": error.start, "end": error.end}
            return _json({"query": None, "dataset": None, "fault": fault})
        return _json({"query": read.spec, "dataset": read.dataset, "fault": None})

    async def write(self, request: web.Request) -> web.Response:
        """The text of a specification; null for one that no text stands for. Raises SpecError."""
        await authorize(self._keys, request, "queries")
        body = await json_object(request)
        spec = body.get("query")
        if not isinstance(spec, dict):
            raise SpecError("query", "incorrect_type", "must be a specification, an object")
        if spec.get("rows") is not True:
            read_spec(spec)
        dataset = _text(body, "dataset") if body.get("dataset") is not None else None
        return _json({"text": written(spec, dataset)})


def _text(body: dict[str, Any], name: str, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str):
        raise SpecError(name, "missing" if value is None else "incorrect_type", "must be a text")
    return value


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
