"""The statements of a plan on spans, over the views of some partitions.

A row is a span, or what the spans of one trace that the share has come to: a trace lies in many
partitions, so that `query.traces.merge` puts the rows of all shares together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec
import pyarrow as pa

from query.plan.parts.spans import Kin, Size, SpanDataset, SpanKin, SpanQuery, SpansPer, SpanValues
from query.plan.plan import Plan
from query.share.defined.axis import gather_in_range
from query.share.pruning.footer_facts import FooterFacts
from query.share.sources.field_sql import sql_type
from query.share.sources.filters import Parameters
from query.share.sources.small_segments import SmallSegments
from query.share.sources.sources import POSITION, RowSource, Sources
from query.share.spans.conditions import SpanConditions, pruning_filters
from query.share.spans.ends import end_sql
from query.share.spans.parts import SpanParts, common_form_sql, json_value_sql
from query.share.view.view import DatasetView
from segment.columns import FieldType

PLACE: Final = (*POSITION, "s", "n")  # columns of a row's position and source
KEYS: Final = "keys"  # and the number of a join: a table of keys
_COLUMNS: Final = {
    "dataset": "INTEGER",
    "time_ns": "BIGINT",
    "trace_id": "VARCHAR",
    "span_id": "VARCHAR",
    "parent_id": "VARCHAR",
    "name": "VARCHAR",
    "service": "VARCHAR",
    "duration_ms": "DOUBLE",
    "error": "BOOLEAN",
    "annotation": "VARCHAR",
}

_SIZES: Final = {
    Size.END: f"max({end_sql('time_ns', 'duration_ms')})",
    Size.SPANS: "count(*) FILTER (WHERE is_span)",
}


@dataclass(frozen=True, slots=True)
class _Dataset:
    """A dataset with rows to read. number: its index in the plan."""

    number: int
    dataset: SpanDataset
    sources: Sources
    span: SpanParts

    def conditions(self, plan: Plan, parameters: Parameters) -> SpanConditions:
        """The conditions of a statement that these are bound to."""
        return SpanConditions(plan, self.span, self.sources.fields_sql, parameters)


class Statement(NamedTuple):
    """A statement, and the values that are bound to it."""

    sql: str
    parameters: list[str]


@dataclass(slots=True)
class SpanStatements:
    """Statements over the sources of every dataset.

    tables: those to register, by name. types: as of a report.
    """

    plan: Plan
    wanted: SpanQuery
    _datasets: list[_Dataset] = field(default_factory=list)
    tables: dict[str, pa.Table] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)

    @classmethod
    def over(
        cls,
        plan: Plan,
        wanted: SpanQuery,
        views: Sequence[DatasetView],
        small: SmallSegments | None = None,
        facts: FooterFacts | None = None,
    ) -> "SpanStatements":
        """The statements over these views. Raises DamagedObject."""
        made = cls(plan, wanted)
        by_dataset: dict[str, list[DatasetView]] = {}
        for view in views:
            by_dataset.setdefault(view.dataset, []).append(view)
        types: dict[str, set[FieldType]] = {}
        for number, dataset in enumerate(wanted.datasets):
            held = by_dataset.get(dataset.id, [])
            if not any(view.segments or view.blocks for view in held):
                continue
            narrowed = msgspec.structs.replace(
                plan, filters=pruning_filters(plan, dataset), any_filter=False
            )
            sources = gather_in_range(
                narrowed,
                dataset.names,
                held,
                small,
                facts,
                with_positions=wanted.with_data,
                suffix=f"_{number}",
            )
            for name, field_sql in sources.fields_sql.items():
                types.setdefault(name, set()).update(field_sql.types)
            if not sources.is_empty:
                made._add(number, dataset, sources)
        made.types = {f: "".join(sorted(t.value for t in some)) for f, some in types.items()}
        return made

    def _add(self, number: int, dataset: SpanDataset, sources: Sources) -> None:
        self.tables |= sources.tables
        span = SpanParts(dataset.names, sources.stored_sql)
        self._datasets.append(_Dataset(number, dataset, sources, span))

    @property
    def row_sources(self) -> Mapping[int, Sequence[RowSource]]:
        """By the number of a dataset, the sources that the column `s` refers to."""
        return {one.number: one.sources.row_sources for one in self._datasets}

    @property
    def rows_most(self) -> int:
        """Number of rows of all sources, before any condition."""
        return sum(one.sources.rows_most for one in self._datasets)

    def main(self) -> Statement:
        """The rows."""
        bound = Parameters()
        if self.wanted.per is SpansPer.MARKS:
            return Statement(self._marks(bound), bound.values)
        if self.wanted.per is SpansPer.SERVICE:
            return Statement(self._services(bound), bound.values)
        parts = [self._select(one, self._columns(one, bound), [], bound) for one in self._datasets]
        common = common_form_sql("u.trace_id")
        joined = self._joined(parts, self._no_columns())
        spans = f"SELECT u.* REPLACE ({common} AS trace_id) FROM ({joined}) u"
        made = {SpansPer.TRACE: self._traces, SpansPer.SIZES: self._sizes}.get(self.wanted.per)
        return Statement(spans if made is None else made(spans), bound.values)

    def kin(self, kin: SpanKin) -> Statement:
        """Keys of the spans that match: trace_id, id."""
        parts, bound = list[str](), Parameters()
        for one in self._datasets:
            own_id = one.span.span_id if kin.kin is Kin.PARENT else one.span.parent_id
            columns = {"trace_id": one.span.trace_id, "id": own_id}
            parts.append(
                self._select(one, columns, [one.conditions(self.plan, bound).kin(kin)], bound)
            )
        none = {"trace_id": "NULL::VARCHAR", "id": "NULL::VARCHAR"}
        sql = f"SELECT DISTINCT trace_id, id FROM ({_union(parts, none)})"
        return Statement(sql, bound.values)

    def values(self, values: SpanValues) -> Statement:
        """Keys of the spans that match, with the values of their fields in typed columns."""
        parts, bound = list[str](), Parameters()
        own_id = "id" if values.kin is Kin.PARENT else "span_id"
        none = {"trace_id": "NULL::VARCHAR", "t": "0::BIGINT", own_id: "NULL::VARCHAR"}
        for at, name in enumerate(values.fields):
            for letter in self.types.get(name, ""):
                none[f"v{at}_{letter}"] = f"NULL::{sql_type(FieldType(letter))}"
        for one in self._datasets:
            span, fields_sql = one.span, one.sources.fields_sql
            columns = {"trace_id": span.trace_id, "t": "t", own_id: span.span_id}
            for at, name in enumerate(values.fields):
                for letter in self.types.get(name, ""):
                    columns[f"v{at}_{letter}"] = fields_sql[name].column(FieldType(letter))
            where = [one.conditions(self.plan, bound).values(values)]
            parts.append(self._select(one, columns, where, bound))
        return Statement(_union(parts, none), bound.values)

    def _marks(self, bound: Parameters) -> str:
        """The marks of each trace that has one."""
        parts = list[str]()
        for one in self._datasets if self.wanted.marks else ():
            conditions = one.conditions(self.plan, bound)
            marks = [conditions.mark(mark) for mark in self.wanted.marks]
            columns = {"trace_id": one.span.stored_trace_id}
            if len(marks) == 1:
                columns["m0"] = "TRUE"
            else:
                columns |= {f"m{at}": f"coalesce({sql}, FALSE)" for at, sql in enumerate(marks)}
            if self._needs_ids:
                columns |= {"span_id": one.span.span_id, "parent_id": one.span.parent_id}
            where = " OR ".join(f"({sql})" for sql in marks)
            parts.append(self._select(one, columns, [f"({where})"], bound))
        none = {"trace_id": "NULL::VARCHAR"} | {f"m{at}": "FALSE" for at in self._mark_numbers}
        if self._needs_ids:
            none |= {"span_id": "NULL::VARCHAR", "parent_id": "NULL::VARCHAR"}
        either = "".join(f", bool_or(m{at}) AS m{at}" for at in self._mark_numbers)
        common = common_form_sql("u.trace_id")
        joined = self._joined(parts, none)
        rows = f"SELECT u.* REPLACE ({common} AS trace_id) FROM ({joined}) u"
        return f"SELECT trace_id{either} FROM ({rows}) GROUP BY trace_id"

    def _services(self, bound: Parameters) -> str:
        """The services of spans of their own, by the values of the fields, with their number."""
        parts, fields = list[str](), [f"f{at}" for at, _ in enumerate(self.wanted.fields)]
        for one in self._datasets:
            columns = {"service": one.span.service}
            for at, name in enumerate(self.wanted.fields):
                columns[f"f{at}"] = json_value_sql(one.sources.fields_sql[name])
            where = [one.span.is_span, f"{one.span.service} IS NOT NULL"]
            parts.append(self._select(one, columns, where, bound))
        none = dict.fromkeys(["service", *fields], "NULL::VARCHAR")
        by = ", ".join(["service", *fields])
        return f"SELECT {by}, count(*) AS spans FROM ({_union(parts, none)}) GROUP BY {by}"

    @property
    def _mark_numbers(self) -> range:
        return range(len(self.wanted.marks))

    @property
    def _needs_ids(self) -> bool:
        """Whether spans are joined by their ids."""
        return any(one.kin is not Kin.TRACE for one in self.wanted.joins)

    def _select(
        self, one: _Dataset, columns: Mapping[str, str], where: list[str], bound: Parameters
    ) -> str:
        """The columns of the dataset's events that are in a trace and match."""
        conditions = one.conditions(self.plan, bound).own()
        selected = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
        every = " AND ".join([*conditions, *where])
        return f"SELECT {selected} FROM ({one.sources.sql}) src WHERE {every}"

    def _joined(self, parts: Sequence[str], none: Mapping[str, str]) -> str:
        """The rows of all datasets, joined with every table of keys by the ids that are stored."""
        rows, joins = _union(parts, none), self.wanted.joins
        if not joins:
            return rows
        joined = f"SELECT u.* FROM ({rows}) u"
        for number, join in enumerate(joins):
            how = "ANTI" if join.negated else "SEMI"
            on = f"u.trace_id = k{number}.trace_id"
            if join.kin is not Kin.TRACE:
                own = "parent_id" if join.kin is Kin.PARENT else "span_id"
                on += f" AND u.{own} = k{number}.id"
            joined += f" {how} JOIN {KEYS}{number} k{number} ON {on}"
        return joined

    def _columns(self, one: _Dataset, bound: Parameters) -> dict[str, str]:
        span, wanted = one.span, self.wanted
        columns = {
            "dataset": f"{one.number:d}::INTEGER",
            "time_ns": "t",
            "trace_id": span.stored_trace_id,
            "span_id": span.span_id,
            "parent_id": span.parent_id,
            "name": span.name,
            "service": span.service,
            "duration_ms": span.duration_ms,
            "error": span.error,
            "annotation": span.annotation,
        }
        for at, name in enumerate(wanted.fields):
            columns[f"f{at}"] = json_value_sql(one.sources.fields_sql[name])
        if wanted.with_data:
            columns |= {name: name for name in PLACE}
        if wanted.per is not SpansPer.SPAN:
            columns |= {"is_span": span.is_span, "is_root": span.is_root}
            for at, mark in enumerate(wanted.marks):
                columns[f"m{at}"] = (
                    f"coalesce({one.conditions(self.plan, bound).mark(mark)}, FALSE)"
                )
        return columns

    def _no_columns(self) -> dict[str, str]:
        columns = {name: f"NULL::{kind}" for name, kind in _COLUMNS.items()}
        columns |= {f"f{at}": "NULL::VARCHAR" for at, _ in enumerate(self.wanted.fields)}
        if self.wanted.with_data:
            columns |= dict.fromkeys(PLACE, "0::BIGINT")
        if self.wanted.per is not SpansPer.SPAN:
            columns |= dict.fromkeys(["is_span", "is_root"], "FALSE")
            columns |= {f"m{at}": "FALSE" for at in self._mark_numbers}
        return columns

    def _sizes(self, spans: str) -> str:
        """The start and the sizes of each trace."""
        sizes = "".join(f", {_SIZES[one]} AS {one.value}" for one in self.wanted.sizes)
        either = "".join(f", bool_or(m{at}) AS m{at}" for at in self._mark_numbers)
        return (
            f"SELECT trace_id, min(time_ns) AS start_ns{sizes}{either} FROM ({spans})"
            " GROUP BY trace_id"
        )

    def _traces(self, spans: str) -> str:
        """What the spans of each trace come to; of several roots the first one."""
        root = (
            "min(struct_pack(root_ns := time_ns, root_id := coalesce(span_id, ''),"
            " root_name := name, root_service := service, root_ms := duration_ms,"
            " root_error := error)) FILTER (WHERE is_root)"
        )
        marks = "".join(f", m{at}" for at in self._mark_numbers)
        either = "".join(f", bool_or(m{at}) AS m{at}" for at in self._mark_numbers)
        inner = (
            f"SELECT trace_id, min(time_ns) AS start_ns, {_SIZES[Size.END]} AS end_ns,"
            f" {_SIZES[Size.SPANS]} AS spans,"
            " count(*) FILTER (WHERE is_span AND error) AS errors,"
            " list(DISTINCT service) FILTER (WHERE service IS NOT NULL) AS services,"
            f" {root} AS root{either} FROM ({spans}) GROUP BY trace_id"
        )
        return (
            "SELECT trace_id, start_ns, end_ns, spans, errors, services, root.root_ns,"
            " root.root_id, root.root_name, root.root_service, root.root_ms, root.root_error"
            f"{marks} FROM ({inner})"
        )


def _union(parts: Sequence[str], none: Mapping[str, str]) -> str:
    """The rows of all parts. none: the columns without any, by name."""
    columns = ", ".join(f"{sql} AS {name}" for name, sql in none.items())
    return " UNION ALL ".join(parts) or f"SELECT {columns} WHERE FALSE"
