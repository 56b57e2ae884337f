"""`POST /bw/1/differences`: in which fields some events of a query differ from its other events.

Exchanges over the same rows: the distributions of fields, then some events with the fields that
differ most, to tell which of them only say the same as the selection. It takes a turn like a
query (I14), ends when its client closes the connection, and says what it covers (I7).
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from aiohttp import web

from common.model.times.written import rfc3339
from query.differences.document import field_document, side_document
from query.differences.fields import FieldChoice
from query.differences.find import FoundDifferences, find_differences
from query.differences.rank import RankedField
from query.differences.related import RelatesDifferences
from query.differences.request import MEMBERS, DifferencesRequest, read_differences_request
from query.http.environment import EnvironmentDatasets
from query.http.requests import DatasetRequestReader, run_while_connected
from query.plan.parts.conditions import filter_fields
from query.plan.planner import needs_definitions
from query.results.notes.type_notes import notes_on_types
from query.results.notes.unknown_fields import UnknownFieldNotes
from query.results.runner import QueryRunner


class DifferencesRoute:
    """The handler; it needs the right to query."""

    def __init__(
        self,
        requests: DatasetRequestReader,
        runner: QueryRunner,
        choice: FieldChoice,
        notes: UnknownFieldNotes,
        datasets: EnvironmentDatasets,
        relates: RelatesDifferences,
    ) -> None:
        self._datasets = datasets
        self._relates = relates
        self._requests = requests
        self._runner = runner
        self._choice = choice
        self._notes = notes

    def add_to(self, app: web.Application) -> None:
        """Mount the route."""
        app.router.add_post("/bw/1/differences", self.differences)

    async def differences(self, request: web.Request) -> web.Response:
        """The fields in which the two sides differ, the greatest difference first."""
        begun = await self._requests.with_dataset_in_body(request, ", ".join(MEMBERS), or_all=True)
        wanted = read_differences_request(begun.body, begun.dataset, begun.now_ns, begun.requester)
        if needs_definitions(wanted.query.spec, begun.dataset):
            wanted = wanted.over(await self._datasets.asked(begun.key, begun.dataset))
        wanted, related = await self._relates.of(wanted, begun.key)
        coverage = begun.coverage_required()
        asking = self._runner.run_steps(
            partial(find_differences, wanted, self._choice, related=related),
            coverage,
            begun.requester,
        )
        found = await run_while_connected(request, asking)
        if related is not None:
            related.settle(found.coverage, must_be_complete=coverage.mode == "require")
        used = wanted.selection.fields | filter_fields(wanted.query.spec.filters)
        of_filters = {name: types for name, types in found.types.items() if name in used}
        notes = [
            *notes_on_types(wanted.query.spec, found.types),
            *await self._notes.unknown(begun.dataset, of_filters, begun.requester),
        ]
        encoded = await asyncio.to_thread(_encode, wanted, found, notes)
        return web.Response(body=encoded, content_type="application/json")


def _encode(wanted: DifferencesRequest, found: FoundDifferences, notes: Sequence[str]) -> bytes:
    inside, outside = found.sides.inside, found.sides.outside
    selected = wanted.selection.fields
    apart, ranked = list[dict[str, Any]](), list[RankedField]()
    for one in found.ranked:
        if one.name in selected:
            why = {"why": "selection"}
        elif one.name in found.follows:
            why = {"why": "follows", "from": found.follows[one.name]}
        else:
            ranked.append(one)
            continue
        apart.append(why | field_document(one, inside, outside))
    document = {
        "inside": side_document(inside),
        "outside": side_document(outside),
        "fields": [field_document(one, inside, outside) for one in ranked[: wanted.limit]],
        "same": apart,
        "looked_at": found.looked_at,
        "differing": sum(1 for one in ranked if one.measured.score > 0),
        "left_out": found.left_out,
        "start": rfc3339(wanted.query.start_ns),
        "end": rfc3339(wanted.query.end_ns),
        "coverage": found.coverage,
        "notes": [*found.notes, *notes, *_notes(wanted, found)],
    }
    return msgspec.json.encode(document)


def _notes(wanted: DifferencesRequest, found: FoundDifferences) -> list[str]:
    inside, outside = found.sides.inside, found.sides.outside
    notes = []
    if not inside.stored:
        notes.append("no event of the query is inside the selection")
    elif not outside.stored:
        notes.append("every event of the query is inside the selection")
    if wanted.no_part:
        notes.append(f"{', '.join(wanted.no_part)} of the query have no part in the answer")
    drawn = [one.distribution.read for one in found.ranked]
    if any(min(read.inside, read.outside) < 1 for read in drawn):
        notes.append(
            "of fields that are `sampled`, values were counted in events that were drawn at random"
        )
    return notes
