"""Filters as SQL conditions that are never NULL, so a negation is the exact complement.

A number compares with the numeric reading, a string with the text reading (with < and >: with
string values), a boolean with booleans and the texts true and false. A string that looks like a
number also compares as that number with numeric values. String values are bound, never quoted.
"""

import math
import re
from collections.abc import Mapping

from query.plan.plan import GROUP_OPS, Filter, FilterOp, Scalar
from query.share.field_sql import FieldSql
from segment.columns import FieldType

_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)  # other digits are text
_NEGATIONS = {
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
    """String values bound to a statement, in order."""

    def __init__(self) -> None:
        self.values: list[str] = []

    def bind(self, value: str) -> str:
        """The placeholder of a value."""
        self.values.append(value)
        return f"${len(self.values)}::VARCHAR"


def condition(one: Filter, readings: Mapping[str, FieldSql], parameters: Parameters) -> str:
    """SQL BOOLEAN, never NULL, of one filter or a group of them."""
    if one.op in GROUP_OPS:
        joined = " AND " if one.op is FilterOp.ALL_OF else " OR "
        inside = joined.join(condition(f, readings, parameters) for f in one.inside)
        return f"NOT ({inside})" if one.op is FilterOp.NONE_OF else f"({inside})"
    return _one(one, readings[one.field], parameters)


def _one(one: Filter, reading: FieldSql, parameters: Parameters) -> str:
    positive = _NEGATIONS.get(one.op)
    if positive is not None:
        return f"NOT {_one(Filter(one.field, positive, one.values), reading, parameters)}"
    if one.op is FilterOp.EXISTS:
        return reading.exists
    if one.op in _TEXT_FUNCTIONS:
        bound = parameters.bind(text_of(one.values[0]))
        return f"coalesce({_TEXT_FUNCTIONS[one.op]}({reading.text}, {bound}), FALSE)"
    op = FilterOp.EQ if one.op is FilterOp.IN else one.op
    found = [c for value in one.values for c in _comparisons(op, value, reading, parameters)]
    return f"({' OR '.join(f'coalesce({c}, FALSE)' for c in found)})" if found else "FALSE"


def _comparisons(
    op: FilterOp, value: Scalar, reading: FieldSql, parameters: Parameters
) -> list[str]:
    """Alternatives, each of which is a match."""
    if isinstance(value, str):
        found = []
        if op is FilterOp.EQ:
            found.append(f"{reading.text} = {parameters.bind(value)}")
        elif reading.has(FieldType.STRING):
            text = reading.column(FieldType.STRING)
            found.append(f"{text} {op.value} {parameters.bind(value)}")
        number = number_of(value)
        if number is not None:
            found += _numeric(op, number, reading, with_bool=False)
        return found
    if isinstance(value, bool):
        if op is FilterOp.EQ:
            text = f"{reading.column(FieldType.STRING)} = '{str(value).lower()}'"
            return [f"{reading.column(FieldType.BOOL)} = {str(value).upper()}", text]
        value = int(value)
    return _numeric(op, value, reading, with_bool=True)


def _numeric(op: FilterOp, value: int | float, reading: FieldSql, with_bool: bool) -> list[str]:
    found = []
    whole = reading.whole if with_bool else reading.column(FieldType.INT)
    if reading.has(FieldType.INT) or (with_bool and reading.has(FieldType.BOOL)):
        bound = whole_comparison(op, value)
        found.append(bound if bound in ("TRUE", "FALSE") else f"{whole} {bound}")
        if bound == "TRUE":  # still only for events that have the field as a whole number
            found[-1] = f"{whole} IS NOT NULL"
    if reading.has(FieldType.FLOAT):
        bound = real_comparison(op, value)
        found.append("FALSE" if bound == "FALSE" else f"{reading.real} {bound}")
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
    """The number that a text looks like, None if it does not (or is not finite)."""
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    if not math.isfinite(number):
        return None
    if text.lstrip("+-").isdigit() and _INT64_MIN <= number <= _INT64_MAX:
        return int(text)
    return number


def text_of(value: Scalar) -> str:
    """The value as the text reading writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and _INT64_MIN <= value <= _INT64_MAX:
        return str(int(value))
    return str(value)
