"""Rows by conditions on other spans of their traces: keys first, then the rows joined with them."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial

from common import limits
from common.metadata import ApiKey
from query.http.environment import EnvironmentDatasets, NamedDatasets
from query.plan.planner import QueryRequest
from query.results.answer import PlanResult
from query.results.relations.question import named_relations, related_to
from query.results.relations.run import RelatedQuery, pinned
from query.results.relations.stored import StoredNames, note_untold
from query.results.steps import Steps
from query.rows.page import Page, make_page
from query.rows.request import RowsRequest
from query.wire.keys import encode_keys

AskPage = Callable[[Steps], Coroutine[None, None, PlanResult[Page]]]


class RelatedRows:
    """margin_s: the seconds around a range in which other spans may lie."""

    def __init__(self, datasets: EnvironmentDatasets, stored: StoredNames, margin_s: int) -> None:
        self._datasets = datasets
        self._stored = stored
        self._margin_ns = margin_s * 10**9

    async def asking(
        self, wanted: RowsRequest, key: ApiKey, *, must_be_complete: bool = False
    ) -> AskPage | None:
        """How the page is asked for; None: its conditions are about the rows alone.

        Raises SpecError, and as `EnvironmentDatasets.asked` and `StoredNames.of` do.
        """
        names = named_relations(wanted.spec)
        if not names:
            return None
        asked = await self._datasets.asked(key, wanted.dataset)
        stored, untold = await self._stored.of(asked, names, wanted.requester)
        related = related_to(wanted.spec, stored)
        if related is None:
            return None
        query = QueryRequest(
            spec=wanted.spec,
            dataset=wanted.dataset,
            start_ns=wanted.start_ns,
            end_ns=wanted.end_ns,
            step_ns=10**9,
            limit=limits.QUERY_LIMIT_DEFAULT,
            datasets=asked,
            around=(await self._datasets.every(key)).datasets,
            env=wanted.requester.env,
            key=wanted.requester.key,
        )
        question = RelatedQuery(query, related, self._margin_ns)
        rows = replace(wanted, datasets=NamedDatasets(asked, wanted.datasets.names))

        async def ask(steps: Steps) -> PlanResult[Page]:
            keys = await question.keys(steps)
            plan = question.joined(rows.plan(at_least={}, wait_ms=0, log=""), keys)
            sent = encode_keys([table for _, table in keys.joins])
            page = await steps.again(partial(pinned, plan), partial(make_page, rows), sent)
            note_untold(steps.coverage, untold, must_be_complete=must_be_complete)
            notes = [*steps.notes, *question.notes(steps)]
            return PlanResult(page, steps.coverage, notes, steps.latest)

        return ask
