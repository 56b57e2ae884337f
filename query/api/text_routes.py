"""`/bw/1/text/read` and `/bw/1/text/write`: the text form of a question and its specification.

They ask nothing: who shows both forms side by side keeps them equal with these.
"""

from datetime import tzinfo
from typing import Any

import msgspec
from aiohttp import web

from common.clock import Clock
from common.model.times.zones import UnknownZone, read_zone
from common.process.auth import KeyCache
from query.faults import Fault, SpecError
from query.http.access import authorize
from query.http.problems import json_object
from query.plan.read.axis import QUERY_AXES
from query.plan.read.faults import faults_of
from query.plan.read.spec import read_spec
from query.text.parser import read_text
from query.text.places import Place, place_of
from query.text.written import SaidRange, written
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
        """The specification of a text, and what is wrong with it, each at its words. Raises
        SpecError.
        """
        await authorize(self._keys, request, "queries")
        body = await json_object(request)
        text, zone = _text(body, "text"), _zone(body)
        read = read_text(text, self._clock.now_ns(), zone)
        faults = [_fault(one, read.places) for one in read.faults]
        if read.spec is not None and read.spec.get("rows") is not True:
            faults = [_refused(one, read.places, len(text)) for one in faults_of(read.spec)]
        answer = {
            "query": read.spec,
            "dataset": read.dataset,
            "range": read.range_words,
            "fault": faults[0] if faults else None,
            "faults": faults,
            "places": [one._asdict() for one in read.places],
        }
        return _json(answer)

    async def write(self, request: web.Request) -> web.Response:
        """The text of a specification, also of one that would be refused when it is asked; null for
        one that no text stands for. Raises SpecError.
        """
        await authorize(self._keys, request, "queries")
        body = await json_object(request)
        spec = body.get("query")
        if not isinstance(spec, dict):
            raise SpecError("query", "incorrect_type", "must be a specification, an object")
        dataset = _text(body, "dataset") if body.get("dataset") is not None else None
        said = None
        if body.get("range") is not None:
            said = SaidRange(_text(body, "range"), self._clock.now_ns(), _zone(body))
        shown = written(spec, dataset, said)
        if shown is None and spec.get("rows") is not True:
            read_spec(spec, QUERY_AXES)  # what is refused has a reason; else no text says it
        return _json({"text": shown})


def _text(body: dict[str, Any], name: str, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str):
        raise SpecError(name, "missing" if value is None else "incorrect_type", "must be a text")
    return value


def _zone(body: dict[str, Any]) -> tzinfo:
    try:
        return read_zone(_text(body, "zone", "UTC"))
    except UnknownZone as error:
        raise SpecError("zone", "invalid", str(error)) from error


def _fault(error: QueryTextError, places: list[Place]) -> dict[str, Any]:
    """A word that is not understood."""
    within = (one for one in places if one.start <= error.start < one.end)
    member = next((one.member for one in within), None)
    told = {"why": error.why, "hint": error.hint, "start": error.start, "end": error.end}
    return told | {"member": member, "at": None}


def _refused(fault: Fault, places: list[Place], length: int) -> dict[str, Any]:
    """A member that would be refused, at its words; at all of the text if it has none."""
    place = place_of(fault.field, places)
    start, end = (0, length) if place is None else (place.start, place.end)
    told = {"why": fault.description, "hint": "", "start": start, "end": end}
    found = {"member": None, "at": None} if place is None else place._asdict()
    return told | {"member": found["member"], "at": found["at"]}


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
