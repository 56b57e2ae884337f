"""Differences by conditions on other spans: which events there are, and which of them are inside.

Conditions of the query are those of any question about other spans. In a selection, and among the
fields that are looked at, `root.` and `parent.` are values, as in the filters of one calculation.
Its conditions with another prefix become marks, columns that come with the keys: whether a trace
has an event that meets them, or a span has a child that does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from common import limits
from common.metadata import ApiKey
from query.differences.request import DifferencesRequest, Selection
from query.faults import SpecError
from query.http.environment import EnvironmentDatasets
from query.plan.parts.conditions import Filter, FilterOp, filter_fields
from query.plan.parts.spans import KeyJoin, Kin, SpanKin, SpanMark, SpanQuery, SpansPer
from query.plan.plan import Plan
from query.plan.read.prefixed import Prefixed
from query.plan.relations import About, RelatedConditions, about_of, split_conditions
from query.plan.spec import TimeAxis
from query.results.relations.around import Around, note_on_none
from query.results.relations.keys import KeysWanted, keys_of
from query.results.relations.question import Related, named_relations, related_to
from query.results.relations.run import pinned
from query.results.relations.stored import StoredNames, note_untold
from query.results.steps import States, Steps
from query.wire.keys import encode_keys

_VALUES: Final = (About.ROOT, About.PARENT)
_MARKED: Final = (About.ANY, About.ANY2, About.ANY3, About.NONE)


def mark_name(about: About) -> str:
    """The column of a mark, which no field of an event has for a name."""
    return f"{about.value}\0"


@dataclass(frozen=True, slots=True)
class JoinedKeys:
    """The tables of keys that come with each plan, encoded, and how events are joined with them."""

    joins: tuple[KeyJoin, ...]
    sent: bytes


class RelatedDifferences:
    """One question. margin_ns: around the range, in which other spans are looked for.

    selection: as the shares are asked for it.
    """

    def __init__(
        self,
        wanted: DifferencesRequest,
        related: Related,
        marks: RelatedConditions,
        margin_ns: int,
        untold: frozenset[int],
    ) -> None:
        """related: of the query, with the fields that are values. marks: of the selection."""
        query = wanted.query
        self._wanted = wanted
        self._related = related
        self._marked = [about for about in _MARKED if about in marks.by_span]
        self._child = marks.of(About.CHILD) if About.CHILD in marks.by_span else None
        self._marks = marks
        self._margin_ns = margin_ns
        self._untold = untold
        overlapping = query.spec.time_axis is not TimeAxis.START
        self._around = Around(
            query.start_ns, query.end_ns, margin_ns, wanted.requester, overlapping
        )
        found = [*marks.of(About.OWN)]
        for about in self._marked:
            is_none = about is About.NONE
            op, values = (FilterOp.NOT_EXISTS, ()) if is_none else (FilterOp.EQ, (True,))
            found.append(Filter(mark_name(about), op, values))
        if self._child is not None:
            found.append(Filter(mark_name(About.CHILD), FilterOp.EQ, (True,)))
        self.selection = Selection(tuple(found), wanted.selection.inside)

    async def begin(self, steps: Steps) -> JoinedKeys:
        """The first exchange: the keys. Raises as `Steps.first` does."""
        keys = keys_of(self._related.conditions, fields=self._related.fields)
        marks = tuple(SpanMark(self._marks.of(about)) for about in self._marked)
        kin = () if self._child is None else (SpanKin(Kin.CHILD, self._child),)
        spans = SpanQuery(
            datasets=self._wanted.query.around,
            per=SpansPer.MARKS,
            marks=(*keys.marks, *marks),
            kin=(*keys.kin, *kin),
            values=keys.values,
            rows_max=limits.SPANS_MAX,
            bytes_max=limits.SPANS_BYTES_MAX,
        )

        def plan(*, at_least: dict[int, int], wait_ms: int, log: str) -> Plan:
            return self._around.plan(spans, at_least=at_least, wait_ms=wait_ms, log=log)

        return await steps.first(plan, lambda states: self._keys(keys, states, spans))

    def _keys(self, keys: KeysWanted, states: States, spans: SpanQuery) -> JoinedKeys:
        """Raises ShareTooHeavy."""
        of_query = keys.keys([_without_marks(one, keys) for one in states], spans)
        joins = of_query.joins
        for at, about in enumerate(self._marked, len(keys.marks)):
            tables = [one["main"].select(["trace_id", f"m{at}"]) for one in states]
            ids = [table.filter(table.column(1)).select(["trace_id"]) for table in tables]
            joins.append(_mark(Kin.TRACE, about, ids))
        if self._child is not None:
            some = [one[f"kin{len(keys.kin)}"] for one in states]
            joins.append(_mark(Kin.CHILD, About.CHILD, some))
        tables = [table for _, table in joins]
        return JoinedKeys(tuple(join for join, _ in joins), encode_keys(tables))

    def plan(self, plan: Plan, keys: JoinedKeys, first: Plan) -> Plan:
        """A plan of differences over the events that are joined with the keys.

        first: the plan of the first exchange.
        """
        assert plan.differences is not None
        differences = msgspec.structs.replace(
            plan.differences, selection=self.selection.filters, inside=self.selection.inside
        )
        joined = msgspec.structs.replace(
            plan,
            filters=self._related.own,
            any_filter=False,
            joins=keys.joins,
            differences=differences,
        )
        return pinned(joined, first)

    def types(self, steps: Steps) -> dict[str, str]:
        """After the first exchange, by field of other spans that conditions name: its types."""
        return {
            f"{about.value}{name}": steps.latest.get(name, "")
            for conditions in (self._related.conditions, self._marks)
            for about, filters in conditions.by_span.items()
            if about is not About.OWN
            for name in filter_fields(filters)
        }

    def settle(self, coverage: dict[str, object], *, must_be_complete: bool) -> None:
        """Tell of partitions whose fields of such names are not known. Raises Unavailable."""
        note_untold(coverage, self._untold, must_be_complete=must_be_complete)

    def notes(self, steps: Steps) -> list[str]:
        """What the answer does not show by itself."""
        hours = f"{self._margin_ns / 3_600e9:g} h"
        return [
            f"other spans of a trace are looked for from {hours} before the range to {hours} after"
            " it, in every dataset of the environment",
            *note_on_none(steps.coverage, self._related.conditions, "an event may count here"),
            *note_on_none(steps.coverage, self._marks, "an event may count as inside"),
        ]


def _without_marks(state: Mapping[str, pa.Table], keys: KeysWanted) -> dict[str, pa.Table]:
    """The state as if the selection had no marks."""
    names = ["trace_id", *(f"m{at}" for at, _ in enumerate(keys.marks))]
    return {**state, "main": state["main"].select(names)}


def _mark(kin: Kin, about: About, tables: Sequence[pa.Table]) -> tuple[KeyJoin, pa.Table]:
    """The keys of those that have a mark, each once."""
    names = ["trace_id"] if kin is Kin.TRACE else ["trace_id", "id"]
    none = pa.schema([(name, pa.string()) for name in names]).empty_table()
    rows = pa.concat_tables([none, *(table.select(names) for table in tables)])
    united = rows.group_by(names).aggregate([]).select(names)
    united = united.append_column("v0_b", pc.is_valid(united.column(0)))
    return KeyJoin(kin, fields=(mark_name(about),)), united


class RelatesDifferences:
    """Tells whether a question is about other spans. margin_s: seconds around its range."""

    def __init__(self, datasets: EnvironmentDatasets, stored: StoredNames, margin_s: int) -> None:
        self._datasets = datasets
        self._stored = stored
        self._margin_ns = margin_s * 10**9

    async def of(
        self, wanted: DifferencesRequest, key: ApiKey
    ) -> tuple[DifferencesRequest, RelatedDifferences | None]:
        """(the request with the datasets it needs, what it asks of other spans).

        Raises SpecError, and as `EnvironmentDatasets.asked` and `StoredNames.of` do.
        """
        names = {*named_relations(wanted.query.spec), *_named(wanted)}
        if not names:
            return wanted, None
        asked = wanted.query.datasets or await self._datasets.asked(key, wanted.query.dataset)
        stored, untold = await self._stored.of(asked, sorted(names), wanted.requester)
        own = related_to(wanted.query.spec, stored)
        if own is None and stored.issuperset(names):
            return wanted, None
        around = (await self._datasets.every(key)).datasets
        wanted = wanted.over(asked, around)
        values = {one for one in names if about_of(one, stored) in _VALUES}
        _check_fields(wanted, stored)
        with Prefixed("selection"):
            marks = split_conditions(wanted.selection.filters, False, {*stored, *values})
        conditions = RelatedConditions({}) if own is None else own.conditions
        if own is None:
            spec = wanted.query.spec
            conditions = split_conditions(spec.filters, spec.any_filter, stored)
        fields: dict[About, tuple[str, ...]] = {}
        for about in _VALUES:
            some = {one for one in values & _named(wanted) if one.startswith(about.value)}
            if some:
                fields[about] = tuple(one.removeprefix(about.value) for one in sorted(some))
        related = Related(conditions, fields)
        return wanted, RelatedDifferences(wanted, related, marks, self._margin_ns, untold)


def _named(wanted: DifferencesRequest) -> set[str]:
    """The fields of the selection, and those that are looked at, that are another span's."""
    named = {*filter_fields(wanted.selection.filters), *(wanted.fields or ())}
    own = {one.name for one in wanted.query.spec.calculated}
    return {name for name in named - own if about_of(name) is not About.OWN}


def _check_fields(wanted: DifferencesRequest, stored: frozenset[str]) -> None:
    """Raises SpecError for a field that several spans may have."""
    for at, name in enumerate(wanted.fields or ()):
        about = about_of(name, stored)
        if about is not About.OWN and about not in _VALUES:
            why = (
                f"{about.value} may be any of several spans of a trace: it stands in filters alone"
            )
            raise SpecError(f"fields[{at}]", "invalid", why)
