"""Reads the filters of a query specification: the vendor's flat list, and groups inside it.

An item of `filters` is a condition, or a group: `{"filter_combination": "AND", "OR" or "NONE",
"filters": [...]}`, which may contain groups itself. Depth and number are bounded.
"""

from collections.abc import Iterator
from typing import Any

from common import limits
from query.faults import SpecError
from query.patterns import pattern_fault, pattern_size
from query.plan.parts.conditions import GROUP_OPS, Filter, FilterOp, searched_texts
from query.plan.read.checks import column_of, items_of, object_of, scalar_of

UNARY = (FilterOp.EXISTS, FilterOp.NOT_EXISTS)
LISTS = (FilterOp.IN, FilterOp.NOT_IN)
PATTERNS = (FilterOp.MATCHES, FilterOp.NOT_MATCHES)
_COMBINATIONS = {"AND": FilterOp.ALL_OF, "OR": FilterOp.ANY_OF, "NONE": FilterOp.NONE_OF}
_KNOWN_OPS = " ".join(op.value for op in FilterOp if op not in GROUP_OPS)


def read_filters(spec: dict[str, Any], at: str = "filters") -> tuple[Filter, ...]:
    """The member `filters` of a specification or of a part of it, which is at `at`.

    Raises SpecError.
    """
    filters = tuple(items_of(spec, "filters", lambda item, here: _item(item, here, 1), at))
    conditions = _count(filters)
    if conditions > limits.QUERY_LIST_ITEMS_MAX:
        most = limits.QUERY_LIST_ITEMS_MAX
        raise SpecError(at, "invalid", f"has {conditions} conditions, at most {most} may be")
    _check_patterns_together(filters, at)
    _check_patterns(filters, at)
    return filters


def read_filter(value: object, at: str) -> Filter:
    """One item of filters, which is at `at`. Raises SpecError."""
    found = _item(value, at, 1)
    _check_patterns((found,), at)
    return found


def check_together(filters: tuple[Filter, ...], at: str) -> None:
    """Bounds of the filters of several parts of a query, which are at `at`. Raises SpecError."""
    conditions, most = _count(filters), limits.CALCULATION_CONDITIONS_MAX
    if conditions > most:
        raise SpecError(
            at, "invalid", f"their filters have {conditions} conditions, at most {most} may be"
        )
    _check_patterns_together(filters, at)


def _check_patterns_together(filters: tuple[Filter, ...], at: str) -> None:
    pattern_chars = sum(map(len, _patterns(filters)))
    if pattern_chars > limits.FILTER_PATTERN_CHARS_MAX:
        most = limits.FILTER_PATTERN_CHARS_MAX
        raise SpecError(
            at,
            "invalid",
            f"its regular expressions have {pattern_chars} characters, at most {most} are allowed",
        )
    size = sum(pattern_size(pattern) for pattern in _patterns(filters))
    if size > limits.FILTER_PATTERN_SIZE_MAX:
        most = limits.FILTER_PATTERN_SIZE_MAX
        raise SpecError(
            at,
            "invalid",
            f"its regular expressions have a size of {size:,} with their repetitions written out,"
            f" at most {most:,} is allowed: repeat less, and write [a-z] instead of \\p{{L}}",
        )
    if len(set(searched_texts(filters))) > limits.SEARCHES_MAX:
        most = limits.SEARCHES_MAX
        raise SpecError(at, "invalid", f"they search for more than {most} texts")


