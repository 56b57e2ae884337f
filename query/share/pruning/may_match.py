"""Whether rows of a source may match a plan's filters, from what is known about its columns.

Pure: facts come from footers or summaries, and no value is read. An answer never depends on it: a
source is left out only if no row of it can match by the rules of `query.share.sources.filters`. A
filter is judged from both sides, whether a row may match and whether every row surely does, so
that its negation is judged as well.
"""

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from query.plan.parts.conditions import GROUP_OPS, Filter, FilterOp, Scalar
from query.share.pruning.facts import Bound, ColumnFacts, SourceFacts
from query.share.sources.filters import NEGATIONS, number_of, text_of
from segment.columns import ColumnKey, FieldType

_TEXTS: Final = (FieldType.STRING, FieldType.JSON)
_SEARCHES: Final = (FilterOp.ENDS, FilterOp.CONTAINS, FilterOp.MATCHES)
_NOT_FINITE: Final = ("nan", "inf")  # texts of doubles that are no numbers, without their sign


class Verdict(NamedTuple):
    """some: whether a row may match. every: whether each row surely does."""

    some: bool
    every: bool

    def negated(self) -> "Verdict":
        """The verdict on the complement."""
        return Verdict(not self.every, not self.some)


_UNKNOWN: Final = Verdict(True, False)
_NONE: Final = Verdict(False, False)


def may_match(filters: Sequence[Filter], any_filter: bool, facts: SourceFacts) -> bool:
    """Whether a row of the source may match the filters of a plan."""
    return not filters or _joined(filters, any_filter, facts).some


def _joined(filters: Sequence[Filter], any_filter: bool, facts: SourceFacts) -> Verdict:
    join = any if any_filter else all
    some, every = zip(*(_verdict(one, facts) for one in filters), strict=True)
    return Verdict(join(some), join(every))


def _verdict(one: Filter, facts: SourceFacts) -> Verdict:
    if one.op in GROUP_OPS:
        found = _joined(one.inside, one.op is not FilterOp.ALL_OF, facts)
        return found.negated() if one.op is FilterOp.NONE_OF else found
    if one.op is FilterOp.SEARCH:
        may_hold = facts.may_hold is None or facts.may_hold(str(one.values[0]))
        return _UNKNOWN if may_hold else _NONE
    positive = NEGATIONS.get(one.op)
    if positive is not None:
        return _verdict(Filter(one.field, positive, one.values), facts).negated()
    columns = [(t, facts.columns.get(ColumnKey(one.field, t))) for t in FieldType]
    held = [(t, column) for t, column in columns if column is not None and column.values != 0]
    found_in = [_of_column(one, field_type, column) for field_type, column in held]
    # an event has a value in at most one typed column, but a proof does not rely on that
    is_full = len(held) == 1 and held[0][1].values == facts.rows
    return Verdict(any(v.some for v in found_in), is_full and found_in[0].every)


def _of_column(one: Filter, field_type: FieldType, column: ColumnFacts) -> Verdict:
    """The verdict on the values of a column that has some."""
    if one.op is FilterOp.EXISTS:
        return Verdict(True, True)
    found = _of_bounded(one, field_type, column)
    if column.distinct is None or found.every or not found.some:
        return found
    is_equality = one.op in (FilterOp.EQ, FilterOp.IN) and field_type in _TEXTS
    if is_equality and all(isinstance(value, str) for value in one.values):
        # the same as below, in one step
        wanted = {text_of(value).encode("utf-8", "surrogatepass") for value in one.values}
        return Verdict(not wanted.isdisjoint(column.distinct), wanted.issuperset(column.distinct))
    each = [_of_one(one, field_type, value) for value in column.distinct]
    return Verdict(any(v.some for v in each), all(v.every for v in each))


def _of_one(one: Filter, field_type: FieldType, value: Bound) -> Verdict:
    """The verdict on one value."""
    return _of_bounded(one, field_type, ColumnFacts(low=value, high=value))


def _of_bounded(one: Filter, field_type: FieldType, column: ColumnFacts) -> Verdict:
    if one.op in _SEARCHES:
        return _searched(one, field_type, column)
    if one.op is FilterOp.STARTS:
        return _prefixed(text_of(one.values[0]), field_type, column)
    op = FilterOp.EQ if one.op is FilterOp.IN else one.op
    found = [_compared(op, value, field_type, column) for value in one.values]
    return Verdict(any(v.some for v in found), any(v.every for v in found))


