"""The keys of the traces and spans that meet related conditions: the first of two exchanges.

Shares send, for each trace that has one, whether some of its events meets each condition; and for
`parent.` and `child.` the keys of the spans that do. Put together they say which traces qualify.
The second exchange joins spans with these keys, over exactly the rows of the first one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from query.cancellation import check_cancelled
from query.plan.parts.conditions import Filter
from query.plan.parts.spans import KeyJoin, Kin, SpanKin, SpanMark, SpanQuery, SpanValues
from query.plan.relations import POSITIVE, About, RelatedConditions
from query.results.relations.values import joined_values
from query.share.compute.too_heavy import too_many_span_bytes, too_many_spans

NO_FIELDS: Final[Mapping[About, tuple[str, ...]]] = {}
_KIN = ((About.PARENT, Kin.PARENT), (About.CHILD, Kin.CHILD))


@dataclass(frozen=True, slots=True)
class Keys:
    """Tables of keys, each key once; None: there is no such condition.

    traces: trace_id of those that qualify.
    excluded: trace_id of those that do not, where only `none.` decides.
    parents, children: (trace_id, id): spans that meet `parent.`; ids of the parents of those that
        meet `child.`.
    values: keys of spans with the values of their fields.
    """

    traces: pa.Table | None = None
    excluded: pa.Table | None = None
    parents: pa.Table | None = None
    children: pa.Table | None = None
    values: tuple[tuple[KeyJoin, pa.Table], ...] = ()

    @property
    def none_qualifies(self) -> bool:
        """Whether no span can have all keys."""
        return any(
            table is not None and not table.num_rows
            for table in (self.traces, self.parents, self.children)
        )

    @property
    def joins(self) -> list[tuple[KeyJoin, pa.Table]]:
        """How the spans of a second exchange are joined with the tables."""
        found = [
            (KeyJoin(Kin.TRACE), self.traces),
            (KeyJoin(Kin.TRACE, negated=True), self.excluded),
            (KeyJoin(Kin.PARENT), self.parents),
            (KeyJoin(Kin.CHILD), self.children),
        ]
        joins = [(join, table) for join, table in found if table is not None]
        return [*joins, *self.values]


@dataclass(frozen=True, slots=True)
class KeysWanted:
    """The marks and kin that shares send for conditions.

    abouts: what the first marks are about; one more is about an event's own fields.
    """

    marks: tuple[SpanMark, ...]
    kin: tuple[SpanKin, ...]
    abouts: tuple[About, ...]
    values: tuple[SpanValues, ...] = ()

    def keys(self, states: Sequence[dict[str, pa.Table]], query: SpanQuery) -> Keys:
        """The keys, out of the states of all shares. Raises ShareTooHeavy."""
        names = ["main", *(f"kin{at}" for at, _ in enumerate(self.kin))]
        names += [f"values{at}" for at, _ in enumerate(self.values)]
        _check_bounds([state[name] for state in states for name in names], query)
        traces, excluded = self._traces([state["main"] for state in states])
        kin: dict[Kin, pa.Table] = {}
        for at, one in enumerate(self.kin):
            check_cancelled()
            kin[one.kin] = _distinct([state[f"kin{at}"] for state in states], traces, excluded)
        values = [
            joined_values(one, [state[f"values{at}"] for state in states])
            for at, one in enumerate(self.values)
        ]
        return Keys(traces, excluded, kin.get(Kin.PARENT), kin.get(Kin.CHILD), tuple(values))

    def _traces(self, tables: Sequence[pa.Table]) -> tuple[pa.Table | None, pa.Table | None]:
        """(those that qualify, those that are excluded), one of them None."""
        if not self.marks:
            return None, None
        every = pa.schema([("trace_id", pa.string()), *((m, pa.bool_()) for m in self._names)])
        rows = pa.concat_tables([every.empty_table(), *tables])
        united = rows.group_by("trace_id").aggregate([(name, "any") for name in self._names])
        check_cancelled()
        wanted: pa.ChunkedArray | None = None
        unwanted: pa.ChunkedArray | None = None
        for at, name in enumerate(self._names):
            met = united.column(f"{name}_any")
            if at < len(self.abouts) and self.abouts[at] is About.NONE:
                unwanted = met
            else:
                wanted = met if wanted is None else pc.and_(wanted, met)
        ids = united.select(["trace_id"])
        if wanted is None:
            return None, ids.filter(unwanted)
        return ids.filter(wanted if unwanted is None else pc.and_not(wanted, unwanted)), None

    @property
    def _names(self) -> list[str]:
        return [f"m{at}" for at, _ in enumerate(self.marks)]


def keys_of(
    conditions: RelatedConditions,
    *,
    with_own: bool = False,
    fields: Mapping[About, tuple[str, ...]] = NO_FIELDS,
) -> KeysWanted:
    """What shares have to send for conditions.

    with_own: whether also a trace's own events must meet the conditions about them.
    fields: whose values are wanted, of the root or the parent that meets the conditions about it.
    """
    abouts = tuple(a for a in (*POSITIVE, About.NONE) if a in conditions.by_span)
    marks = [SpanMark(conditions.of(about), root=about is About.ROOT) for about in abouts]
    if with_own:
        marks.append(own_mark(conditions.of(About.OWN)))
    kin = tuple(
        SpanKin(kin, conditions.of(about)) for about, kin in _KIN if about in conditions.by_span
    )
    values = tuple(
        SpanValues(kin, fields[about], conditions.of(about))
        for about, kin in ((About.ROOT, Kin.TRACE), (About.PARENT, Kin.PARENT))
        if about in fields
    )
    return KeysWanted(tuple(marks), kin, abouts, values)


def own_mark(own: tuple[Filter, ...]) -> SpanMark:
    """The mark of traces of which an event inside of the range meets its own conditions."""
    return SpanMark(own, inside=True)


def _distinct(
    tables: Sequence[pa.Table], traces: pa.Table | None, excluded: pa.Table | None
) -> pa.Table:
    """The keys of kin, each once, of traces that qualify."""
    schema = pa.schema({"trace_id": pa.string(), "id": pa.string()})
    rows = pa.concat_tables([schema.empty_table(), *tables])
    if traces is not None:
        rows = rows.filter(_is_of(rows, traces))
    if excluded is not None:
        rows = rows.filter(pc.invert(_is_of(rows, excluded)))
    return rows.group_by(["trace_id", "id"]).aggregate([])


def _is_of(rows: pa.Table, traces: pa.Table) -> pa.ChunkedArray:
    return pc.is_in(rows.column("trace_id"), value_set=traces.column("trace_id").combine_chunks())


def _check_bounds(tables: Sequence[pa.Table], query: SpanQuery) -> None:
    if sum(table.num_rows for table in tables) > query.rows_max:
        raise too_many_spans(query.rows_max)
    if sum(table.nbytes for table in tables) > query.bytes_max:
        raise too_many_span_bytes(query.bytes_max)
