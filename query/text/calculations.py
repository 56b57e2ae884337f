"""Calculations: COUNT, SUM(x), P99(duration_ms), and their other spellings."""

import re
from fractions import Fraction

from query.plan.operations import PERCENTILES, SUPPORTED_OPS, WITHOUT_COLUMN
from query.text.cursor import CLAUSE_HINTS, CLAUSES, Cursor, Spec
from query.tokens.errors import QueryTextError
from query.tokens.lexer import Token, TokenKind
from query.tokens.near import near_words

_ALIASES = {
    "MEDIAN": "P50",
    "MEAN": "AVG",
    "AVERAGE": "AVG",
    "MINIMUM": "MIN",
    "MAXIMUM": "MAX",
    "DISTINCT": "COUNT_DISTINCT",
    "COUNTDISTINCT": "COUNT_DISTINCT",
    "UNIQ": "COUNT_DISTINCT",
    "DC": "COUNT_DISTINCT",
    "UNIQUE": "COUNT_DISTINCT",
    "COUNT_UNIQUE": "COUNT_DISTINCT",
    "NUNIQUE": "COUNT_DISTINCT",
    "CARDINALITY": "COUNT_DISTINCT",
    "APPROX_COUNT_DISTINCT": "COUNT_DISTINCT",
}
OPERATORS = ("+", "-", "*", "/", "%")  # of formulas
_PERCENT = ("PERCENTILE", "PERCENTILES", "PCTL")  # of a hundred
_QUANTILE = ("QUANTILE", "PERCENTILE_CONT", "PERCENTILE_DISC", "APPROX_QUANTILE")  # of one
_PER_MILLE = {per_mille: op for op, per_mille in PERCENTILES.items()}
_PERCENTILE_LIKE = re.compile(r"P[0-9]{1,3}(?:[._][0-9]{1,3})?", re.ASCII)
_KNOWN_PERCENTILES = f"known: {', '.join(PERCENTILES)}"
_HINTS = {
    "EXPLAIN": "bellwether query --explain prints the specification and asks nothing",
    "COUNTIF": "COUNT WHERE ... counts the events that match",
    "COUNT_IF": "COUNT WHERE ... counts the events that match",
    "STDDEV": "P50, P90 and P99 show how values spread",
    "VARIANCE": "P50, P90 and P99 show how values spread",
    "STATS": "leave it out: COUNT, AVG(x) GROUP BY name",
    "SEARCH": "conditions begin with WHERE",
    "|": CLAUSE_HINTS["|"],
    "TOPK": "the largest groups: COUNT GROUP BY name ORDER BY COUNT DESC LIMIT 10",
    "RATE": "counts per step in time: COUNT EVERY 1m",
    "TABLES": "`bellwether datasets list` lists the datasets",
    "DATASETS": "`bellwether datasets list` lists the datasets",
    "DESCRIBE": "`bellwether fields DATASET` lists the fields",
    "COLUMNS": "`bellwether fields DATASET` lists the fields",
    "FIELDS": "`bellwether fields DATASET` lists the fields",
    "DATE_TRUNC": "steps in time are EVERY 5m",
    "TIME_BUCKET": "steps in time are EVERY 5m",
}


def calculation_op(token: Token) -> str | None:
    """The calculation of that name, or None."""
    if token.kind is not TokenKind.NAME:
        return None
    upper = token.text.upper()
    op = _ALIASES.get(upper, upper)
    if op == "P99.9":
        op = "P999"
    if op in SUPPORTED_OPS or op in _PERCENT or op in _QUANTILE:
        return op
    return None


def read_calculation(cursor: Cursor) -> Spec:
    """A calculation, with its name if AS gives it one. Raises QueryTextError."""
    calculation = read_unnamed(cursor)
    if cursor.take_keyword("AS"):
        calculation["name"] = cursor.name("a name for the calculation")
    return calculation


def read_unnamed(cursor: Cursor) -> Spec:
    """A calculation alone. Raises QueryTextError."""
    first = cursor.take()
    op = calculation_op(first)
    if op is None:
        raise unknown_calculation(cursor, first)
    if op in _PERCENT or op in _QUANTILE:
        return _percentile(cursor, first, op)
    return _plain(cursor, first, op)


def label_of(calculation: Spec) -> str:
    """How the calculation is written: `COUNT`, `P99(duration_ms)`."""
    column = calculation.get("column")
    return calculation["op"] if column is None else f"{calculation['op']}({column})"


