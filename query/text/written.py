"""A specification as the text that stands for it: for people who read what was asked.

What the text cannot say, or says in another way, has none: each text is read back and compared.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from query.text.calculations import label_of
from query.text.cursor import CLAUSES, Spec
from query.text.parser import parse_text
from query.tokens.errors import QueryTextError
from query.tokens.quoting import quote_name, quote_text

_WORDS: Final = {
    "starts-with": "STARTS-WITH", "does-not-start-with": "NOT STARTS-WITH",
    "ends-with": "ENDS-WITH", "does-not-end-with": "NOT ENDS-WITH",
    "contains": "CONTAINS", "does-not-contain": "NOT CONTAINS",
    "exists": "EXISTS", "does-not-exist": "NOT EXISTS", "in": "IN", "not-in": "NOT IN",
}  # fmt: skip
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
_MEMBERS: Final = frozenset(
    {"calculations", "breakdowns", "filters", "filter_combination", "orders", "havings", "limit",
     "time_range", "start_time", "end_time", "granularity", "per", "compare_time_offset_seconds",
     "formulas", "usage_mode"}
)  # fmt: skip
# Labels and texts in expressions, as `query.text.formulas` writes them.
_QUOTED: Final = re.compile(r'\$`(?P<label>[^`]*)`|"(?P<text>(?:[^"\\]|\\U[0-9a-f]{8})*)"')
_ESCAPE: Final = re.compile(r"\\U([0-9a-f]{8})")
_COUNT: Final = [{"op": "COUNT"}]


def written(spec: Spec) -> str | None:
    """The text of a specification, on one line; None: it has none."""
    if not spec.keys() <= _MEMBERS:
        return None
    try:
        text = " ".join(_clauses(spec))
        read = parse_text(text, spec.get("end_time", 0))
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError, QueryTextError):
        return None
    return text if read == {"calculations": _COUNT, **spec} else None


def _clauses(spec: Spec) -> Iterable[str]:
    calculations = spec.get("calculations") or _COUNT
    shown = [_calculation(one) for one in calculations if not one.get("hidden")]
    yield ", ".join([*shown, *(_formula(one, calculations) for one in spec.get("formulas", ()))])
    if spec.get("filters"):
        either = f" {spec.get('filter_combination', 'AND')} "
        yield f"WHERE {either.join(map(_filter, spec['filters']))}"
    if "per" in spec:
        yield f"PER {_name(spec['per'])}"
    if spec.get("breakdowns"):
        yield f"GROUP BY {', '.join(map(_name, spec['breakdowns']))}"
    if spec.get("havings"):
        yield f"HAVING {' AND '.join(map(_having, spec['havings']))}"
    if spec.get("orders"):
        yield f"ORDER BY {', '.join(map(_order, spec['orders']))}"
    if "limit" in spec:
        yield f"LIMIT {spec['limit']:d}"
    if spec.get("usage_mode") is True:
        yield "UNWEIGHTED"
    if "time_range" in spec:
        yield f"LAST {_duration(spec['time_range'])}"
    if "start_time" in spec:
        yield f"SINCE {_moment(spec['start_time'])}"
    if "end_time" in spec:
        yield f"UNTIL {_moment(spec['end_time'])}"
    if "granularity" in spec:
        yield f"EVERY {_duration(spec['granularity'])}"
    if "compare_time_offset_seconds" in spec:
        yield f"COMPARE {_duration(spec['compare_time_offset_seconds'])}"


def _calculation(one: Spec) -> str:
    text = _plain(one)
    if "filters" in one:
        either = f" {one.get('filter_combination', 'AND')} "
        text += f" FILTER (WHERE {either.join(map(_filter, one['filters']))})"
    return f"{text} AS {_name(one['name'])}" if "name" in one else text


def _plain(one: Spec) -> str:
    column = one.get("column")
    return str(one["op"]) if column is None else f"{one['op']}({_name(column)})"


def _formula(one: Spec, calculations: list[Spec]) -> str:
    """The expression, with calculations in the place of their labels."""
    unnamed = {label_of(found): _plain(found) for found in calculations if "name" not in found}

    def plain(found: re.Match[str]) -> str:
        if (label := found["label"]) is not None:
            return unnamed.get(label) or _name(label)
        return quote_text(_ESCAPE.sub(lambda code: chr(int(code[1], 16)), found["text"]))

    return f"{_QUOTED.sub(plain, one['expression'])} AS {_name(one['name'])}"


def _filter(one: Spec) -> str:
    if "filters" in one:
        either = f" {one.get('filter_combination', 'AND')} "
        return f"({either.join(map(_filter, one['filters']))})"
    if one["op"] == "search" and "column" not in one:
        return f"SEARCH {quote_text(one['value'])}"
    op = _WORDS.get(one["op"], one["op"])
    if "value" not in one:
        return f"{_name(one['column'])} {op}"
    value = one["value"]
    shown = f"({', '.join(map(_value, value))})" if isinstance(value, list) else _value(value)
    return f"{_name(one['column'])} {op} {shown}"


def _having(one: Spec) -> str:
    if "calculate_op" not in one:
        return _filter(one)  # on what has a name: a calculation, a formula, a column of instances
    calculation = {"op": one["calculate_op"], "column": one.get("column")}
    return f"{_calculation(calculation)} {one['op']} {_value(one['value'])}"


def _order(one: Spec) -> str:
    text = _calculation(one) if "op" in one else _name(one["column"])
    down = {"descending": " DESC", "ascending": " ASC"}
    return text + (down[one["order"]] if "order" in one else "")


def _name(name: str) -> str:
    return quote_name(name, CLAUSES)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return quote_text(value) if isinstance(value, str) else repr(value)


def _duration(seconds: int) -> str:
    unit, letter = next(one for one in _UNITS if seconds % one[0] == 0)
    return f"{seconds // unit}{letter}"


def _moment(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
