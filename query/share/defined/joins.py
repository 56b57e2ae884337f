"""Rows joined with tables of keys of other spans, and the fields whose values those tables have."""

from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa

from query.plan.parts.spans import Kin
from query.plan.plan import Plan
from query.share.sources.field_sql import FieldSql
from query.share.spans.statements import KEYS
from segment.columns import FieldType

TRACE, SPAN, PARENT = "jt", "js", "jp"  # columns of rows: their ids as they are stored
IDS: Final = (TRACE, SPAN, PARENT)
_OWN: Final = {Kin.PARENT: PARENT, Kin.CHILD: SPAN}
JoinedColumns = Sequence[Sequence[str]]


def columns_of(keys: Sequence[pa.Table]) -> JoinedColumns:
    """The names of the columns of each table of keys."""
    return [table.column_names for table in keys]


def joined_fields(plan: Plan, joined: JoinedColumns, first: int) -> dict[str, FieldSql]:
    """The fields whose values come with the joins. first: the index of the first of them."""
    found: dict[str, FieldSql] = {}
    for join, columns in zip(plan.joins, joined, strict=True):
        for at, name in enumerate(join.fields):
            types = frozenset(t for t in FieldType if f"v{at}_{t.value}" in columns)
            found[name] = FieldSql(first + len(found), types)
    return found


def joined_rows(rows: str, plan: Plan, fields: Mapping[str, FieldSql]) -> str:
    """SQL of the rows that the joins leave, with the columns of their fields, without ids.

    rows: SQL of rows with `IDS`. fields: of `joined_fields`.
    """
    columns, joins = [f"u.* EXCLUDE ({', '.join(IDS)})"], ""
    for number, join in enumerate(plan.joins):
        table = f"k{number}"
        on = f"u.{TRACE} = {table}.trace_id"
        if join.kin is not Kin.TRACE:
            on += f" AND u.{_OWN[join.kin]} = {table}.id"
        how = "ANTI" if join.negated else "LEFT" if join.fields else "SEMI"
        joins += f" {how} JOIN {KEYS}{number} {table} ON {on}"
        for at, name in enumerate(join.fields):
            field = fields[name]
            columns += [
                f"{table}.v{at}_{one.value} AS c{field.index}_{one.value}"
                for one in FieldType
                if one in field.types
            ]
    return f"SELECT {', '.join(columns)} FROM ({rows}) u{joins}"
