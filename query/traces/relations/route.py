"""`POST /bw/1/traces`: traces by what holds of their spans, with their coverage (I7).

A request takes a turn like a query (I14) and ends when its client closes the connection.
"""

import asyncio
from typing import Any

import msgspec
from aiohttp import web

from common.model.times.written import rfc3339_ns
from query.http.requests import DatasetRequestReader, run_while_connected
from query.traces.relations.request import MEMBERS, read_traces_request
from query.traces.relations.search import FoundTraces, TraceSearch, TracesWanted

_NS_PER_MS = 1_000_000


class TracesRoute:
    """The handler; it needs the right to query."""

    def __init__(self, requests: DatasetRequestReader, search: TraceSearch) -> None:
        self._requests = requests
        self._search = search

    def add_to(self, app: web.Application) -> None:
        """Mount the route."""
        app.router.add_post("/bw/1/traces", self.traces)

    async def traces(self, request: web.Request) -> web.Response:
        """The traces that meet conditions, in the order asked for."""
        begun = await self._requests.without_dataset(request, ", ".join(MEMBERS))
        wanted = read_traces_request(begun.body, begun.now_ns)
        finding = self._search.find(wanted, begun.key, begun.coverage_required())
        found = await run_while_connected(request, finding)
        encoded = await asyncio.to_thread(_encode, wanted, found)
        return web.Response(body=encoded, content_type="application/json")


def _encode(wanted: TracesWanted, found: FoundTraces) -> bytes:
    document = {
        "traces": [_shown(row) for row in found.rows.to_pylist()],
        "found": found.found,
        "start": rfc3339_ns(wanted.start_ns),
        "end": rfc3339_ns(wanted.end_ns),
        "margin_s": found.margin_ns // 10**9,
        "coverage": found.coverage,
        "notes": found.notes,
    }
    return msgspec.json.encode(document)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row per trace as JSON."""
    root = None
    if row["root_ns"] is not None:
        root = {
            "name": row["root_name"],
            "service": row["root_service"],
            "start": rfc3339_ns(row["root_ns"]),
            "duration_ms": row["root_ms"],
            "error": row["root_error"],
        }
    return {
        "trace_id": row["trace_id"],
        "start": rfc3339_ns(row["start_ns"]),
        "duration_ms": (row["end_ns"] - row["start_ns"]) / _NS_PER_MS,
        "root": root,
        "spans": row["spans"],
        "errors": row["errors"],
        "services": row["services"],
    }
