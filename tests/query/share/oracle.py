"""An independent reading of filters and aggregates in plain Python, row by row."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from common import limits
from query.plan.parts.conditions import Filter, FilterOp, Scalar
from query.plan.spec import PERCENTILES, QuerySpec
from query.results.calculations.heatmap import Bin
from query.share.sources.filters import number_of
from tests.query.share.rows import Json, Row, Value

Found = Value | Json | None
_NEGATED = {
    "!=": "=",
    "not-in": "in",
    "does-not-exist": "exists",
    "does-not-contain": "contains",
    "does-not-start-with": "starts-with",
    "does-not-end-with": "ends-with",
    "does-not-match": "matches",
}


def text(value: Found) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**63 else repr(value)
    if isinstance(value, Json):
        return value.text
    return None if value is None else str(value)


def number(value: Found) -> int | float | None:
    if isinstance(value, bool):
        return int(value)
    return value if isinstance(value, int | float) else None


def compare(op: str, left: object, right: object) -> bool:
    if left is None or right is None:
        return False
    if isinstance(left, str) != isinstance(right, str):
        return False
    a, b = (x if isinstance(x, str) else Fraction(x) for x in (left, right))  # type: ignore[arg-type]
    outcomes = {"=": a == b, ">": a > b, ">=": a >= b, "<": a < b, "<=": a <= b}  # type: ignore[operator]
    return outcomes[op]


def matches_one(op: str, value: Found, wanted: Scalar) -> bool:
    if isinstance(wanted, bool) and op == "=":
        return value is wanted or value == str(wanted).lower()
    if isinstance(wanted, str):
        looks = number_of(wanted)
        if looks is not None and not isinstance(value, bool) and compare(op, number(value), looks):
            return True
        if op == "=":
            return text(value) == wanted
        return isinstance(value, str) and compare(op, value, wanted)
    return compare(op, number(value), wanted)


def matches(one: Filter, row: Row) -> bool:
    if one.op.value in ("all-of", "any-of", "none-of"):
        hits = [matches(f, row) for f in one.inside]
        return {"all-of": all(hits), "any-of": any(hits), "none-of": not any(hits)}[one.op.value]
    value = row.data.get(one.field)
    op = one.op.value
    if op == "search":
        wanted = re.compile(re.escape(str(one.values[0])), re.IGNORECASE)
        return any(wanted.search(v) for v in texts(row))
    if op in _NEGATED:
        return not matches(Filter(one.field, FilterOp(_NEGATED[op]), one.values), row)
    if op == "exists":
        return value is not None
    if op == "matches":
        found = text(value)
        return found is not None and re.search(str(one.values[0]), found) is not None
    if op in ("contains", "starts-with", "ends-with"):
        wanted, held = text(one.values[0]), text(value)
        if held is None or wanted is None:
            return False
        return {
            "contains": wanted in held,
            "starts-with": held.startswith(wanted),
            "ends-with": held.endswith(wanted),
        }[op]
    return any(matches_one("=" if op == "in" else op, value, wanted) for wanted in one.values)


def key(value: Found) -> object:
    """Values that fall into one group: whole floats are integers, types stay apart."""
    if isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(value)
    return value.text if isinstance(value, Json) else value


def texts(row: Row) -> list[str]:
    held = (v.text if isinstance(v, Json) else v for v in row.data.values())
    return [v for v in held if isinstance(v, str)]


def calculate(op: str, column: str | None, rows: Sequence[Row]) -> object:
    if op == "HEATMAP":
        held = [(number(r.data.get(column or "")), r.rate) for r in rows]
        return [(n, rate) for n, rate in held if n is not None]
    if column is None:
        return sum(r.rate for r in rows)
    held = [(r.data[column], r.rate) for r in rows if column in r.data]
    if op == "COUNT":
        return sum(rate for _, rate in held)
    if op == "COUNT_DISTINCT":
        return len({_typed(key(v)) for v, _ in held})
    numbers = [(n, rate) for v, rate in held if (n := number(v)) is not None]
    if not numbers:
        return None
    if op == "SUM":
        return sum(Fraction(n) * rate for n, rate in numbers)
    if op == "AVG":
        return sum(Fraction(n) * rate for n, rate in numbers) / sum(rate for _, rate in numbers)
    if op in ("MIN", "MAX"):
        return (min if op == "MIN" else max)(n for n, _ in numbers)
    wanted = Fraction(PERCENTILES[op], 1000) * sum(rate for _, rate in numbers)
    reached = 0
    for value, rate in sorted(numbers):
        reached += rate
        if reached >= wanted:
            return value
    raise AssertionError


def chosen(filters: Sequence[Filter], any_filter: bool, rows: Sequence[Row]) -> list[Row]:
    every = [(row, [matches(f, row) for f in filters]) for row in rows]
    return [row for row, hits in every if not hits or (any(hits) if any_filter else all(hits))]


def answer(spec: QuerySpec, rows: Sequence[Row]) -> dict[tuple[object, ...], dict[str, object]]:
    """Calculations by group."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in chosen(spec.filters, spec.any_filter, rows):
        named = tuple(_typed(row.data.get(b)) for b in spec.breakdowns)
        groups.setdefault(named, []).append(replace(row, rate=1) if spec.unweighted else row)
    if not spec.breakdowns:
        groups = groups or {(): []}
    return {
        group: {
            c.label: calculate(c.op, c.column, chosen(c.filters, c.any_filter, held))
            for c in spec.calculations
        }
        for group, held in groups.items()
    }


def _typed(value: Found) -> object:
    kept = key(value)
    return (type(kept).__name__, kept)


def same(mine: object, other: object) -> bool:
    """Equal, floats to within rounding of a sum."""
    if isinstance(mine, list) and isinstance(other, list):
        return same_heatmap(mine, other)
    if mine is None or other is None:
        return mine is other
    return math.isclose(float(mine), float(other), rel_tol=1e-9, abs_tol=1e-9)  # type: ignore[arg-type]


def same_heatmap(bins: Sequence[Bin], numbers: Sequence[tuple[int | float, int]]) -> bool:
    """Whether the bins are few, in order, and each has the weights of the numbers in it."""
    reach = [(one["low"], one["high"]) for one in bins]
    assert reach == sorted(reach)
    assert len(bins) <= limits.HEATMAP_BINS_MAX
    assert all(a[1] <= b[0] for a, b in pairwise(reach))
    return (
        all(one["count"] == sum(rate for n, rate in numbers if _within(n, one)) for one in bins)
        and sum(one["count"] for one in bins) == sum(rate for _, rate in numbers)
        and all(one["count"] for one in bins)
    )


def _within(value: int | float, one: Bin) -> bool:
    low, high, near = one["low"], one["high"], float(value)
    assert low is not None
    assert high is not None
    if low == high == 0:
        return near == 0
    return low <= near < high if low >= 0 else low < near <= high
