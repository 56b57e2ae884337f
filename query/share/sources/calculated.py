"""Calculated fields of the source rows: computed once per row, in SELECTs around all sources.

They become typed columns as stored fields have them, so that all that reads a field reads them.
"""

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from query.expressions.parser import parse
from query.expressions.sql.builder import Builder, Sql
from query.expressions.sql.compile import Compiler
from query.expressions.sql.values import STRING, Typed, first
from query.plan.calculated import asked_stored_fields
from query.plan.plan import CalculatedField, Plan
from query.share.row_search.row_json import json_value
from query.share.sources.field_sql import FieldSql
from query.share.view.view import DatasetView
from segment.columns import ColumnKey, FieldType


def add_calculated(
    calculated: Sequence[CalculatedField], rows: str, fields_sql: dict[str, FieldSql]
) -> tuple[str, dict[str, FieldSql]]:
    """(SQL of the rows with the columns of calculated fields, all fields).

    calculated: in order of use. rows: SQL, with the column `t` of times in unix ns. fields_sql:
    the stored fields that they use, among others. Raises Unprocessable if they are too much.
    """
    if not calculated:
        return rows, fields_sql
    builder = Builder("calc")
    known = {name: _typed(builder, one) for name, one in fields_sql.items()}
    every = dict(fields_sql)
    for index, one in enumerate(calculated, len(fields_sql)):
        value = Compiler(builder, known, Sql("t")).compile(parse(one.expression))
        made = FieldSql(index, frozenset(value.parts), value.is_sure, value.span)
        columns = {
            kind: builder.output(made.column(kind), sql) for kind, sql in value.parts.items()
        }
        known[one.name] = Typed(columns, value.certain, span=value.span)
        every[one.name] = made
    return builder.select(rows), every


def _typed(builder: Builder, field: FieldSql) -> Typed:
    """The field's columns; JSON is text."""
    columns = {one: Sql(field.column(one)) for one in FieldType if one in field.types}
    texts = [columns.pop(one) for one in (STRING, FieldType.JSON) if one in columns]
    if texts:
        columns[STRING] = first(builder, texts)
    return Typed(columns, field.every, span=field.span)


def given_way(plan: Plan, views: Iterable[DatasetView]) -> set[str]:
    """The names of calculated fields that are also those of stored ones, in the plan's range."""
    names = {one.name for one in plan.calculated}
    found: set[str] = set()
    for view in views if names else ():
        for segment in view.segments:
            if segment.time_max_ns >= plan.start_ns and segment.time_min_ns < plan.end_ns:
                every = segment.columns | segment.overflow_columns
                found |= names & {key.field for key in every}
        for block in view.blocks:
            keys = (ColumnKey(name, kind) for name in names - found for kind in FieldType)
            found |= {key.field for key in keys if key in block.columns}
    return found


def types_of(fields_sql: Mapping[str, FieldSql], plan: Plan) -> dict[str, str]:
    """By field that is asked for or calculated with, the letters of its types; of calculated fields
    those that have any: that one has none follows from the fields that it uses.
    """
    stored = asked_stored_fields(plan)
    names = {one.name for one in plan.calculated}
    return {
        name: "".join(sorted(one.types))
        for name, one in fields_sql.items()
        if name in stored or (one.types and name in names)
    }


def calculated_columns(names: Iterable[str], fields_sql: dict[str, FieldSql]) -> list[str]:
    """The typed columns of these fields."""
    found = (fields_sql[name] for name in names)
    return [one.column(kind) for one in found for kind in sorted(one.types)]


def calculated_cells(
    names: Iterable[str], fields_sql: dict[str, FieldSql], table: pa.Table
) -> list[list[tuple[str, bytes]]]:
    """Of each row, the fields that have a value, as JSON. table: with their typed columns."""
    cells: list[list[tuple[str, bytes]]] = [[] for _ in range(table.num_rows)]
    for name in names:
        for kind in sorted(fields_sql[name].types):
            values = table.column(fields_sql[name].column(kind)).to_pylist()
            for row, value in zip(cells, values, strict=True):
                if value is not None:
                    row.append((name, json_value(kind, value)))
    return cells
