"""`POST /bw/1/rows`: the events of a dataset, a page at a time, complete or said (I7).

It takes a turn like a query (I14), and ends when its caller hangs up.
"""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import web

from common.clock import Clock
from common.errors import BadRequest
from common.metadata import ApiKey
from common.model.names import BadDatasetName
from common.model.times.written import rfc3339, rfc3339_ns
from common.process.auth import KeyCache
from common.process.web import has_hung_up
from query.api.access import authorize
from query.api.dataset_names import DatasetNames
from query.api.problems import json_body
from query.api.query_routes import read_wish
from query.fields.unknown_fields import FieldNotes
from query.plan.read_spec import SpecError
from query.results.notes import notes_on_types
from query.results.runner import Asker, Runner, Told
from query.rows.newest import newest_time_ns
from query.rows.page import Page, make_page
from query.rows.question import RowsQuestion, read_rows_question

_POLL_S: Final = 0.1
T = TypeVar("T")


class RowsRoute:
    """The handler; it needs the right to query."""

    def __init__(
        self,
        keys: KeyCache,
        names: DatasetNames,
        runner: Runner,
        notes: FieldNotes,
        clock: Clock,
    ) -> None:
        self._keys = keys
        self._names = names
        self._runner = runner
        self._notes = notes
        self._clock = clock

    def add_to(self, app: web.Application) -> None:
        """Mount the route."""
        app.router.add_post("/bw/1/rows", self.rows)

    async def rows(self, request: web.Request) -> web.Response:
        """One page of events in the order of their times."""
        key = await authorize(self._keys, request, "queries")
        body = await json_body(request)
        if not isinstance(body, dict):
            raise BadRequest("the body must be a JSON object: dataset, filters, a time range")
        dataset = await dataset_id_of(self._names, key, dataset_named(body))
        asker = Asker(key.environment.id, key.id)
        question = read_rows_question(body, dataset, self._clock.now_ns(), asker)
        wish = read_wish(request, body)
        telling = self._runner.tell(question.plan, partial(make_page, question), wish, asker)
        answer = await while_it_listens(request, telling)
        notes = notes_on_types(question.spec, answer.types)
        notes += await self._notes.unknown(dataset, answer.types)
        newest: dict[str, str | None] = {}
        if not answer.result.rows and question.after is None:
            looking = newest_time_ns(self._runner, dataset, asker)
            newest_ns = await while_it_listens(request, looking)
            newest["newest"] = None if newest_ns is None else rfc3339(newest_ns)
        encoded = await asyncio.to_thread(_encode, question, answer, notes, newest)
        return web.Response(body=encoded, content_type="application/json")


def dataset_named(body: dict[str, Any]) -> str:
    """The dataset that a body names. Raises SpecError."""
    name = body.get("dataset")
    if name is None or name == "":
        raise SpecError("dataset", "missing", "name a dataset")
    if not isinstance(name, str):
        raise SpecError("dataset", "incorrect_type", "must be the name of a dataset, a string")
    return name


async def dataset_id_of(names: DatasetNames, key: ApiKey, name: str) -> str:
    """The id of a dataset of the key's environment. Raises SpecError, DatasetNotFound."""
    try:
        return await names.id_named(key, name)
    except BadDatasetName as error:
        raise SpecError("dataset", "invalid", str(error)) from error


async def while_it_listens(request: web.Request, work: Coroutine[None, None, T]) -> T:
    """The result of the work, which is cancelled when the caller hangs up."""
    task = asyncio.create_task(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=_POLL_S)
            if has_hung_up(request):
                raise ConnectionResetError("the caller has hung up")
        return task.result()
    finally:
        task.cancel()


def _encode(
    question: RowsQuestion, answer: Told[Page], notes: list[str], more: dict[str, str | None]
) -> bytes:
    head = {
        "start": rfc3339(question.start_ns),
        "end": rfc3339(question.end_ns),
        "next": answer.result.next,
        "coverage": answer.coverage,
        "notes": [*answer.notes, *notes],
        **more,
    }
    return b'{"rows":[%b],%b' % (encoded_rows(answer.result), msgspec.json.encode(head)[1:])


def encoded_rows(page: Page) -> bytes:
    """The rows as items of a JSON array: what `POST /1/batch` takes, too."""
    return b",".join(
        b'{"time":"%b","samplerate":%d,"data":%b}'
        % (rfc3339_ns(row.position.time_ns).encode(), row.rate, row.data)
        for row in page.rows
    )
