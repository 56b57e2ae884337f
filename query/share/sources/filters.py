"""Filters as SQL conditions.

A condition that is negated is never NULL, so that the negation is the exact complement. Elsewhere
NULL stands for no match, as WHERE, AND and OR have it: a comparison of a bare column reaches the
Parquet scan, which then skips row groups by their bounds and bloom filters.

A number is compared with the field as a number, a string with the field as text (with < and >:
with string values only), a boolean with booleans and the texts true and false. A string that looks
like a number is also compared as a number with numeric values. Strings are bound, never quoted.
"""

import math
import re
from collections.abc import Mapping

from query.plan.parts.conditions import GROUP_OPS, Filter, FilterOp, Scalar
from query.share.search.plan import found_column
from query.share.sources.field_sql import FieldSql
from segment.columns import FieldType

_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)  # other digits are text
NEGATIONS = {
    FilterOp.NE: FilterOp.EQ,
    FilterOp.NOT_STARTS: FilterOp.STARTS,
    FilterOp.NOT_ENDS: FilterOp.ENDS,
    FilterOp.NOT_EXISTS: FilterOp.EXISTS,
    FilterOp.NOT_CONTAINS: FilterOp.CONTAINS,
    FilterOp.NOT_IN: FilterOp.IN,
    FilterOp.NOT_MATCHES: FilterOp.MATCHES,
}
_TEXT_FUNCTIONS = {
    FilterOp.STARTS: "starts_with",
    FilterOp.ENDS: "suffix",
    FilterOp.CONTAINS: "contains",
    FilterOp.MATCHES: "regexp_matches",
}


class Parameters:
    """String values that are bound to a statement, in order."""

    def __init__(self) -> None:
        self.values: list[str] = []

    def bind(self, value: str) -> str:
        """Add a value; return its placeholder."""
        self.values.append(value)
        return f"${len(self.values)}::VARCHAR"


def condition(
    one: Filter, fields_sql: Mapping[str, FieldSql], parameters: Parameters, *, exact: bool = False
) -> str:
    """SQL BOOLEAN of a filter or a group of filters: TRUE for a match, else FALSE or NULL.

    exact: never NULL.
    """
    if one.op in GROUP_OPS:
        exact = exact or one.op is FilterOp.NONE_OF
        joined = " AND " if one.op is FilterOp.ALL_OF else " OR "
        inside = joined.join(condition(f, fields_sql, parameters, exact=exact) for f in one.inside)
        return f"NOT ({inside})" if one.op is FilterOp.NONE_OF else f"({inside})"
    if one.op is FilterOp.SEARCH:
        return found_column(str(one.values[0]))  # of the source rows, never NULL
    return _one(one, fields_sql[one.field], parameters, exact)


def _one(one: Filter, field_sql: FieldSql, parameters: Parameters, exact: bool) -> str:
    positive = NEGATIONS.get(one.op)
    if positive is not None:
        negated = Filter(one.field, positive, one.values)
        return f"NOT {_one(negated, field_sql, parameters, exact=True)}"
    if one.op is FilterOp.EXISTS:
        return field_sql.exists
    if one.op in _TEXT_FUNCTIONS:
        bound = parameters.bind(text_of(one.values[0]))
        found = [f"{_TEXT_FUNCTIONS[one.op]}({field_sql.text}, {bound})"]
    else:
        op = FilterOp.EQ if one.op is FilterOp.IN else one.op
        found = [c for value in one.values for c in _comparisons(op, value, field_sql, parameters)]
    if exact:
        found = [f"coalesce({c}, FALSE)" for c in found]
    return f"({' OR '.join(found)})" if found else "FALSE"


def _comparisons(
    op: FilterOp, value: Scalar, field_sql: FieldSql, parameters: Parameters
) -> list[str]:
    """SQL conditions, each of which alone is a match."""
    if isinstance(value, str):
        found = []
        if op is FilterOp.EQ:
            found.append(f"{field_sql.text} = {parameters.bind(value)}")
        elif field_sql.has(FieldType.STRING):
            text = field_sql.column(FieldType.STRING)
            found.append(f"{text} {op.value} {parameters.bind(value)}")
        number = number_of(value)
        if number is not None:
            found += _numeric(op, number, field_sql, with_bool=False)
        return found
    if isinstance(value, bool):
        if op is FilterOp.EQ:
            text = f"{field_sql.column(FieldType.STRING)} = '{str(value).lower()}'"
            return [f"{field_sql.column(FieldType.BOOL)} = {str(value).upper()}", text]
        value = int(value)
    return _numeric(op, value, field_sql, with_bool=True)


def _numeric(op: FilterOp, value: int | float, field_sql: FieldSql, with_bool: bool) -> list[str]:
    found = []
    whole = field_sql.whole if with_bool else field_sql.column(FieldType.INT)
    if field_sql.has(FieldType.INT) or (with_bool and field_sql.has(FieldType.BOOL)):
        bound = whole_comparison(op, value)
        found.append(bound if bound in ("TRUE", "FALSE") else f"{whole} {bound}")
        if bound == "TRUE":  # true for every integer, but only if the event has one
            found[-1] = f"{whole} IS NOT NULL"
    if field_sql.has(FieldType.FLOAT):
        bound = real_comparison(op, value)
        found.append("FALSE" if bound == "FALSE" else f"{field_sql.real} {bound}")
    return found


def whole_comparison(op: FilterOp, value: int | float) -> str:
    """`<op> <integer>` that an int64 satisfies exactly if it compares so with the value."""
    if isinstance(value, float) and not value.is_integer():
        if op is FilterOp.EQ:
            return "FALSE"
        if op in (FilterOp.GT, FilterOp.GE):
            op, value = FilterOp.GE, math.ceil(value)
        else:
            op, value = FilterOp.LE, math.floor(value)
    exact = int(value)
    if exact > _INT64_MAX:
        return "TRUE" if op in (FilterOp.LT, FilterOp.LE) else "FALSE"
    if exact < _INT64_MIN:
        return "TRUE" if op in (FilterOp.GT, FilterOp.GE) else "FALSE"
    return f"{op.value} ({exact})::BIGINT"


def real_comparison(op: FilterOp, value: int | float) -> str:
    """`<op> <double>` that a double satisfies exactly if it compares so with the value."""
    near = float(value)
    if near != value:  # an integer between two doubles: move to the neighbour that decides
        if op is FilterOp.EQ:
            return "FALSE"
        if op in (FilterOp.GT, FilterOp.GE):
            op = FilterOp.GE if near > value else FilterOp.GT
        else:
            op = FilterOp.LT if near > value else FilterOp.LE
    return f"{op.value} '{near!r}'::DOUBLE"


def number_of(text: str) -> int | float | None:
    """The number that a text denotes; None if it denotes none or is not finite."""
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    if not math.isfinite(number):
        return None
    if text.lstrip("+-").isdigit() and _INT64_MIN <= number <= _INT64_MAX:
        return int(text)
    return number


def text_of(value: Scalar) -> str:
    """The value as `FieldSql.text` writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and _INT64_MIN <= value <= _INT64_MAX:
        return str(int(value))
    return str(value)
