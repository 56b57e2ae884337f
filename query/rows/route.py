"""`POST /bw/1/rows`: the events of a dataset, page by page, each with its coverage (I7).

A request takes a turn like a query (I14) and ends when its client closes the connection.
"""

import asyncio
from collections.abc import Sequence
from functools import partial

import msgspec
from aiohttp import web

from common.model.names import ALL_DATASETS
from common.model.times.written import rfc3339, rfc3339_ns
from query.http.environment import NO_DATASETS, EnvironmentDatasets, NamedDatasets
from query.http.requests import DatasetRequestReader, run_while_connected
from query.plan.spec import TimeAxis
from query.results.answer import PlanResult
from query.results.notes.type_notes import notes_on_types
from query.results.notes.unknown_fields import UnknownFieldNotes
from query.results.runner import QueryRunner
from query.rows.newest import newest_time_ns
from query.rows.page import Page, make_page
from query.rows.related import RelatedRows
from query.rows.request import RowsRequest, read_rows_request
from query.share.row_search.search import Row


class RowsRoute:
    """The handler; it needs the right to query."""

    def __init__(
        self,
        requests: DatasetRequestReader,
        runner: QueryRunner,
        notes: UnknownFieldNotes,
        datasets: EnvironmentDatasets,
        related: RelatedRows,
    ) -> None:
        self._related = related
        self._datasets = datasets
        self._requests = requests
        self._runner = runner
        self._notes = notes

    def add_to(self, app: web.Application) -> None:
        """Mount the route."""
        app.router.add_post("/bw/1/rows", self.rows)

    async def rows(self, request: web.Request) -> web.Response:
        """A page of events in the order of their times."""
        members = "dataset, filters, a time range"
        begun = await self._requests.with_dataset_in_body(request, members, or_all=True)
        dataset, requester = begun.dataset, begun.requester
        datasets = NO_DATASETS
        if dataset == ALL_DATASETS:
            datasets = await self._datasets.every(begun.key)
        elif begun.body.get("time_axis") not in (None, TimeAxis.START):
            datasets = NamedDatasets(await self._datasets.asked(begun.key, dataset), ())
        wanted = read_rows_request(begun.body, dataset, begun.now_ns, requester, datasets)
        coverage = begun.coverage_required()
        asking = await self._related.asking(
            wanted, begun.key, must_be_complete=coverage.mode == "require"
        )
        if asking is None:
            running = self._runner.run_plan(
                wanted.plan, partial(make_page, wanted), coverage, requester
            )
        else:
            running = self._runner.run_steps(asking, coverage, requester)
        page = await run_while_connected(request, running)
        notes = notes_on_types(wanted.spec, page.types)
        notes += await self._notes.unknown(dataset, page.types, requester)
        newest: dict[str, str | None] = {}
        if not page.result.rows and wanted.after is None:
            finding = newest_time_ns(self._runner, dataset, requester, datasets)
            newest_ns = await run_while_connected(request, finding)
            newest["newest"] = None if newest_ns is None else rfc3339(newest_ns)
        encoded = await asyncio.to_thread(_encode, wanted, page, notes, newest)
        return web.Response(body=encoded, content_type="application/json")


def _encode(
    wanted: RowsRequest, page: PlanResult[Page], notes: list[str], more: dict[str, str | None]
) -> bytes:
    head = {
        "start": rfc3339(wanted.start_ns),
        "end": rfc3339(wanted.end_ns),
        "next": page.result.next,
        "coverage": page.coverage,
        "notes": [*page.notes, *notes],
        **more,
    }
    return b'{"rows":[%b],%b' % (
        encoded_rows(page.result, wanted.datasets.names),
        msgspec.json.encode(head)[1:],
    )


def encoded_rows(page: Page, datasets: Sequence[str] = ()) -> bytes:
    """The rows as items of a JSON array, in the format that `POST /1/batch` takes.

    datasets: names of those that were asked, if they are several: each row says its own.
    Of a search each names the fields that hold its text in `matches`, which ingest ignores.
    """
    origins = [b',"dataset":%b' % msgspec.json.encode(name) for name in datasets] or [b""]
    return b",".join(
        b'{"time":"%b","samplerate":%d%b,"data":%b%b}'
        % (
            rfc3339_ns(row.position.time_ns).encode(),
            row.rate,
            origins[row.dataset],
            row.data,
            _matches(row),
        )
        for row in page.rows
    )


def _matches(row: Row) -> bytes:
    return b',"matches":%b' % msgspec.json.encode(row.matches) if row.matches else b""
