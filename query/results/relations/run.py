"""Totals and series of a question about other spans, in exchanges over the same rows (ADR 0065).

First come the keys of the traces, roots, parents and children that meet conditions, and the values
of the fields of roots and parents; then totals and series of the events that are joined with them.
"""

from functools import partial
from typing import NamedTuple

import msgspec

from common import limits
from common.process.fair.requester import Requester
from query.plan.parts.conditions import filter_fields
from query.plan.parts.spans import SpanQuery, SpansPer
from query.plan.plan import Plan
from query.plan.planner import QueryRequest, totals_plan
from query.plan.relations import About
from query.plan.spec import TimeAxis
from query.results.relations.around import Around, note_on_none
from query.results.relations.keys import Keys, KeysWanted, keys_of
from query.results.relations.question import Related
from query.results.steps import Steps
from query.results.totals.series import (
    SERIES,
    TOTAL_SERIES,
    merge_at_once,
    merge_series,
    needs_steps,
    no_series,
    series_wanted,
    with_steps,
)
from query.results.totals.totals import Totals, merge_totals
from query.wire.keys import encode_keys


class RelatedTotals(NamedTuple):
    """types: by field that the query names, the letters of its types."""

    totals: Totals
    types: dict[str, str]
    notes: list[str]


class RelatedQuery:
    """One question. margin_ns: around the range, in which other spans are looked for."""

    def __init__(self, query: QueryRequest, related: Related, margin_ns: int) -> None:
        self._query = query
        self._related = related
        self._margin_ns = margin_ns
        overlapping = query.spec.time_axis is not TimeAxis.START
        asker = Requester(query.env, query.key)
        self._around = Around(query.start_ns, query.end_ns, margin_ns, asker, overlapping)

    async def run(self, steps: Steps, *, at_once: bool) -> RelatedTotals:
        """Ask. at_once: whether series of all groups have few cells, of which totals are made."""
        query = self._query
        keys = await self.keys(steps)
        types = self.types(steps)
        at_once = needs_steps(query.spec) or (at_once and query.with_series)
        totals = await self._totals(steps, keys, at_once=at_once)
        types |= steps.latest
        return RelatedTotals(totals, types, [*steps.notes, *self.notes(steps)])

    def types(self, steps: Steps) -> dict[str, str]:
        """After the first exchange, by field of other spans that conditions name: its types."""
        return {
            f"{about.value}{name}": steps.latest.get(name, "")
            for about, filters in self._related.conditions.by_span.items()
            if about is not About.OWN
            for name in filter_fields(filters)
        }

    async def keys(self, steps: Steps) -> Keys:
        """The first exchange."""
        wanted = keys_of(self._related.conditions, fields=self._related.fields)
        spans = self._span_query(wanted)
        return await steps.first(partial(self._around.plan, spans), lambda s: wanted.keys(s, spans))

    async def _totals(self, steps: Steps, keys: Keys, *, at_once: bool) -> Totals:
        """Totals with their series."""
        query, sent = self._query, encode_keys([table for _, table in keys.joins])
        if at_once:
            plan = with_steps(query, self.joined(self._totals_plan, keys))
            found = await steps.again(
                partial(pinned, plan), partial(merge_at_once, query, plan), sent
            )
            if found is not None:
                return found
        plan = self.joined(self._totals_plan, keys)
        totals = await steps.again(partial(pinned, plan), partial(merge_totals, query, plan), sent)
        for one in series_wanted(query, plan, totals, {}) if query.with_series else ():
            totals.data[one.member] = await steps.again(
                partial(pinned, one.plan), partial(merge_series, query, one), sent
            )
        if query.with_series and query.with_total and not query.spec.breakdowns:
            totals.data[TOTAL_SERIES] = totals.data.get(SERIES, no_series(query))
        return totals

    @property
    def _totals_plan(self) -> Plan:
        return totals_plan(self._query, at_least={}, wait_ms=0)

    def joined(self, plan: Plan, keys: Keys) -> Plan:
        """The plan over the events alone that have the keys."""
        return msgspec.structs.replace(
            plan,
            filters=self._related.own,
            any_filter=False,
            joins=tuple(join for join, _ in keys.joins),
        )

    def _span_query(self, wanted: KeysWanted) -> SpanQuery:
        return SpanQuery(
            datasets=self._query.around,
            per=SpansPer.MARKS,
            marks=wanted.marks,
            kin=wanted.kin,
            values=wanted.values,
            rows_max=limits.SPANS_MAX,
            bytes_max=limits.SPANS_BYTES_MAX,
        )

    def notes(self, steps: Steps) -> list[str]:
        """What the answer does not show by itself."""
        hours = f"{self._margin_ns / 3_600e9:g} h"
        notes = [
            f"other spans of a trace are looked for from {hours} before the range to {hours} after"
            " it, in every dataset of the environment"
        ]
        return notes + note_on_none(
            steps.coverage, self._related.conditions, "an event may count here"
        )


def pinned(plan: Plan, first: Plan) -> Plan:
    """A plan that reads the undecided batches that counted in the first exchange."""
    return msgspec.structs.replace(
        plan, counted=first.counted, left_out=first.left_out, wait_ms=first.wait_ms
    )
