"""`GET /bw/1/queries`: what was asked in the caller's environment, by whom, and what it took.

An environment has the events of its own questions and no others (`query.asking.events`), so its
dataset is asked as any other is.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from aiohttp import web

from common.clock import Clock
from common.metadata import ApiKey
from common.model.names import OWN_DATASET, dataset_id, dataset_slug
from common.model.times.written import rfc3339_ns
from common.process.auth import KeyCache
from query.history.request import HistoryRequest, View, read_history_request
from query.http.access import authorize, requester_of
from query.http.requests import run_while_connected
from query.plan.planner import build_request
from query.plan.read.spec import read_spec
from query.results.notes.coverage import CoverageRequirement
from query.results.runner import QueryRunner
from query.rows.page import make_page
from query.rows.request import read_rows_request
from query.share.row_search.search import Row
from query.text.written import written


class HistoryRoute:
    """The handler; it needs the right to query."""

    def __init__(self, keys: KeyCache, runner: QueryRunner, clock: Clock) -> None:
        self._keys = keys
        self._runner = runner
        self._clock = clock

    def add_to(self, app: web.Application) -> None:
        """Mount the route."""
        app.router.add_get("/bw/1/queries", self.queries)

    async def queries(self, request: web.Request) -> web.Response:
        """A page of questions, the newest first; or one line for each question or key."""
        key = await authorize(self._keys, request, "queries")
        wanted = read_history_request(request.query)
        asking = self._newest if wanted.view is View.NEWEST else self._grouped
        document = await run_while_connected(request, asking(wanted, key))
        encoded = await asyncio.to_thread(msgspec.json.encode, document)
        return web.Response(body=encoded, content_type="application/json")

    async def _newest(self, wanted: HistoryRequest, key: ApiKey) -> dict[str, Any]:
        requester, now_ns = requester_of(key), self._clock.now_ns()
        rows = read_rows_request(wanted.rows_body(), _dataset(key), now_ns, requester)
        page = await self._runner.run_plan(
            rows.plan, partial(make_page, rows), CoverageRequirement(), requester
        )
        # texts are made by parsing, some tenths of a millisecond each
        found = await asyncio.to_thread(_told, page.result.rows)
        return {
            "view": wanted.view,
            "queries": found,
            "next": page.result.next,
            "coverage": page.coverage,
            "notes": page.notes,
        }

    async def _grouped(self, wanted: HistoryRequest, key: ApiKey) -> dict[str, Any]:
        query = build_request(
            read_spec(wanted.specification()),
            _dataset(key),
            self._clock.now_ns(),
            disable_series=True,
            env=key.environment.id,
            key=key.id,
        )
        answer = await self._runner.run(query, CoverageRequirement())
        return {
            "view": wanted.view,
            "queries": [group["data"] for group in answer.data["results"]],
            "next": None,
            "coverage": answer.coverage,
            "notes": answer.notes,
        }


def _told(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Each question with its time and `text`: what was asked, if a text stands for it."""
    found = []
    for row in rows:
        told = {"time": rfc3339_ns(row.position.time_ns), **msgspec.json.decode(row.data)}
        found.append({**told, "text": _text(told)})
    return found


def _text(told: dict[str, Any]) -> str | None:
    asked = told.get("asked")
    if told.get("kind") != "query" or not isinstance(asked, str):
        return None
    try:
        spec = msgspec.json.decode(asked)
    except msgspec.DecodeError:  # too long: its end is not kept
        return None
    return written(spec) if isinstance(spec, dict) else None


def _dataset(key: ApiKey) -> str:
    return dataset_id(key.team.id, key.environment.id, dataset_slug(OWN_DATASET))
