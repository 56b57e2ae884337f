"""The statement of a share for instances: the rows of events, and what each instance has of them.

The parts of an event (duration, name, error) are those of its dataset's definitions. Datasets with
the same definitions are read together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from query.plan.plan import InstanceColumn, InstancesWanted, Plan
from query.share.defined.joins import JoinedColumns
from query.share.defined.kinds import by_definition
from query.share.defined.rows import with_joins
from query.share.instances import columns as names
from query.share.pruning.footer_facts import FooterFacts
from query.share.sources.field_sql import FieldSql
from query.share.sources.filters import Parameters, condition
from query.share.sources.small_segments import SmallSegments
from query.share.sources.sources import Sources, gather
from query.share.spans.parts import SpanParts
from query.share.view.view import DatasetView
from segment.columns import FieldType

_LAST: Final = 2**63 - 1  # an end beyond the last time there is is that time
_NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class _Part:
    """Sources of datasets with the same definitions."""

    sources: Sources
    span: SpanParts


class InstanceStatements:
    """The statement over the views of some partitions.

    tables: those to register, by name. parameters: to be bound. rows_most: number of rows of all
    sources. types: by field, the letters of its types.
    """

    def __init__(
        self,
        plan: Plan,
        wanted: InstancesWanted,
        views: Sequence[DatasetView],
        small: SmallSegments | None,
        facts: FooterFacts | None,
        joined: JoinedColumns = (),
    ) -> None:
        """joined: the columns of the tables of the plan's joins. Raises DamagedObject."""
        self._plan = plan
        self._wanted = wanted
        self._parts: list[_Part] = []
        self._bound = Parameters()
        self.tables: dict[str, pa.Table] = {}
        for number, (definitions, some) in enumerate(by_definition(plan, views).items()):
            sources = gather(plan, some, small, facts, suffix=f"_{number}")
            sources = with_joins(sources, definitions, plan, joined)
            self.tables |= sources.tables
            self._parts.append(_Part(sources, SpanParts(definitions, sources.stored_sql)))
        held: dict[str, set[FieldType]] = {}
        for part in self._parts:
            for field, field_sql in part.sources.fields_sql.items():
                held.setdefault(field, set()).update(field_sql.types)
        self._held = held
        self.types = {
            field: "".join(sorted(one.value for one in types)) for field, types in held.items()
        }
        self.sql = self._made()

    @property
    def parameters(self) -> list[str]:
        """Values to bind to the statement."""
        return self._bound.values

    @property
    def rows_most(self) -> int:
        """Number of rows of all sources, before any condition."""
        return sum(part.sources.rows_most for part in self._parts)

    def _made(self) -> str:
        keys = sorted({
            name for part in self._parts for name in self._field(part, self._wanted.field).key_parts
        })  # fmt: skip
        events = " UNION ALL ".join(self._events(part, keys) for part in self._parts)
        firsts = {at: self._held.get(f, set()) for at, f in enumerate(self._wanted.fields)}
        firsts = {at: types for at, types in firsts.items() if types}
        made = names.aggregates(self._plan, firsts, of_events=True)
        by = ", ".join(names.KEY + name for name in keys)
        selected = ", ".join(f"{sql} AS {name}" for name, sql in made.items())
        if not keys:  # no event has the field
            return f"SELECT {selected} FROM ({events}) HAVING count(*) > 0"
        return f"SELECT {by}, {selected} FROM ({events}) GROUP BY {by}"

    def _events(self, part: _Part, keys: Sequence[str]) -> str:
        """The events of an instance that match, as rows of `columns`."""
        own, wanted = self._field(part, self._wanted.field), set(self._wanted.columns)
        span, parts = part.span, own.key_parts
        selected = {names.KEY + name: names.key_part(parts, name) for name in keys}
        selected |= {names.RATE: "1::BIGINT" if self._plan.unweighted else "r", names.START: "t"}
        if names.has_end(self._wanted):
            selected[names.END] = _end(span.duration_ms, self._plan)
        is_span = f"{span.annotation} IS NULL"
        if InstanceColumn.SPANS in wanted:
            selected[names.SPANS] = f"({is_span})::BIGINT"
        if InstanceColumn.ERRORS in wanted:
            selected[names.ERRORS] = f"({is_span} AND {span.error})::BIGINT"
        if InstanceColumn.LAST_STEP in wanted:
            begins = f"({span.annotation} IS NULL OR {span.annotation} = 'span_start')"
            step = f"CASE WHEN {begins} THEN {span.name} END"
            named = f"{begins} AND {span.name} IS NOT NULL"
            selected |= {names.STEP: step, names.STEP_TIME: f"CASE WHEN {named} THEN t END"}
        for at, field in enumerate(self._wanted.fields):
            types = self._held.get(field, set())
            field_sql = self._field(part, field)
            for one in FieldType:
                if one in types:
                    selected[f"f{at}_{one.value}"] = field_sql.column(one)
        columns = ", ".join(f"{sql} AS {name}" for name, sql in selected.items())
        where = f"({self._conditions(part)}) AND {own.exists}"
        return f"SELECT {columns} FROM ({part.sources.sql}) src WHERE {where}"

    def _field(self, part: _Part, field: str) -> FieldSql:
        return part.sources.fields_sql[field]

    def _conditions(self, part: _Part) -> str:
        fields_sql: Mapping[str, FieldSql] = part.sources.fields_sql
        found = [condition(one, fields_sql, self._bound) for one in self._plan.filters]
        return (" OR " if self._plan.any_filter else " AND ").join(found) or "TRUE"


def _end(duration_ms: str, plan: Plan) -> str:
    """SQL BIGINT: when an event ends, in unix ns."""
    if duration_ms.startswith("NULL"):
        return "t"
    most = f"least({duration_ms} * {_NS_PER_MS}, {float(_LAST - 1024)!r})::BIGINT"
    length = f"least({most}, {_LAST - max(plan.end_ns, 0):d})"
    return f"t + CASE WHEN {duration_ms} > 0 THEN {length} ELSE 0 END"
