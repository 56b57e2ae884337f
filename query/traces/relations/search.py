"""Finds traces by what holds of their spans, in two or three exchanges over the same rows.

First the keys of the traces that qualify (`query.traces.relations.keys`), where parents or children
matter also of those with a span that has such kin, then what the spans of each come to. Spans are
looked for from an hour before the range to an hour after it (`query.trace_margin_s`).
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from common import limits
from common.errors import Unprocessable
from common.metadata import ApiKey
from query.http.access import requester_of
from query.plan.plan import KeyJoin, Plan, SpanQuery, SpansPer
from query.results.runner import CoverageRequirement, QueryRunner
from query.results.steps import Steps
from query.traces.environment import EnvironmentDatasets, NamedDatasets
from query.traces.merge import merged, united
from query.traces.relations.keys import Keys, keys_of, own_mark
from query.traces.relations.split import POSITIVE, About, RelatedConditions
from query.traces.trace_ids import exact_forms
from query.traces.wanted import TIME_MAX_NS, TIME_MIN_NS
from query.wire.keys import encode_keys

_ANY_COVERAGE: Final = CoverageRequirement()
_S_NS: Final = 10**9


class TraceOrder(StrEnum):
    """The order of traces that were found."""

    NEWEST = "newest"
    SLOWEST = "slowest"
    SPANS = "spans"


@dataclass(frozen=True, slots=True)
class TracesWanted:
    """A search. A trace qualifies if one of its events lies in the range and meets the conditions
    about its own fields, and its other spans, up to the margin around the range, meet theirs.

    start_ns, end_ns: range of the times of events, half open, in unix ns.
    datasets: their names; None: every dataset of the environment.
    """

    conditions: RelatedConditions
    start_ns: int
    end_ns: int
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
            raise Unprocessable("the environment has no dataset yet")
        search = _Search(wanted, named, key, self._margin_ns)
        return await self._runner.run_steps(search.run, required, requester_of(key))


class _Search:
    """One search."""

    def __init__(
        self, wanted: TracesWanted, named: NamedDatasets, key: ApiKey, margin_ns: int
    ) -> None:
        self._wanted = wanted
        self._named = named
        self._requester = requester_of(key)
        self._margin_ns = margin_ns
        self._conditions = wanted.conditions
        own, positive = self._conditions.of(About.OWN), self._conditions.by_span.keys()
        self._has_kin = not positive.isdisjoint((About.PARENT, About.CHILD))
        # Where kin decide, own conditions are about the spans that have them. Else they decide
        # themselves, unless they are none and another condition chooses traces.
        self._with_own = not self._has_kin and (bool(own) or positive.isdisjoint(POSITIVE))

    async def run(self, steps: Steps) -> FoundTraces:
        """Search."""
        wanted = keys_of(self._conditions, with_own=self._with_own)
        query = self._query(per=SpansPer.MARKS, marks=wanted.marks, kin=wanted.kin)
        keys = await steps.first(partial(self._plan, query), lambda s: wanted.keys(s, query))
        if self._has_kin and not keys.none_qualifies:
            keys = await self._with_such_kin(steps, keys)
        rows = await self._summaries(steps, keys)
        ordered = self._ordered(rows)
        return FoundTraces(
            ordered,
            rows.num_rows,
            self._margin_ns,
            steps.coverage,
            [*steps.notes, *self._notes(steps)],
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

    async def _summaries(self, steps: Steps, keys: Keys) -> pa.Table:
        """What the spans of each trace come to that qualifies."""
        is_decided = self._with_own or self._has_kin
        marks = () if is_decided else (own_mark(()),)
        query = self._query(per=SpansPer.TRACE, marks=marks)
        if keys.none_qualifies:
            return merged(united([], query), SpansPer.TRACE, (), None)
        few = keys.traces is not None and keys.traces.num_rows <= limits.TRACES_NAMED_MAX
        tables: list[pa.Table] = []
        if few and keys.traces is not None:
            ids = keys.traces.column("trace_id").to_pylist()
            forms = dict.fromkeys(form for one in ids for form in exact_forms(one))
            query = msgspec.structs.replace(query, trace_ids=tuple(forms))
        else:
            query = self._joined(query, keys)
            tables = [table for _, table in keys.joins]

        def work(states: list[dict[str, pa.Table]]) -> pa.Table:
            rows = united([state["main"] for state in states], query)
            rows = merged(rows, SpansPer.TRACE, (), None)
            return rows if is_decided else rows.filter(rows.column("m0"))

        return await steps.again(
            lambda plan: msgspec.structs.replace(plan, spans=query),
            work,
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

    def _plan(self, query: SpanQuery, *, at_least: dict[int, int], wait_ms: int, log: str) -> Plan:
        return Plan(
            dataset="",
            start_ns=max(TIME_MIN_NS, self._wanted.start_ns - self._margin_ns),
            end_ns=min(TIME_MAX_NS, self._wanted.end_ns + self._margin_ns),
            needs=(),
            log=log,
            at_least=at_least,
            wait_ms=wait_ms,
            spans=query,
            env=self._requester.env,
            key=self._requester.key,
        )

    def _ordered(self, rows: pa.Table) -> pa.Table:
        """The first ones in the order asked for; of equal ones the newer, then by id."""
        # it may be longer than a signed number can say: then it is negative here
        length = pc.subtract(rows.column("end_ns"), rows.column("start_ns"))
        sizes = {
            TraceOrder.NEWEST: rows.column("start_ns"),
            TraceOrder.SLOWEST: length.cast(pa.uint64(), safe=False),
            TraceOrder.SPANS: rows.column("spans"),
        }
        by = [("by", "descending"), ("start_ns", "descending"), ("trace_id", "ascending")]
        ordered = rows.append_column("by", sizes[self._wanted.order]).sort_by(by)
        return ordered.drop_columns(["by"]).slice(0, self._wanted.limit)

    def _notes(self, steps: Steps) -> list[str]:
        if steps.coverage["complete"] or About.NONE not in self._conditions.by_span:
            return []
        return [
            "not everything is covered: a trace may be listed here although a span that is missing "
            "meets a condition of `none.`"
        ]
