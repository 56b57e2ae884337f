"""Spans by their own conditions and by those on other spans of their traces, in two exchanges.

First the keys of the traces, parents and children that meet conditions; then the spans that are
joined with them, over exactly the rows of the first exchange.
"""

from functools import partial
from typing import Final

import msgspec
import pyarrow as pa

from common.metadata import ApiKey
from query.http.access import requester_of
from query.http.environment import EnvironmentDatasets, NamedDatasets, NoDatasetYet
from query.plan.parts.spans import SpanQuery, SpansPer
from query.plan.plan import Plan
from query.plan.relations import About, RelatedConditions, split_conditions
from query.results.notes.coverage import CoverageRequirement
from query.results.relations.around import Around, note_on_none
from query.results.relations.keys import Keys, keys_of
from query.results.runner import QueryRunner
from query.results.steps import States, Steps
from query.traces.exchange import SpanExchange, merge_spans, span_query
from query.traces.wanted import SpansWanted, SpanTable
from query.wire.keys import encode_keys

_ANY_COVERAGE: Final = CoverageRequirement()
_S_NS: Final = 10**9


class RelatedSpans:
    """Gathers spans. margin_s: the seconds around a range in which other spans may lie."""

    def __init__(
        self,
        exchange: SpanExchange,
        runner: QueryRunner,
        datasets: EnvironmentDatasets,
        margin_s: int,
    ) -> None:
        self._exchange = exchange
        self._runner = runner
        self._datasets = datasets
        self.margin_s = margin_s

    async def gather(
        self, wanted: SpansWanted, key: ApiKey, required: CoverageRequirement = _ANY_COVERAGE
    ) -> SpanTable:
        """The spans in the range that meet the filters, some of which may be about other spans.

        Raises as `SpanExchange.gather` does, and SpecError as `split_conditions` does.
        """
        conditions = split_conditions(wanted.filters, wanted.any_filter)
        if conditions.is_plain:
            return await self._exchange.gather(wanted, key, required)
        named = await self._datasets.named(key, wanted.datasets)
        if not named.datasets:
            raise NoDatasetYet
        question = _Question(wanted, conditions, named, key, self.margin_s * _S_NS)
        return await self._runner.run_steps(question.run, required, requester_of(key))


class _Question:
    """One question with conditions on other spans."""

    def __init__(
        self,
        wanted: SpansWanted,
        conditions: RelatedConditions,
        named: NamedDatasets,
        key: ApiKey,
        margin_ns: int,
    ) -> None:
        self._wanted = wanted
        self._conditions = conditions
        self._named = named
        self._around = Around(wanted.start_ns, wanted.end_ns, margin_ns, requester_of(key))

    async def run(self, steps: Steps) -> SpanTable:
        """Gather."""
        marked = keys_of(self._conditions)
        spans = span_query(self._wanted, self._named)
        first = msgspec.structs.replace(
            spans, per=SpansPer.MARKS, fields=(), marks=marked.marks, kin=marked.kin
        )
        keys = await steps.first(partial(self._around.plan, first), lambda s: marked.keys(s, first))
        rows = await self._joined(steps, spans, keys)
        notes = [
            *steps.notes,
            *note_on_none(steps.coverage, self._conditions, "an event may count here"),
        ]
        return SpanTable(rows, steps.coverage, notes, steps.types, self._wanted.fields)

    async def _joined(self, steps: Steps, spans: SpanQuery, keys: Keys) -> pa.Table:
        """The spans in the range that meet their own conditions and have the keys."""
        if keys.none_qualifies:
            return merge_spans(self._wanted, spans, self._named, [])
        joins = keys.joins
        query = msgspec.structs.replace(spans, joins=tuple(join for join, _ in joins))

        def narrowed(plan: Plan) -> Plan:
            return msgspec.structs.replace(
                plan,
                start_ns=self._wanted.start_ns,
                end_ns=self._wanted.end_ns,
                filters=self._conditions.of(About.OWN),
                spans=query,
            )

        def work(states: States) -> pa.Table:
            return merge_spans(self._wanted, query, self._named, states)

        return await steps.again(narrowed, work, encode_keys([table for _, table in joins]))