def _item(value: object, at: str, depth: int) -> Filter:
    item = object_of(value, at)
    if "filters" not in item:
        return _condition(item, at)
    if depth > limits.FILTER_DEPTH_MAX:
        most = limits.FILTER_DEPTH_MAX
        raise SpecError(at, "invalid", f"groups of filters nest at most {most} deep")
    for name in item:
        if name not in ("filters", "filter_combination"):
            why = "is not a part of a group: filters, filter_combination"
            raise SpecError(f"{at}.{name}", "invalid", why)
    combination = item.get("filter_combination") or "AND"
    op = _COMBINATIONS.get(combination) if isinstance(combination, str) else None
    if op is None:
        raise SpecError(f"{at}.filter_combination", "invalid", "must be AND, OR or NONE")
    inside = items_of(item, "filters", lambda one, _: one)
    if not inside:
        raise SpecError(f"{at}.filters", "missing", "a group has at least one filter")
    read = [_item(one, f"{at}.filters[{i}]", depth + 1) for i, one in enumerate(inside)]
    return Filter("", op, (), tuple(read))


def _count(filters: tuple[Filter, ...]) -> int:
    """The number of conditions, those inside groups included."""
    return sum(_count(one.inside) if one.op in GROUP_OPS else 1 for one in filters)


def _patterns(filters: tuple[Filter, ...]) -> Iterator[str]:
    """The regular expressions, those inside groups included."""
    for one in filters:
        if one.op in GROUP_OPS:
            yield from _patterns(one.inside)
        elif one.op in PATTERNS:
            yield str(one.values[0])


def _check_patterns(filters: tuple[Filter, ...], at: str) -> None:
    for index, one in enumerate(filters):
        here = f"{at}[{index}]"
        if one.op in GROUP_OPS:
            _check_patterns(one.inside, f"{here}.filters")
        elif one.op in PATTERNS:
            why = pattern_fault(str(one.values[0]))
            if why is not None:
                raise SpecError(f"{here}.value", "invalid", f"is no regular expression: {why}")


def _search(item: dict[str, Any], at: str) -> Filter:
    """A search, which reads every text field."""
    if item.get("column") not in (None, ""):
        why = "a search is of every field: leave the column out, or use contains"
        raise SpecError(f"{at}.column", "invalid", why)
    text = item.get("value")
    if text is None:
        raise SpecError(f"{at}.value", "missing", "search needs a text")
    if not isinstance(text, str):
        raise SpecError(f"{at}.value", "incorrect_type", "must be a string")
    if not 1 <= len(text) <= limits.SEARCH_CHARS_MAX:
        why = f"has {len(text):,} characters, a searched text has 1 to {limits.SEARCH_CHARS_MAX:,}"
        raise SpecError(f"{at}.value", "invalid", why)
    return Filter("", FilterOp.SEARCH, (scalar_of(text, f"{at}.value"),))


def _condition(item: dict[str, Any], at: str) -> Filter:
    if item.get("op") == FilterOp.SEARCH.value:
        return _search(item, at)
    if "column" not in item or item["column"] is None:
        raise SpecError(f"{at}.column", "missing", "cannot be blank")
    column = column_of(item["column"], f"{at}.column")
    try:
        op = FilterOp(item.get("op", ""))
    except ValueError as error:
        raise SpecError(f"{at}.op", "invalid", f"must be one of {_KNOWN_OPS}") from error
    if op in GROUP_OPS:
        raise SpecError(f"{at}.op", "invalid", f"must be one of {_KNOWN_OPS}")
    operand = item.get("value")
    if op in UNARY:
        if operand is not None:
            raise SpecError(f"{at}.value", "invalid", f"{op.value} takes no value")
        return Filter(column, op)
    if operand is None:
        raise SpecError(f"{at}.value", "missing", f"{op.value} needs a value")
    if op in LISTS:
        operands = operand if isinstance(operand, list) else [operand]
        if len(operands) > limits.FILTER_VALUES_MAX:
            most = limits.FILTER_VALUES_MAX
            raise SpecError(f"{at}.value", "invalid", f"has more than {most} values")
        values = [scalar_of(v, f"{at}.value[{i}]") for i, v in enumerate(operands)]
        return Filter(column, op, tuple(values))
    if op in PATTERNS and not isinstance(operand, str):
        raise SpecError(f"{at}.value", "incorrect_type", "must be a regular expression, a string")
    return Filter(column, op, (scalar_of(operand, f"{at}.value"),))
