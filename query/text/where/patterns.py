"""The patterns of a condition: LIKE in SQL's form, and regular expressions."""

import re

from query.text.cursor import Cursor, Spec
from query.text.values import read_text
from query.tokens.lexer import TokenKind

# What each operator of a filter is called where it must not hold.
NEGATED = {
    "starts-with": "does-not-start-with",
    "ends-with": "does-not-end-with",
    "contains": "does-not-contain",
    "exists": "does-not-exist",
    "in": "not-in",
    "matches": "does-not-match",
    "=": "!=",
}
_LIKE_PART = re.compile(r"\\[%_\\]|[%_]|[^%_\\]+|\\", re.DOTALL)


def read_matches(cursor: Cursor, column: str, negated: bool) -> Spec:
    token = cursor.next
    pattern = read_text(cursor, "a regular expression in quotes")
    if (
        token.kind is TokenKind.NAME
        and len(pattern) > 1
        and pattern[0] == "/"
        and "/" in pattern[1:]
    ):
        hint = 'put it into quotes, without slashes around it unless they are meant: "api/v[0-9]"'
        raise cursor.fail("are these slashes part of the pattern?", token, hint)
    return {"column": column, "op": "does-not-match" if negated else "matches", "value": pattern}


def read_like(cursor: Cursor, column: str, negated: bool, *, fold: bool) -> Spec:
    """Read LIKE: % matches any text, _ any character; it must match the whole value."""
    token = cursor.next
    pattern = read_text(cursor, "a pattern in quotes")
    if cursor.take_keyword("ESCAPE"):
        raise cursor.fail("ESCAPE is not known", cursor.previous, r"write \% or \_ for themselves")
    parts = _LIKE_PART.findall(pattern)
    if "\\" in parts:
        hint = r"in a pattern of LIKE a backslash is written \\, and \% and \_ mean themselves"
        raise cursor.fail("this backslash has nothing to protect", token, hint)
    plain = [part[1] if part[0] == "\\" else part for part in parts]
    wild = [part in ("%", "_") for part in parts]
    text = "".join(p for p, w in zip(plain, wild, strict=True) if not w)
    ends = [part for part, w in zip(parts, wild, strict=True) if w]
    simple: str | None = None
    inner = wild[1:-1] if len(wild) > 1 else []
    if not fold and text and ends and set(ends) == {"%"} and not any(inner):
        simple = {
            (True, True): "contains",
            (False, True): "starts-with",
            (True, False): "ends-with",
        }.get((wild[0], wild[-1]))
    if simple is not None:
        return {"column": column, "op": NEGATED[simple] if negated else simple, "value": text}
    joined = "".join(
        {"%": ".*", "_": "."}.get(part, "") if w else re.escape(p)
        for p, part, w in zip(plain, parts, wild, strict=True)
    )
    value = f"(?{'is' if fold else 's'})^{joined}$"
    return {"column": column, "op": "does-not-match" if negated else "matches", "value": value}
