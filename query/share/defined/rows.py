"""The source rows of a plan that needs definitions: of each kind of datasets, put together.

Datasets may have other definitions, by which the ids of their spans are in other fields; what
comes out has the columns that `query.share.sources.sources.gather` makes, and is read like it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from query.plan.parts.spans import SpanNames
from query.plan.plan import Plan
from query.share.defined.axis import gather_in_range
from query.share.defined.joins import IDS, JoinedColumns, joined_fields, joined_rows
from query.share.defined.kinds import by_definition
from query.share.pruning.footer_facts import FooterFacts
from query.share.sources.field_sql import FieldSql
from query.share.sources.small_segments import SmallSegments
from query.share.sources.sources import RowSource, Sources, gather
from query.share.spans.parts import SpanParts
from query.share.view.view import DatasetView


def gather_asked(
    plan: Plan,
    views: Sequence[DatasetView],
    small: SmallSegments | None = None,
    facts: FooterFacts | None = None,
    *,
    joined: JoinedColumns = (),
    with_positions: bool = False,
    more: str = "",
    suffix: str = "",
) -> Sources:
    """The sources of a plan, as `gather` makes them, with what its definitions mean.

    suffix, more: as of `gather`.
    joined: the columns of the tables of its joins, which are registered as `KEYS` and a number.
    """
    if not (plan.joins or plan.reads_ends):
        return gather(
            plan, views, small, facts, with_positions=with_positions, more=more, suffix=suffix
        )
    parts = list[str]()
    tables, sources = dict[str, pa.Table](), list[RowSource]()
    fields, stored = dict[str, FieldSql](), dict[str, FieldSql]()
    rows_most, is_empty = 0, True
    for number, (names, some) in enumerate(by_definition(plan, views).items()):
        found = gather_in_range(
            plan,
            names,
            some,
            small,
            facts,
            with_positions=with_positions,
            more=more,
            suffix=f"{suffix}_{number}",
        )
        every = f"* REPLACE (s + {len(sources):d} AS s)" if with_positions and sources else "*"
        columns = ", ".join([every, *(_ids(found, names) if plan.joins else ())])
        parts.append(f"SELECT {columns} FROM ({found.sql})")
        tables |= found.tables
        sources += found.row_sources
        rows_most += found.rows_most
        is_empty = is_empty and found.is_empty
        _unite(fields, found.fields_sql)
        _unite(stored, found.stored_sql)
    others = joined_fields(plan, joined, len(fields))
    rows = " UNION ALL BY NAME ".join(parts)
    return Sources(
        joined_rows(rows, plan, others) if plan.joins else rows,
        tables,
        fields | others,
        tuple(sources),
        rows_most,
        is_empty,
        stored,
    )


def with_joins(found: Sources, names: SpanNames, plan: Plan, joined: JoinedColumns) -> Sources:
    """The sources of datasets of one definition, joined with the tables of the plan's keys.

    joined: the columns of these tables, which are registered as `KEYS` and a number.
    """
    if not plan.joins:
        return found
    others = joined_fields(plan, joined, len(found.fields_sql))
    rows = f"SELECT *, {', '.join(_ids(found, names))} FROM ({found.sql})"
    return replace(found, sql=joined_rows(rows, plan, others), fields_sql=found.fields_sql | others)


def _unite(fields: dict[str, FieldSql], more: Mapping[str, FieldSql]) -> None:
    """Add the types of the same fields in other rows."""
    for name, one in more.items():
        known = fields.get(name)
        fields[name] = one if known is None else FieldSql(one.index, known.types | one.types)


def _ids(found: Sources, names: SpanNames) -> list[str]:
    """SQL of the columns `IDS` of the rows."""
    span = SpanParts(names, found.stored_sql)
    ids = zip((span.stored_trace_id, span.span_id, span.parent_id), IDS, strict=True)
    return [f"{sql} AS {name}" for sql, name in ids]
