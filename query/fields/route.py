"""`POST /bw/1/fields`: the fields of a dataset by name; for people, and for what completes names.

Names and types are those of all events that are kept. Shares and values are counted in a time
range: the one that is asked for, else the last two hours, else the two hours before the newest
event. It takes a turn like a query (I14).
"""

from dataclasses import replace
from functools import partial
from typing import Any, Final

import msgspec
from aiohttp import web

from common import limits
from common.clock import Clock
from common.errors import BadRequest
from common.model.times.written import rfc3339
from common.process.auth import KeyCache
from query.api.access import authorize
from query.api.column_routes import shown_types
from query.api.dataset_names import DatasetNames
from query.api.problems import json_body
from query.api.query_routes import read_wish
from query.fields.columns import ColumnPage, ColumnsAsked, ColumnSeen
from query.fields.details import Details, FieldDetails, merge_details
from query.fields.name_pattern import NamePattern
from query.fields.question import FieldsQuestion, read_fields_question
from query.fields.unknown_fields import FieldNotes
from query.results.runner import Asker, CoverageRequirement, Runner, Told
from query.rows.newest import newest_time_ns
from query.rows.route import dataset_id_of, dataset_named, while_it_listens
from query.scatter.indexer_client import IndexerCalls

_SECOND_NS: Final = 10**9


class FieldsRoute:
    """The handler; it needs the right to query."""

    def __init__(
        self,
        keys: KeyCache,
        names: DatasetNames,
        runner: Runner,
        calls: IndexerCalls,
        notes: FieldNotes,
        clock: Clock,
    ) -> None:
        self._keys = keys
        self._names = names
        self._runner = runner
        self._calls = calls
        self._notes = notes
        self._clock = clock

    def add_to(self, app: web.Application) -> None:
        """Mount the route."""
        app.router.add_post("/bw/1/fields", self.fields)

    async def fields(self, request: web.Request) -> web.Response:
        """A page of fields by name, with how common they are."""
        key = await authorize(self._keys, request, "queries")
        body = await json_body(request)
        if not isinstance(body, dict):
            raise BadRequest("the body must be a JSON object: dataset, match, a time range")
        dataset = await dataset_id_of(self._names, key, dataset_named(body))
        asker = Asker(key.environment.id, key.id)
        question = read_fields_question(body, dataset, self._clock.now_ns(), asker)
        wish = read_wish(request, body)
        page = await while_it_listens(request, self._page(question))
        head: dict[str, Any] = {
            "next": page.columns[-1].name if page.more and page.columns else None
        }
        notes: list[str] = []
        if question.name is not None and not page.columns:
            notes += await self._notes.unknown(dataset, {question.name: ""})
        if not question.details:
            head |= {"fields": [_described(column) for column in page.columns], "notes": notes}
            return _json(head)
        telling = self._details(question, [column.name for column in page.columns], wish)
        question, told, why = await while_it_listens(request, telling)
        head |= {
            "fields": [
                _described(column) | _detailed(details, told.result.events, question.samples)
                for column, details in zip(page.columns, told.result.fields, strict=True)
            ],
            "events": told.result.events,
            "start": rfc3339(question.start_ns),
            "end": rfc3339(question.end_ns),
            "coverage": told.coverage,
            "notes": [*told.notes, *why, *notes],
        }
        return _json(head)

    async def _page(self, question: FieldsQuestion) -> ColumnPage:
        """The fields that are asked for, merged from all indexers."""
        if question.name is not None:
            return await self._calls.columns(ColumnsAsked(question.dataset, name=question.name))
        pattern, found = NamePattern(question.match), list[ColumnSeen]()
        after, more = question.cursor, True
        while more and len(found) < question.limit:
            page = await self._calls.columns(
                ColumnsAsked(question.dataset, after, question.limit, pattern=question.match)
            )
            # an indexer of an older version tells the others, too
            found += [column for column in page.columns if pattern.fits(column.name)]
            more = page.more and bool(page.columns)
            after = page.columns[-1].name if page.columns else after
        return ColumnPage(found[: question.limit], more or len(found) > question.limit)

    async def _details(
        self, question: FieldsQuestion, names: list[str], wish: CoverageRequirement
    ) -> tuple[FieldsQuestion, Told[Details], list[str]]:
        """Also the question with the range that was counted, and why if it is another one."""
        told = await self._tell(question, names, wish)
        if question.ranged or told.result.events:
            return question, told, []
        newest_ns = await newest_time_ns(self._runner, question.dataset, question.asker)
        if newest_ns is None:
            return question, told, ["the dataset has no event"]
        end_ns = (newest_ns // _SECOND_NS + 1) * _SECOND_NS
        start_ns = end_ns - limits.QUERY_RANGE_S_DEFAULT * _SECOND_NS
        moved = replace(question, start_ns=start_ns, end_ns=min(end_ns, 2**63 - 1))
        hours = limits.QUERY_RANGE_S_DEFAULT // 3_600
        why = (
            f"no event in the last {hours} h: shares and values are those of the {hours} h before "
            f"the newest event, which is of {rfc3339(newest_ns)}"
        )
        return moved, await self._tell(moved, names, wish), [why]

    async def _tell(
        self, question: FieldsQuestion, names: list[str], wish: CoverageRequirement
    ) -> Told[Details]:
        merging = partial(merge_details, len(names))
        return await self._runner.tell(partial(question.plan, names), merging, wish, question.asker)


def _described(column: ColumnSeen) -> dict[str, Any]:
    return {
        "name": column.name,
        "types": shown_types(column.types),
        "last_indexed": rfc3339(column.last_seen_ns),
    }


def _detailed(details: FieldDetails, events: int, samples: int) -> dict[str, Any]:
    return {
        "events": details.events,
        "share": details.events / events if events else 0.0,
        "last_seen": None if details.last_ns is None else rfc3339(details.last_ns),
        "samples": details.samples[:samples],
    }


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
