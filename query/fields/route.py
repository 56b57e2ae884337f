"""`POST /bw/1/fields`: the fields of a dataset by name; for people and for completion of names.

Names and types are those of all events that are retained. How common a field is, and its values,
are counted in a time range: the requested one, else the last two hours, else the two hours before
the newest event. It takes a turn like a query (I14).
"""

from dataclasses import replace
from functools import partial
from typing import Any, Final

import msgspec
from aiohttp import web

from common import limits
from common.model.names import ALL_DATASETS
from common.model.times.written import rfc3339
from query.fields.details import Details, FieldDetails, merge_details
from query.fields.document import named
from query.fields.request import FieldsRequest, read_fields_request
from query.http.column_metadata import ColumnMetadata, column_metadata_if_available
from query.http.dataset_names import DatasetNames
from query.http.environment import NO_DATASETS, EnvironmentDatasets
from query.http.requests import DatasetRequestReader, run_while_connected
from query.results.answer import PlanResult
from query.results.notes.coverage import CoverageRequirement
from query.results.notes.unknown_fields import UnknownFieldNotes
from query.results.runner import QueryRunner
from query.rows.newest import newest_time_ns
from query.scatter.indexer_client import IndexerClient
from query.wire.columns import ColumnPage, ColumnsRequest, IndexedColumn
from query.wire.name_pattern import NamePattern

_SECOND_NS: Final = 10**9


class FieldsRoute:
    """The handler; it needs the right to query."""

    def __init__(
        self,
        requests: DatasetRequestReader,
        runner: QueryRunner,
        indexers: IndexerClient,
        names: DatasetNames,
        notes: UnknownFieldNotes,
        datasets: EnvironmentDatasets,
    ) -> None:
        self._datasets = datasets
        self._requests = requests
        self._runner = runner
        self._indexers = indexers
        self._names = names
        self._notes = notes

    def add_to(self, app: web.Application) -> None:
        """Mount the route."""
        app.router.add_post("/bw/1/fields", self.fields)

    async def fields(self, request: web.Request) -> web.Response:
        """A page of fields by name, with how common they are."""
        members = "dataset, match, a time range"
        begun = await self._requests.with_dataset_in_body(request, members, or_all=True)
        is_all = begun.dataset == ALL_DATASETS
        datasets = await self._datasets.every(begun.key) if is_all else NO_DATASETS
        wanted = read_fields_request(
            begun.body, begun.dataset, begun.now_ns, begun.requester, datasets
        )
        coverage = begun.coverage_required()
        page = await run_while_connected(request, self._page(wanted))
        known = ColumnMetadata()  # of all datasets a name may have several descriptions
        if not is_all:
            known = await column_metadata_if_available(self._names, begun.key, begun.dataset)
        head: dict[str, Any] = {
            "next": page.columns[-1].name if page.more and page.columns else None
        }
        notes: list[str] = []
        if wanted.name is not None and not page.columns:
            notes += await self._notes.unknown(wanted.dataset, {wanted.name: ""}, wanted.requester)
        if not wanted.details:
            head |= {
                "fields": [
                    named(column.name, column.types, column.last_seen_ns, known)
                    for column in page.columns
                ],
                "notes": notes,
            }
            return _json(head)
        counting = self._details(wanted, [column.name for column in page.columns], coverage)
        counted, answer, why = await run_while_connected(request, counting)
        details = answer.result
        head |= {
            "fields": [
                named(column.name, column.types, column.last_seen_ns, known)
                | _detailed(one, details.events, counted.samples)
                for column, one in zip(page.columns, details.fields, strict=True)
            ],
            "events": details.events,
            "start": rfc3339(counted.start_ns),
            "end": rfc3339(counted.end_ns),
            "coverage": answer.coverage,
            "notes": [*answer.notes, *why, *notes],
        }
        return _json(head)

    async def _page(self, wanted: FieldsRequest) -> ColumnPage:
        """The requested fields, merged from all indexers."""
        if wanted.name is not None:
            return await self._indexers.columns_of(
                wanted.ids, ColumnsRequest("", name=wanted.name), wanted.requester
            )
        pattern, found = NamePattern(wanted.match), list[IndexedColumn]()
        after, more = wanted.cursor, True
        while more and len(found) < wanted.limit:
            page = await self._indexers.columns_of(
                wanted.ids,
                ColumnsRequest("", after, wanted.limit, pattern=wanted.match),
                wanted.requester,
            )
            # an indexer of an older version does not filter by the pattern
            found += [column for column in page.columns if pattern.matches(column.name)]
            more = page.more and bool(page.columns)
            after = page.columns[-1].name if page.columns else after
        return ColumnPage(found[: wanted.limit], more or len(found) > wanted.limit)

    async def _details(
        self, wanted: FieldsRequest, names: list[str], coverage: CoverageRequirement
    ) -> tuple[FieldsRequest, PlanResult[Details], list[str]]:
        """(the request with the range that was counted, the counts, why the range differs)."""
        answer = await self._count(wanted, names, coverage)
        if wanted.ranged or answer.result.events:
            return wanted, answer, []
        newest_ns = await newest_time_ns(
            self._runner, wanted.dataset, wanted.requester, wanted.datasets
        )
        if newest_ns is None:
            return wanted, answer, ["the dataset has no event"]
        end_ns = (newest_ns // _SECOND_NS + 1) * _SECOND_NS
        start_ns = end_ns - limits.QUERY_RANGE_S_DEFAULT * _SECOND_NS
        moved = replace(wanted, start_ns=start_ns, end_ns=min(end_ns, 2**63 - 1))
        hours = limits.QUERY_RANGE_S_DEFAULT // 3_600
        why = (
            f"no event in the last {hours} h: shares and values are those of the {hours} h before "
            f"the newest event, which is of {rfc3339(newest_ns)}"
        )
        return moved, await self._count(moved, names, coverage), [why]

    async def _count(
        self, wanted: FieldsRequest, names: list[str], coverage: CoverageRequirement
    ) -> PlanResult[Details]:
        merging = partial(merge_details, len(names))
        plan = partial(wanted.plan, names)
        return await self._runner.run_plan(plan, merging, coverage, wanted.requester)


def _detailed(details: FieldDetails, events: int, samples: int) -> dict[str, Any]:
    return {
        "events": details.events,
        "share": details.events / events if events else 0.0,
        "last_seen": None if details.last_ns is None else rfc3339(details.last_ns),
        "samples": details.samples[:samples],
    }


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
