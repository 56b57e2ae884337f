"""The source rows of a plan that needs definitions: of each kind of datasets, put together.

Datasets may have other definitions, by which the ids of their spans are in other fields; what
comes out has the columns that `query.share.sources.gather` makes, and is read like it.
"""

from collections.abc import Sequence

import pyarrow as pa

from query.plan.plan import Plan, SpanNames
from query.share.defined.joins import IDS, JoinedColumns, joined_fields, joined_rows
from query.share.field_sql import FieldSql
from query.share.pruning.footer_facts import FooterFacts
from query.share.small_segments import SmallSegments
from query.share.sources import RowSource, Sources, gather
from query.share.spans.parts import SpanParts
from query.share.view import DatasetView
from segment.columns import FieldType


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
    if not plan.joins:
        return gather(
            plan, views, small, facts, with_positions=with_positions, more=more, suffix=suffix
        )
    parts = list[str]()
    tables, sources = dict[str, pa.Table](), list[RowSource]()
    types: dict[str, frozenset[FieldType]] = {}
    indexes: dict[str, int] = {}
    rows_most, is_empty = 0, True
    for number, (names, some) in enumerate(_by_definition(plan, views).items()):
        found = gather(
            plan,
            some,
            small,
            facts,
            with_positions=with_positions,
            more=more,
            suffix=f"{suffix}_{number}",
        )
        parts.append(_with_ids(found, names, len(sources), with_positions=with_positions))
        tables |= found.tables
        sources += found.row_sources
        rows_most += found.rows_most
        is_empty = is_empty and found.is_empty
        for name, field in found.fields_sql.items():
            indexes[name] = field.index
            types[name] = types.get(name, frozenset()) | field.types
    fields = {name: FieldSql(index, types[name]) for name, index in indexes.items()}
    others = joined_fields(plan, joined, len(fields))
    rows = " UNION ALL BY NAME ".join(parts)
    return Sources(
        joined_rows(rows, plan, others),
        tables,
        fields | others,
        tuple(sources),
        rows_most,
        is_empty,
    )


def _by_definition(plan: Plan, views: Sequence[DatasetView]) -> dict[SpanNames, list[DatasetView]]:
    """The views of the datasets that have the same definitions; at least one kind."""
    names = {one.id: one.names for one in plan.datasets}
    found: dict[SpanNames, list[DatasetView]] = {plan.datasets[0].names: []}
    for view in views:
        found.setdefault(names[view.dataset], []).append(view)
    return found


def _with_ids(found: Sources, names: SpanNames, before: int, *, with_positions: bool) -> str:
    """SQL of the rows with the ids of their spans. before: number of the row sources so far."""
    span = SpanParts(names, found.fields_sql)
    every = f"* REPLACE (s + {before:d} AS s)" if with_positions and before else "*"
    ids = zip((span.stored_trace_id, span.span_id, span.parent_id), IDS, strict=True)
    columns = ", ".join(f"{sql} AS {name}" for sql, name in ids)
    return f"SELECT {every}, {columns} FROM ({found.sql})"
