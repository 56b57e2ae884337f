"""`POST /bw/1/traces/examples`: of some events, a trace of the slowest, a typical and a failed one.

Three questions, each in a turn of its own (I14), with what they cover (I7): the slowest and the
failed one at once, then the typical one, which is near the median that the first has found.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web

from common.model.times.written import rfc3339
from query.http.environment import EnvironmentDatasets
from query.http.requests import DatasetRequest, DatasetRequestReader, run_while_connected
from query.plan.parts.spans import SpanDataset, SpanNames
from query.plan.planner import QueryRequest, build_request, needs_definitions
from query.plan.spec import QuerySpec
from query.results.answer import Answer
from query.results.notes.coverage import CoverageRequirement
from query.results.relations.question import named_relations
from query.results.relations.stored import StoredNames
from query.results.runner import QueryRunner
from query.traces.examples.request import (
    EVENTS,
    MEDIAN,
    MEMBERS,
    MOST,
    SPAN,
    TRACE,
    ExamplesRequest,
    failed_of,
    read_examples_request,
    slowest_of,
    typical_of,
)

_Ask = Callable[[QuerySpec], Awaitable[Answer]]


class ExamplesRoute:
    """The handler; it needs the right to query."""

    def __init__(
        self,
        requests: DatasetRequestReader,
        runner: QueryRunner,
        known: EnvironmentDatasets,
        stored: StoredNames,
    ) -> None:
        self._requests = requests
        self._runner = runner
        self._known = known
        self._stored = stored

    def add_to(self, app: web.Application) -> None:
        """Mount the route."""
        app.router.add_post("/bw/1/traces/examples", self.examples)

    async def examples(self, request: web.Request) -> web.Response:
        """The three traces; null where there is none."""
        begun = await self._requests.with_dataset_in_body(request, ", ".join(MEMBERS), or_all=True)
        wanted = read_examples_request(begun.body)
        datasets = await self._known.asked(begun.key, begun.dataset)
        around: tuple[SpanDataset, ...] = ()
        if named_relations(wanted.spec):
            around = (await self._known.every(begun.key)).datasets
        asking = _Asking(
            self._runner, self._stored, begun, datasets, around, begun.coverage_required()
        )
        finding = _find(asking.ask, wanted, _together(datasets))
        found = await run_while_connected(request, finding)
        where = build_request(wanted.spec, begun.dataset, begun.now_ns)
        found |= {"start": rfc3339(where.start_ns), "end": rfc3339(where.end_ns)}
        return web.Response(body=msgspec.json.encode(found), content_type="application/json")


@dataclass(frozen=True, slots=True)
class _Asking:
    """Asks questions of one request."""

    runner: QueryRunner
    stored: StoredNames
    begun: DatasetRequest
    datasets: tuple[SpanDataset, ...]
    around: tuple[SpanDataset, ...]
    coverage: CoverageRequirement

    async def ask(self, spec: QuerySpec) -> Answer:
        """The answer. Raises as `QueryRunner.run` does."""
        begun = self.begun
        with_definitions = self.around or needs_definitions(spec, begun.dataset)
        query: QueryRequest = build_request(
            spec,
            begun.dataset,
            begun.now_ns,
            disable_series=True,
            with_total=True,
            datasets=self.datasets if with_definitions else (),
            around=self.around,
            env=begun.requester.env,
            key=begun.requester.key,
        )
        return await self.runner.run(await self.stored.resolved(query), self.coverage)


async def _find(ask: _Ask, wanted: ExamplesRequest, names: SpanNames) -> dict[str, Any]:
    slowest, failed = await asyncio.gather(
        ask(slowest_of(wanted, names)), ask(failed_of(wanted, names))
    )
    answers = [slowest, failed]
    over_all = slowest.data["total_by_aggregate"]
    median, typical = over_all[MEDIAN], None
    if median is not None:
        answers.append(await ask(typical_of(wanted, names, median)))
        typical = _example(answers[-1])
    return {
        "slowest": None if median is None else _example(slowest),
        "typical": typical,
        "failed": _example(failed),
        "median": median,
        "events": over_all[EVENTS],
        "coverage": next((a.coverage for a in answers if not a.coverage["complete"]), None)
        or slowest.coverage,
        "notes": list(dict.fromkeys(note for one in answers for note in one.notes)),
    }


def _example(answer: Answer) -> dict[str, Any] | None:
    """The first group of an answer; None if there is none."""
    for row in answer.data["results"]:
        data = row["data"]
        return {"trace_id": data[TRACE], "span_id": data[SPAN], "value": data[MOST]}
    return None


def _together(datasets: Sequence[SpanDataset]) -> SpanNames:
    """The fields that are defined in any of the datasets, each once."""
    every = [one.names for one in datasets]

    def some(part: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for names in every for name in getattr(names, part)))

    return SpanNames(**{part: some(part) for part in SpanNames.__struct_fields__})
