"""Finds traces by what holds of their spans, in a few exchanges over the same rows.

First the keys of the traces that qualify (`query.results.relations.keys`), where parents or
children matter also of those with a span that has such kin; then their sizes, for the order; then
what the spans of those come to that are shown. Spans are looked for from an hour before the range
to an hour after it (`query.trace_margin_s`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from common import limits
from common.metadata import ApiKey
from query.http.access import requester_of
from query.http.environment import EnvironmentDatasets, NamedDatasets, NoDatasetYet
from query.plan.parts.spans import KeyJoin, Size, SpanQuery, SpansPer
from query.plan.relations import About, RelatedConditions
from query.results.notes.coverage import CoverageRequirement
from query.results.relations.around import Around, note_on_none
from query.results.relations.keys import Keys, keys_of, own_mark
from query.results.runner import QueryRunner
from query.results.steps import States, Steps
from query.traces.merge import merged, merged_sizes, united
from query.traces.trace_ids import exact_forms
from query.wire.keys import encode_keys

_ANY_COVERAGE: Final = CoverageRequirement()
_S_NS: Final = 10**9


class TraceOrder(StrEnum):
    """The order of traces that were found."""

    NEWEST = "newest"
    SLOWEST = "slowest"
    SPANS = "spans"


_SIZES_OF: Final = {
    TraceOrder.NEWEST: (),
    TraceOrder.SLOWEST: (Size.END,),
    TraceOrder.SPANS: (Size.SPANS,),
}


@dataclass(frozen=True, slots=True)
class TracesWanted:
    """A search. A trace qualifies if one of its events lies in the range and meets the conditions
    about its own fields, and its other spans, up to the margin around the range, meet theirs.

    start_ns, end_ns: range of the times of events, half open, in unix ns.
    overlapping: whether it is enough that an event lies in the range for some time.
    datasets: their names; None: every dataset of the environment.
    """

    conditions: RelatedConditions
    start_ns: int
    end_ns: int
    overlapping: bool = False
    datasets: tuple[str, ...] | None = None
    order: TraceOrder = TraceOrder.NEWEST
    limit: int = limits.TRACES_LIMIT_DEFAULT


@dataclass(frozen=True, slots=True)
class FoundTraces:
    """rows: as `SpanTable` describes rows per trace, in the order asked for, at most as many.

    found: number of all traces that qualify. margin_ns: what was looked at around the range.
    """

    rows: pa.Table
    found: int
    margin_ns: int
    coverage: dict[str, Any]
    notes: list[str]
    types: dict[str, str]


class TraceSearch:
    """Searches. margin_s: the seconds around a range in which a trace's other spans may lie."""

    def __init__(self, runner: QueryRunner, datasets: EnvironmentDatasets, margin_s: int) -> None:
        self._runner = runner
        self._datasets = datasets
        self._margin_ns = margin_s * _S_NS

    async def find(
        self, wanted: TracesWanted, key: ApiKey, required: CoverageRequirement = _ANY_COVERAGE
    ) -> FoundTraces:
        """The traces that qualify. Raises as `SpanExchange.gather` does."""
        named = await self._datasets.named(key, wanted.datasets)
        if not named.datasets:
            raise NoDatasetYet
        search = _Search(wanted, named, key, self._margin_ns)
        return await self._runner.run_steps(search.run, required, requester_of(key))