def _plain(cursor: Cursor, first: Token, op: str) -> Spec:
    if op == "COUNT" and cursor.next.is_keyword("DISTINCT"):
        cursor.take()
        op = "COUNT_DISTINCT"
    column: str | None = None
    if cursor.take_symbol("("):
        distinct = cursor.next.is_keyword("DISTINCT") and not cursor.peek().is_symbol(")")
        if op == "COUNT" and distinct:
            cursor.take()
            op = "COUNT_DISTINCT"
        column = _argument(cursor, op)
    elif op != "COUNT" and op not in WITHOUT_COLUMN and not _ends(cursor):
        cursor.take_keyword("OF")
        column = cursor.name("a field's name")
    if column is not None and op in WITHOUT_COLUMN:
        raise cursor.fail(f"{op} takes no field", first, until=cursor.previous)
    if column is None and op != "COUNT" and op not in WITHOUT_COLUMN:
        raise cursor.fail(f"{op} needs a field, as in {op}(duration_ms)", first)
    if column is None and cursor.next.kind is TokenKind.NAME and not _ends(cursor):
        name = cursor.next.text
        if op in WITHOUT_COLUMN:
            raise cursor.fail(f"{op} takes no field")
        hint = f"COUNT GROUP BY {name} counts by it; COUNT({name}) counts the events that have it"
        raise cursor.fail(
            f"did not expect {name!r} here",
            hint=CLAUSE_HINTS.get(name.upper()) or _clause_hint(name) or hint,
        )
    return {"op": op} if column is None else {"op": op, "column": column}


def _clause_hint(name: str) -> str:
    """A hint if the word is more likely a misspelt clause than a field; else empty."""
    near = near_words(name, CLAUSES)
    return f"did you mean {near[0]}?" if near else ""


def _ends(cursor: Cursor) -> bool:
    """Whether the calculation ends here."""
    token = cursor.next
    return (
        cursor.at_clause()
        or (token.kind is TokenKind.NAME and token.text in OPERATORS)
        or token.kind is TokenKind.SYMBOL
        or token.kind is TokenKind.NUMBER
        or token.is_keyword("AS", "ASC", "DESC", "ASCENDING", "DESCENDING", "AND", "OR", "NOT")
        or token.is_keyword("BETWEEN", "IN", "IS", "OFFSET", "NULLS")
    )


def _argument(cursor: Cursor, op: str) -> str | None:
    """The field in parentheses; None for `()` and `(*)`."""
    if cursor.take_symbol(")"):
        return None
    column: str | None = None
    if cursor.next.is_keyword("*"):
        star = cursor.take()
        if op != "COUNT" and op not in WITHOUT_COLUMN:
            raise cursor.fail(f"{op} needs a field, as in {op}(duration_ms)", star)
    elif cursor.next.is_keyword("DISTINCT") and cursor.peek().is_symbol("("):
        cursor.take()
        cursor.take()
        column = cursor.name("a field's name")
        cursor.expect(")")
    else:
        column = cursor.name("a field's name")
    if op.startswith("COUNT") and cursor.next.is_symbol(","):
        raise cursor.fail(f"{op} takes one field", hint="break down by several: GROUP BY a, b")
    cursor.expect(
        ")",
        "expected ), for a calculation takes the name of one field",
        "a name with blanks or odd characters stands in backticks",
    )
    return column


def _percentile(cursor: Cursor, first: Token, op: str) -> Spec:
    """percentile(x, 99), percentile(99, x), quantile(x, 0.99)."""
    hint = f"P99(duration_ms) is the 99th percentile; {_KNOWN_PERCENTILES}"
    cursor.expect("(", f"{first.text} needs a field and which percentile", hint)
    number, column = None, None
    for _ in range(2):
        if cursor.next.kind is TokenKind.NUMBER and number is None:
            number = cursor.take()
        else:
            column = cursor.name("a field's name")
        cursor.take_symbol(",")
    cursor.expect(")")
    if number is None or column is None:
        raise cursor.fail(f"{first.text} needs a field and which percentile", first, hint)
    parts = 1000 if op in _QUANTILE else 10
    per_mille = Fraction(number.text) * parts if len(number.text) < 20 else None
    if op in _PERCENT and per_mille is not None and 0 < per_mille < 10 and "." in number.text:
        why = f"{number.text} may mean a part of one or of a hundred"
        raise cursor.fail(why, number, f"write P50(x) for the middle; {_KNOWN_PERCENTILES}")
    found = _PER_MILLE.get(int(per_mille)) if per_mille and per_mille == int(per_mille) else None
    if found is None:
        raise cursor.fail("there is no calculation for this percentile", number, _KNOWN_PERCENTILES)
    return {"op": found, "column": column}


def unknown_calculation(cursor: Cursor, token: Token) -> QueryTextError:
    """The error at a token where a calculation is expected."""
    upper = token.text.upper()
    if token.kind is TokenKind.END:
        return cursor.fail("expected a calculation like COUNT", token)
    shown = cursor.text[token.start : token.end][:40]
    why = f"{shown!r} is not a calculation"
    if token.kind is TokenKind.NAME and _PERCENTILE_LIKE.fullmatch(upper):
        bounds = {"P100": "MAX(x) is the largest", "P0": "MIN(x) is the smallest"}
        return cursor.fail(why, token, bounds.get(upper) or _KNOWN_PERCENTILES)
    if near := near_words(token.text, SUPPORTED_OPS):
        return cursor.fail(why, token, f"did you mean {near[0]}?")
    hint = _HINTS.get(upper)
    if hint is None and token.kind in (TokenKind.NAME, TokenKind.QUOTED_NAME):
        hint = f"events are shown by SELECT *; COUNT GROUP BY {shown} counts by it"
    return cursor.fail(why, token, hint or f"known here: {', '.join(SUPPORTED_OPS)}")
