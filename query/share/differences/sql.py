"""SQL of the distributions of fields inside and outside of a selection.

Columns of the states:
- `main`, a row per side that has events: inside; rows: stored events; w: their weight; w2: the sum
  of the squares of their sample rates.
- `values`, a row per value of a field: field: its index in the request; again: whether the row is
  of the second count of a number, in buckets beside its values; e: a bucket
  (`query.share.states.buckets`), or n, f, b, s: a value (`FieldSql.key_parts`), or all NULL: the
  field is missing; wi, wo: weight inside and outside of the events that were counted; number: 1,
  or, where `others`, of how many values that are not listed the weights are.
- `sample`, a row per event: inside; k<i>: a tagged key, cut; x<i>: the number.

The weights of a field's rows that are not `again` come to the weight of the events that were drawn,
by which weights are scaled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import pyarrow as pa

from common import limits
from query.plan.plan import DifferencesWanted
from query.share.sources.field_sql import FieldSql
from query.share.states.buckets import bucket_sql
from query.share.states.statements import Statements
from segment.columns import FieldType

EMPTY_VALUES: Final = pa.table(
    {
        "field": pa.array([], pa.int32()),
        "again": pa.array([], pa.bool_()),
        "others": pa.array([], pa.bool_()),
        "e": pa.array([], pa.int32()),
        "n": pa.array([], pa.int64()),
        "f": pa.array([], pa.float64()),
        "b": pa.array([], pa.bool_()),
        "s": pa.array([], pa.string()),
        "wi": pa.array([], pa.int64()),
        "wo": pa.array([], pa.int64()),
        "number": pa.array([], pa.int64()),
    }
)
_PARTS: Final = {"e": "INTEGER", "n": "BIGINT", "f": "DOUBLE", "b": "BOOLEAN", "s": "VARCHAR"}


class Drawn(NamedTuple):
    """The chance of an event of each side to be read."""

    inside: float
    outside: float

    @property
    def sql(self) -> str:
        """SQL BOOLEAN, at random: the event is read."""
        if self.inside >= 1 and self.outside >= 1:
            return "TRUE"
        return f"random() < CASE WHEN inside THEN {self.inside!r} ELSE {self.outside!r} END"


class Weights(NamedTuple):
    """Of the events of each side; above 0."""

    inside: float
    outside: float


@dataclass(frozen=True, slots=True)
class Counting:
    """How values of fields are counted.

    fields: by index in the request.
    drawn: events that are read. of_many: of these, those read of fields with many texts.
    texts, numbers: indexes of fields with many distinct texts, or numbers, which go into buckets.
    weights: of the events of both sides.
    """

    fields: Mapping[int, FieldSql]
    drawn: Drawn
    of_many: Drawn
    texts: frozenset[int]
    numbers: frozenset[int]
    weights: Weights


@dataclass(frozen=True, slots=True)
class _Set:
    """A set of columns that is grouped by: parts of the values of a field."""

    field: int
    parts: Mapping[str, str]
    drawn: bool = False

    def column(self, part: str) -> str:
        """The name of the column of a part."""
        return f"g{self.field}_{part}"

    @property
    def columns(self) -> list[str]:
        """The names of all of its columns."""
        drawn = [f"drawn{self.field}"] if self.drawn else []
        return [*drawn, *map(self.column, self.parts)]


def counted_sides(statements: Statements, wanted: DifferencesWanted) -> str:
    """The events of each side."""
    return (
        "SELECT inside, count(*) AS rows, sum(r)::BIGINT AS w, sum(r::DOUBLE * r) AS w2"
        f" FROM ({_split(statements, wanted)}) GROUP BY inside"
    )


def probed_values(statements: Statements, fields: Mapping[int, FieldSql]) -> str:
    """About how many texts and numbers of each field some of the events have: `s<i>`, `n<i>`."""
    counts = []
    for index, field_sql in fields.items():
        texts = _texts(field_sql)
        number = _number(field_sql)
        counts.append(f"{f'approx_count_distinct({texts})' if texts else '0'} AS s{index}")
        counts.append(f"{f'approx_count_distinct({number})' if number else '0'} AS n{index}")
    some = f"SELECT * FROM ({statements.picked}) LIMIT {limits.DIFFERENCES_PROBED:d}"
    return f"SELECT {', '.join(counts)} FROM ({some})"


def values_of_fields(statements: Statements, wanted: DifferencesWanted, counting: Counting) -> str:
    """The values of some fields, the most frequent of either side, and what the others come to."""
    sets = [_set(index, counting) for index in counting.fields]
    columns = [f"{sql} AS {one.column(part)}" for one in sets for part, sql in one.parts.items()]
    drawn = [f"{counting.of_many.sql} AS drawn{one.field}" for one in sets if one.drawn]
    read = (
        f"SELECT {', '.join(['*', *drawn])} FROM ({_split(statements, wanted)})"
        f" WHERE {counting.drawn.sql}"
    )
    rows = (
        f"SELECT r, inside, {', '.join([*(f'drawn{s.field}' for s in sets if s.drawn), *columns])}"
    )
    field = " ".join(f"WHEN grouping({one.columns[-1]}) = 0 THEN {one.field}" for one in sets)
    parts = [f"{_either(sets, part)} AS {part}" for part in _PARTS]
    unread = " AND ".join(f"drawn{one.field} IS NOT FALSE" for one in sets if one.drawn)
    groups = (
        f"SELECT CASE {field} END::INTEGER AS field, FALSE AS again,"
        f" {', '.join(parts)}, coalesce(sum(r) FILTER (inside), 0)::BIGINT AS wi,"
        f" coalesce(sum(r) FILTER (NOT inside), 0)::BIGINT AS wo FROM ({rows} FROM ({read}))"
        f" GROUP BY GROUPING SETS ({', '.join('(' + ', '.join(s.columns) + ')' for s in sets)})"
        f" HAVING {unread or 'TRUE'}"
    )
    return _listed(groups, counting.weights)


def events_of_sides(
    statements: Statements, wanted: DifferencesWanted, columns: Sequence[str]
) -> str:
    """All events with the side and the rate of each, and these columns."""
    return f"SELECT {', '.join(['inside', 'r', *columns])} FROM ({_split(statements, wanted)})"


def sampled_events(
    statements: Statements, wanted: DifferencesWanted, columns: Sequence[str], drawn: Drawn
) -> str:
    """Some events of each side with these columns."""
    return (
        f"SELECT {', '.join(['inside', *columns])} FROM ({_split(statements, wanted)})"
        f" WHERE {drawn.sql} LIMIT {4 * wanted.sample:d}"
    )


def _split(statements: Statements, wanted: DifferencesWanted) -> str:
    """The events of the query, with the side of each."""
    inside = statements.all_match(wanted.selection)
    if wanted.inside is not None:
        start_ns, end_ns = wanted.inside
        inside = f"({inside}) AND t >= {start_ns:d} AND t < {end_ns:d}"
    return f"SELECT *, ({inside}) AS inside FROM ({statements.picked})"


def _set(index: int, counting: Counting) -> _Set:
    """The set of one field; it has a value of some type."""
    field_sql = counting.fields[index]
    number = _number(field_sql)
    parts = dict(field_sql.key_parts)
    if number and index in counting.numbers:
        parts = {part: sql for part, sql in parts.items() if part not in ("n", "f")}
        parts["e"] = bucket_sql(number)
    drawn = index in counting.texts and counting.of_many.sql != "TRUE"
    if drawn:
        parts = {part: f"CASE WHEN drawn{index} THEN {sql} END" for part, sql in parts.items()}
    return _Set(index, parts, drawn)


def _number(field_sql: FieldSql) -> str:
    """SQL DOUBLE: a number that is no boolean; "" if there is none."""
    if not field_sql.has(FieldType.INT, FieldType.FLOAT):
        return ""
    if not field_sql.has(FieldType.BOOL):
        return field_sql.number
    flag = field_sql.column(FieldType.BOOL)
    return f"CASE WHEN {flag} IS NULL THEN {field_sql.number} END"


def _texts(field_sql: FieldSql) -> str:
    """SQL VARCHAR: the text; "" if there is none."""
    return field_sql.key_parts.get("s", "")


def _either(sets: Sequence[_Set], part: str) -> str:
    """SQL: the part of the value of a group, of whichever set it is."""
    columns = [one.column(part) for one in sets if part in one.parts]
    return f"coalesce({', '.join([*columns, f'NULL::{_PARTS[part]}'])})"


def _listed(groups: str, weights: Weights) -> str:
    """The most frequent values of each field on either side; the others are added up.

    Of values that may be very many, the most frequent ones are kept without sorting the others.
    weights: of both sides, about. As many numbers are listed as buckets.
    """
    few = "s IS NULL AND b IS NULL"
    missing = " AND ".join(f"{part} IS NULL" for part in _PARTS)
    often = f"greatest(wi / {weights.inside!r}, wo / {weights.outside!r})"
    found = (
        f"SELECT *, {few} AS few, CASE WHEN {missing} THEN 1e9 ELSE {often} END AS often"
        f" FROM ({groups})"
    )
    numbers = (
        "SELECT *, row_number() OVER (PARTITION BY field, again ORDER BY often DESC, e, n, f)"
        f" > {limits.DIFFERENCES_NUMBERS_LISTED:d} AS others FROM found WHERE few"
    )
    names = [*_PARTS, "wi", "wo"]
    row = ", ".join(f"'{name}': {name}" for name in names)
    most = f"max_by({{{row}}}, often, {limits.DIFFERENCES_TEXTS_LISTED:d})"
    texts = (
        f"SELECT field, again, {most} AS most, count(*) AS number, sum(wi) AS wi, sum(wo) AS wo"
        " FROM found WHERE NOT few GROUP BY field, again"
    )

    def rest(name: str) -> str:
        return f"({name} - list_sum(list_transform(most, lambda x: x.{name})))::BIGINT AS {name}"

    cut = {part: part for part in _PARTS} | {"s": f"left(s, {limits.DIFFERENCES_TEXT_CHARS:d})"}
    shown = ", ".join(f"{sql} AS {part}" for part, sql in cut.items())
    of_numbers_sql = ", ".join(f"CASE WHEN NOT others THEN {part} END AS {part}" for part in _PARTS)
    nothing = ", ".join(f"NULL::{kind} AS {part}" for part, kind in _PARTS.items())
    return (
        f"WITH found AS MATERIALIZED ({found}), texts AS MATERIALIZED ({texts})"
        f" SELECT field, again, others, {of_numbers_sql}, sum(wi)::BIGINT AS wi,"
        f" sum(wo)::BIGINT AS wo, count(*) AS number FROM ({numbers}) GROUP BY ALL"
        f" UNION ALL SELECT field, again, FALSE, {shown}, wi, wo, 1 FROM"
        " (SELECT field, again, unnest(most, recursive := true) FROM texts)"
        f" UNION ALL SELECT field, again, TRUE, {nothing}, {rest('wi')}, {rest('wo')},"
        " number - len(most) FROM texts WHERE number > len(most)"
    )