class _Search:
    """One search."""

    def __init__(
        self, wanted: TracesWanted, named: NamedDatasets, key: ApiKey, margin_ns: int
    ) -> None:
        self._wanted = wanted
        self._named = named
        self._margin_ns = margin_ns
        self._around = Around(
            wanted.start_ns, wanted.end_ns, margin_ns, requester_of(key), wanted.overlapping
        )
        self._conditions = wanted.conditions
        own, positive = self._conditions.of(About.OWN), self._conditions.by_span.keys()
        self._has_kin = not positive.isdisjoint((About.PARENT, About.CHILD))
        # Where kin decide, own conditions are about the spans that have them.
        self._with_own = not self._has_kin and bool(own)

    async def run(self, steps: Steps) -> FoundTraces:
        """Search."""
        wanted = keys_of(self._conditions, with_own=self._with_own)
        if wanted.marks or wanted.kin:
            query = self._query(per=SpansPer.MARKS, marks=wanted.marks, kin=wanted.kin)
            keys = await steps.first(
                partial(self._around.plan, query), lambda s: wanted.keys(s, query)
            )
            if self._has_kin and not keys.none_qualifies:
                keys = await self._with_such_kin(steps, keys)
            ordered = await self._sizes(steps, keys)
        else:
            ordered = await self._sizes_at_once(steps)
        shown = ordered.select(["trace_id"]).slice(0, self._wanted.limit)
        return FoundTraces(
            await self._summaries(steps, shown),
            ordered.num_rows,
            self._margin_ns,
            steps.coverage,
            [
                *steps.notes,
                *note_on_none(steps.coverage, self._conditions, "a trace may be listed here"),
            ],
            steps.types,
        )

    async def _with_such_kin(self, steps: Steps, keys: Keys) -> Keys:
        """The traces that have an event in the range with the wanted parent or child."""
        own = keys_of(RelatedConditions({}), with_own=True)
        marks = (own_mark(self._conditions.of(About.OWN)),)
        query = self._joined(self._query(per=SpansPer.MARKS, marks=marks), keys)
        return await steps.again(
            lambda plan: msgspec.structs.replace(plan, spans=query),
            lambda states: own.keys(states, query),
            encode_keys([table for _, table in keys.joins]),
        )

    @property
    def _size_query(self) -> SpanQuery:
        """The sizes that the order needs, and whether the trace has an event in the range."""
        sizes = _SIZES_OF[self._wanted.order]
        marks = () if self._with_own or self._has_kin else (own_mark(()),)
        return self._query(per=SpansPer.SIZES, sizes=sizes, marks=marks)

    async def _sizes(self, steps: Steps, keys: Keys) -> pa.Table:
        """The ids of the traces that qualify, in the order asked for."""
        if keys.none_qualifies:
            return self._ordered(self._size_query, [])
        return await self._again(steps, self._size_query, keys, self._ordered)

    async def _sizes_at_once(self, steps: Steps) -> pa.Table:
        """The same where every trace qualifies that has an event in the range."""
        query = self._size_query
        return await steps.first(partial(self._around.plan, query), partial(self._ordered, query))

    async def _summaries(self, steps: Steps, shown: pa.Table) -> pa.Table:
        """What the spans of these traces come to, in their order."""
        query = self._query(per=SpansPer.TRACE)

        def work(query: SpanQuery, states: States) -> pa.Table:
            rows = merged(united([one["main"] for one in states], query), SpansPer.TRACE, (), None)
            ids = rows.column("trace_id").combine_chunks()
            # an id in capitals and in small letters is named as both, and may be two
            found = pc.index_in(shown.column("trace_id").combine_chunks(), value_set=ids)
            return rows.take(found.drop_null())

        if not shown.num_rows:
            return work(query, [])
        return await self._again(steps, query, Keys(shown), work)

    async def _again(
        self,
        steps: Steps,
        query: SpanQuery,
        keys: Keys,
        work: Callable[[SpanQuery, States], pa.Table],
    ) -> pa.Table:
        """An exchange over the events with these keys."""
        tables = [table for _, table in keys.joins]
        if keys.traces is not None and keys.traces.num_rows <= limits.TRACES_NAMED_MAX:
            ids = keys.traces.column("trace_id").to_pylist()
            forms = dict.fromkeys(form for one in ids for form in exact_forms(one))
            query, tables = msgspec.structs.replace(query, trace_ids=tuple(forms)), []
        else:
            query = self._joined(query, keys)
        return await steps.again(
            lambda plan: msgspec.structs.replace(plan, spans=query),
            partial(work, query),
            encode_keys(tables) if tables else b"",
        )

    def _joined(self, query: SpanQuery, keys: Keys) -> SpanQuery:
        joins: tuple[KeyJoin, ...] = tuple(join for join, _ in keys.joins)
        return msgspec.structs.replace(query, joins=joins)

    def _query(self, **more: Any) -> SpanQuery:
        return SpanQuery(
            datasets=self._named.datasets,
            rows_max=limits.SPANS_MAX,
            bytes_max=limits.SPANS_BYTES_MAX,
            inside=(self._wanted.start_ns, self._wanted.end_ns),
            **more,
        )

    def _ordered(self, query: SpanQuery, states: States) -> pa.Table:
        """The traces in the order asked for; of equal ones the newer, then by id."""
        rows = merged_sizes(united([one["main"] for one in states], query))
        if query.marks:
            rows = rows.filter(rows.column("m0"))
        order = self._wanted.order
        if order is TraceOrder.SLOWEST:
            # it may be longer than a signed number can say: then it is negative here
            length = pc.subtract(rows.column("end_ns"), rows.column("start_ns"))
            by = length.cast(pa.uint64(), safe=False)
        else:
            by = rows.column("spans" if order is TraceOrder.SPANS else "start_ns")
        keys = [("by", "descending"), ("start_ns", "descending"), ("trace_id", "ascending")]
        return rows.append_column("by", by).sort_by(keys)