def _searched(one: Filter, field_type: FieldType, column: ColumnFacts) -> Verdict:
    """Known only where all values are one text, and of what is no regular expression."""
    low, high = column.low, column.high
    if field_type not in _TEXTS or one.op is FilterOp.MATCHES:
        return _UNKNOWN
    if not isinstance(low, bytes) or not isinstance(high, bytes) or low != high:
        return _UNKNOWN
    text = text_of(one.values[0]).encode("utf-8", "surrogatepass")
    found = low.endswith(text) if one.op is FilterOp.ENDS else text in low
    return Verdict(found, found)


def _prefixed(text: str, field_type: FieldType, column: ColumnFacts) -> Verdict:
    if field_type not in _TEXTS:
        return _UNKNOWN
    prefix = text.encode("utf-8", "surrogatepass")
    low, high = column.low, column.high
    begins = low[: len(prefix)] if isinstance(low, bytes) else None
    ends = high[: len(prefix)] if isinstance(high, bytes) else None
    too_high = begins is not None and begins > prefix
    too_low = ends is not None and ends < prefix
    if column.prefixes is not None:
        size = min(len(prefix), column.prefix_bytes)
        too_low |= not any(known[:size] == prefix[:size] for known in column.prefixes)
    return Verdict(not (too_high or too_low), begins == prefix == ends)


def _compared(op: FilterOp, value: Scalar, field_type: FieldType, column: ColumnFacts) -> Verdict:
    """The verdict on `<value of the column> <op> <value>`, as `filters.condition` reads it."""
    if isinstance(value, str):
        return _compared_text(op, value, field_type, column)
    if isinstance(value, bool) and op is FilterOp.EQ:
        if field_type is FieldType.STRING:
            return _text_equal(str(value).lower(), column)
        return _ordered(op, value, column) if field_type is FieldType.BOOL else _NONE
    if field_type in _TEXTS:
        return _NONE
    return _ordered(op, int(value) if isinstance(value, bool) else value, column)


def _compared_text(op: FilterOp, text: str, field_type: FieldType, column: ColumnFacts) -> Verdict:
    if field_type is FieldType.STRING and op is not FilterOp.EQ:
        return _ordered(op, text.encode("utf-8", "surrogatepass"), column)
    if field_type in _TEXTS:
        return _text_equal(text, column) if op is FilterOp.EQ else _NONE
    if field_type is FieldType.BOOL:
        if op is FilterOp.EQ and text in ("true", "false"):
            return _ordered(op, text == "true", column)
        return _NONE
    number = number_of(text)
    found = _NONE if number is None else _ordered(op, number, column)
    if op is not FilterOp.EQ:
        return found
    # also as text: the largest integers, of which `number_of` makes doubles, and no numbers
    exact = _digits(text) if field_type is FieldType.INT else None
    as_text = _NONE if exact is None else _ordered(op, exact, column)
    not_finite = field_type is FieldType.FLOAT and text.lower().lstrip("+-") in _NOT_FINITE
    return Verdict(found.some or as_text.some or not_finite, found.every or as_text.every)


def _text_equal(text: str, column: ColumnFacts) -> Verdict:
    wanted = text.encode("utf-8", "surrogatepass")
    if column.prefixes is not None and wanted[: column.prefix_bytes] not in column.prefixes:
        return _NONE
    found = _ordered(FilterOp.EQ, wanted, column)
    if found.some and column.may_hold is not None and not column.may_hold(text):
        return _NONE
    return found


def _digits(text: str) -> int | None:
    """The integer whose text this is."""
    try:
        number = int(text)
    except ValueError:
        return None
    return number if str(number) == text else None


def _ordered(op: FilterOp, value: Bound, column: ColumnFacts) -> Verdict:
    """Python compares integers and doubles exactly, as the conditions do."""
    # bounds and the value are of one kind: bytes, or numbers
    wanted: Any = value
    low: Any = column.low
    high: Any = column.high
    if any(isinstance(one, float) and math.isnan(one) for one in (wanted, low, high)):
        return _UNKNOWN
    if op is FilterOp.EQ:
        outside = (low is not None and wanted < low) or (high is not None and wanted > high)
        return Verdict(not outside, low is not None and low == wanted == high)
    if op is FilterOp.GT:
        return Verdict(high is None or high > wanted, low is not None and low > wanted)
    if op is FilterOp.GE:
        return Verdict(high is None or high >= wanted, low is not None and low >= wanted)
    if op is FilterOp.LT:
        return Verdict(low is None or low < wanted, high is not None and high < wanted)
    return Verdict(low is None or low <= wanted, high is not None and high <= wanted)
