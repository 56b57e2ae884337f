"""The functions of expressions: how many arguments each takes, and which must be literals.

What each of them comes to is in docs/calculated-fields.md, and in SQL in `query.expressions.sql`.
"""

from dataclasses import dataclass
from typing import Final

from query.tokens.near import near_words

_ANY: Final = 1_000_000  # number of arguments: the length of the text bounds it


@dataclass(frozen=True, slots=True)
class Function:
    """A function.

    least, most: number of arguments.
    usage: its arguments, for people.
    patterns, texts, numbers: places of arguments that must be regular expressions, other literal
        strings, or literal numbers.
    """

    least: int
    most: int
    usage: str
    patterns: tuple[int, ...] = ()
    texts: tuple[int, ...] = ()
    numbers: tuple[int, ...] = ()


FUNCTIONS: Final[dict[str, Function]] = {
    "IF": Function(2, _ANY, "condition, value, ..., otherwise"),
    "SWITCH": Function(3, _ANY, 'value, "case", result, ..., otherwise'),
    "COALESCE": Function(1, _ANY, "value, ..."),
    "LT": Function(2, 2, "left, right"),
    "LTE": Function(2, 2, "left, right"),
    "GT": Function(2, 2, "left, right"),
    "GTE": Function(2, 2, "left, right"),
    "EQUALS": Function(2, 2, "left, right"),
    "IN": Function(2, _ANY, "value, one, ..."),
    "EXISTS": Function(1, 1, "value"),
    "NOT": Function(1, 1, "condition"),
    "AND": Function(1, _ANY, "condition, ..."),
    "OR": Function(1, _ANY, "condition, ..."),
    "MIN": Function(1, _ANY, "value, ..."),
    "MAX": Function(1, _ANY, "value, ..."),
    "SUM": Function(1, _ANY, "number, ..."),
    "SUB": Function(2, 2, "number, number"),
    "MUL": Function(1, _ANY, "number, ..."),
    "DIV": Function(2, 2, "number, number"),
    "MOD": Function(2, 2, "number, number"),
    "LOG10": Function(1, 1, "number"),
    "BUCKET": Function(2, 4, "number, size, least, most", numbers=(1, 2, 3)),
    "INT": Function(1, 1, "value"),
    "FLOAT": Function(1, 1, "value"),
    "BOOL": Function(1, 1, "value"),
    "STRING": Function(1, 1, "value"),
    "CONCAT": Function(1, _ANY, "value, ..."),
    "STARTS_WITH": Function(2, 2, "string, prefix"),
    "ENDS_WITH": Function(2, 2, "string, suffix"),
    "CONTAINS": Function(2, 2, "string, part"),
    "TO_LOWER": Function(1, 1, "string"),
    "LENGTH": Function(1, 2, 'string, "chars" or "bytes"', texts=(1,)),
    "REG_MATCH": Function(2, 2, "string, `pattern`", patterns=(1,)),
    "REG_VALUE": Function(2, 2, "string, `pattern`", patterns=(1,)),
    "REG_COUNT": Function(2, 2, "string, `pattern`", patterns=(1,)),
    "UNIX_TIMESTAMP": Function(1, 1, '"2026-01-31T12:00:00Z"'),
    "EVENT_TIMESTAMP": Function(0, 0, ""),
    "FORMAT_TIME": Function(2, 2, '"%Y-%m-%d", unix seconds', texts=(0,)),
    "METRO_HASH": Function(1, 1, "value"),
    "RAND": Function(0, 0, ""),
}
# Functions of the vendor that are refused, and why.
REFUSED: Final = {
    "INGEST_TIMESTAMP": "when an event was received is not stored with it",
    "LAST": "it is over the time of a metric, not over the fields of one event",
    "SUMMARIZE": "it is over the time of a metric, not over the fields of one event",
    "INCREASE": "it is over the time of a metric, not over the fields of one event",
    "RATE": "it is over the time of a metric: calculate RATE_SUM or RATE_AVG instead",
}
# Words of other languages, and what to write instead.
_INSTEAD: Final = {
    "CASE": "IF", "IFF": "IF", "IFNULL": "COALESCE", "NVL": "COALESCE", "ISNULL": "EXISTS",
    "ADD": "SUM", "PLUS": "SUM", "MINUS": "SUB", "SUBTRACT": "SUB", "TIMES": "MUL",
    "MULTIPLY": "MUL", "DIVIDE": "DIV", "LOWER": "TO_LOWER", "LEN": "LENGTH", "EQ": "EQUALS",
    "GREATEST": "MAX", "LEAST": "MIN", "REGEX": "REG_MATCH", "MATCHES": "REG_MATCH",
    "REGEXP_EXTRACT": "REG_VALUE", "NOW": "EVENT_TIMESTAMP", "STRFTIME": "FORMAT_TIME",
    "HASH": "METRO_HASH", "RANDOM": "RAND", "LOG": "LOG10", "MODULO": "MOD", "NE": "NOT(EQUALS",
}  # fmt: skip


def function_hint(word: str) -> str:
    """What may be meant by a name that is no function."""
    name = word.upper()
    if name in REFUSED:
        return f"{name} is not known here: {REFUSED[name]}"
    if name in FUNCTIONS:
        return f"names of functions are in upper case: {name}"
    if name in _INSTEAD:
        return f"did you mean {_INSTEAD[name]}?"
    near = near_words(word, FUNCTIONS)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(FUNCTIONS)}"
