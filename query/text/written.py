"""A specification as the text that stands for it: for people who read what was asked.

What the text cannot say, or says in another way, has none: each text is read back and compared.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from typing import Any, Final, NamedTuple

from common.model.names import ALL_DATASETS
from query.plan.operations import SUPPORTED_OPS
from query.plan.spec import TimeAxis
from query.text.calculations import label_of
from query.text.cursor import BEGINS_CLAUSE, Spec
from query.text.parser import parse_query, parse_text
from query.text.places import RANGE
from query.tokens.errors import QueryTextError
from query.tokens.quoting import quote_name, quote_text

_WORDS: Final = {
    "starts-with": "STARTS-WITH", "does-not-start-with": "NOT STARTS-WITH",
    "ends-with": "ENDS-WITH", "does-not-end-with": "NOT ENDS-WITH",
    "contains": "CONTAINS", "does-not-contain": "NOT CONTAINS",
    "exists": "EXISTS", "does-not-exist": "NOT EXISTS", "in": "IN", "not-in": "NOT IN",
    "matches": "MATCHES", "does-not-match": "NOT MATCHES",
}  # fmt: skip
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
_MEMBERS: Final = frozenset(
    {"calculations", "breakdowns", "filters", "filter_combination", "orders", "havings", "limit",
     "time_range", "start_time", "end_time", "granularity", "per", "compare_time_offset_seconds",
     "formulas", "usage_mode", "calculated_fields", "time_axis", "rows"}
)  # fmt: skip
# What may stand without backticks somewhere, and is easily taken for something else.
_KEYWORDS: Final = (
    *BEGINS_CLAUSE, *SUPPORTED_OPS,
    *("SELECT", "LET", "AND", "OR", "NOT", "AS", "ASC", "DESC", "TRUE", "FALSE", "NULL", "END"),
)  # fmt: skip
_LISTS: Final = ("calculations", "filters", "breakdowns", "orders", "havings", "formulas")
# Labels and texts in expressions, as `query.text.formulas` writes them.
_QUOTED: Final = re.compile(
    r'\$`(?P<label>[^`]*)`|(?P<is_label>\$?)"(?P<text>(?:[^"\\]|\\U[0-9a-f]{8})*)"'
)
_ESCAPE: Final = re.compile(r"\\U([0-9a-f]{8})")
_COUNT: Final = [{"op": "COUNT"}]


class SaidRange(NamedTuple):
    """The words of a range, such as `SINCE yesterday`: what they mean moves along with the time.

    now_ns, zone: the present (unix ns) and the time zone, in which they are read.
    """

    words: str
    now_ns: int
    zone: tzinfo = UTC


def written(spec: Spec, dataset: str | None = None, said: SaidRange | None = None) -> str | None:
    """The text of a specification, on one line; None: it has none.

    dataset: to be named after FROM; ALL_DATASETS is `*`.
    said: a range to be said in its own words, in the place of the specification's.
    """
    if not spec.keys() <= _MEMBERS:
        return None
    if said is not None:
        spec = {name: value for name, value in spec.items() if name not in RANGE}
    try:
        plain = _plainly(spec)
        text = " ".join(_clauses(plain, dataset, said))
        if said is None:
            read = parse_text(text, plain.get("end_time", 0))
        else:
            read = parse_query(text, said.now_ns, said.zone).spec
            read = {name: value for name, value in read.items() if name not in RANGE}
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError, QueryTextError):
        return None
    counted = {} if plain.get("rows") else {"calculations": _COUNT}
    return text if read == counted | plain else None


def _plainly(spec: Spec) -> Spec:
    """The same without what is meant anyway: empty lists, AND, a length beside a beginning."""
    plain = {
        name: _stored(value) for name, value in spec.items() if name not in _LISTS or value != []
    }
    if plain.get("filter_combination") == "AND" or "filters" not in plain:
        plain.pop("filter_combination", None)
    if plain.keys() >= {"start_time", "time_range"} and "end_time" not in plain:
        plain["end_time"] = plain["start_time"] + plain.pop("time_range")
    return plain


def _stored(value: Any) -> Any:
    """The same with doubles for whole numbers that 64 bits do not hold, as they are stored."""
    if isinstance(value, dict):
        return {name: _stored(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_stored(one) for one in value]
    beyond = type(value) is int and not -(2**63) <= value < 2**63
    return float(value) if beyond else value


def _clauses(spec: Spec, dataset: str | None, said: SaidRange | None) -> Iterable[str]:
    if spec.get("calculated_fields"):
        fields = (
            f"{_name(one['name'])} = {one['expression']}" for one in spec["calculated_fields"]
        )
        yield f"LET {', '.join(fields)}"
    yield "SELECT *" if spec.get("rows") is True else _selected(spec)
    if dataset is not None:
        yield "FROM *" if dataset == ALL_DATASETS else f"FROM {_name(dataset)}"
    if spec.get("filters"):
        yield f"WHERE {_joined(spec)}"
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
    yield from _range(spec) if said is None else [said.words]
    if "granularity" in spec:
        yield f"EVERY {_duration(spec['granularity'])}"
    if "compare_time_offset_seconds" in spec:
        yield f"COMPARE {_duration(spec['compare_time_offset_seconds'])}"


def _selected(spec: Spec) -> str:
    calculations = spec.get("calculations") or _COUNT
    shown = [_calculation(one) for one in calculations if not one.get("hidden")]
    return ", ".join([*shown, *(_formula(one, calculations) for one in spec.get("formulas", ()))])


def _range(spec: Spec) -> Iterable[str]:
    """The range, and by which time of events it runs behind the first clause of it."""
    axis = f" BY {TimeAxis(spec['time_axis']).name}" if "time_axis" in spec else ""
    clauses = [
        ("time_range", "LAST", _duration), ("start_time", "SINCE", _moment),
        ("end_time", "UNTIL", _moment),
    ]  # fmt: skip
    for name, word, shown in clauses:
        if name in spec:
            yield f"{word} {shown(spec[name])}{axis}"
            axis = ""


def _calculation(one: Spec) -> str:
    text = _plain(one)
    if "filters" in one:
        text += f" FILTER (WHERE {_joined(one)})"
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
        text = _ESCAPE.sub(lambda code: chr(int(code[1], 16)), found["text"])
        if found["is_label"]:
            return unnamed.get(text) or _name(text)
        return quote_text(text)

    return f"{_QUOTED.sub(plain, one['expression'])} AS {_name(one['name'])}"


def _joined(group: Spec) -> str:
    """The conditions of a specification, a calculation or a group."""
    either = f" {group.get('filter_combination', 'AND')} "
    return either.join(map(_filter, group["filters"]))


def _filter(one: Spec) -> str:
    if "filters" in one:
        if (between := _between(one)) is not None:
            return between
        inner = one["filters"]
        if one.get("filter_combination") != "NONE":
            return f"({_joined(one)})"
        alone = len(inner) == 1 and "filters" in inner[0]  # has parentheses already
        either = _joined({"filters": inner, "filter_combination": "OR"})
        return f"NOT {either}" if alone else f"NOT ({either})"
    if one["op"] == "search" and "column" not in one:
        return f"SEARCH {quote_text(one['value'])}"
    op = _WORDS.get(one["op"], one["op"])
    if "value" not in one:
        return f"{_name(one['column'])} {op}"
    value = one["value"]
    shown = f"({', '.join(map(_value, value))})" if isinstance(value, list) else _value(value)
    return f"{_name(one['column'])} {op} {shown}"


def _between(group: Spec) -> str | None:
    """BETWEEN, or NOT BETWEEN, if a group is that."""
    negated = group.get("filter_combination") == "NONE"
    both = group["filters"][0] if negated and len(group["filters"]) == 1 else group
    if both.get("filter_combination") != "AND" or len(both["filters"]) != 2:
        return None
    low, high = both["filters"]
    sides = (low.get("op"), high.get("op")) == (">=", "<=")
    if not sides or low["column"] != high["column"] or not _ordered(low["value"], high["value"]):
        return None
    word = "NOT BETWEEN" if negated else "BETWEEN"
    return f"{_name(low['column'])} {word} {_value(low['value'])} AND {_value(high['value'])}"


def _ordered(low: object, high: object) -> bool:
    if isinstance(low, str) and isinstance(high, str):
        return low <= high
    numbers = not isinstance(low, bool | str) and not isinstance(high, bool | str)
    return numbers and low <= high  # type: ignore[operator]


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
    return quote_name(name, _KEYWORDS)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return quote_text(value) if isinstance(value, str) else repr(value)


def _duration(seconds: int) -> str:
    unit, letter = next(one for one in _UNITS if seconds % one[0] == 0)
    return f"{seconds // unit}{letter}"


def _moment(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
