"""Conditions of WHERE: comparisons with AND, OR, NOT and parentheses.

AND binds tighter than OR. A specification has a flat list joined by AND or by OR; any other
condition becomes nested groups (docs/query.md).
"""

from common import limits
from query.text.cursor import Cursor, Spec
from query.text.where.comparisons import read_comparison
from query.tokens.lexer import Token, TokenKind

_COMPLEMENTS = {
    "=": "!=",
    "in": "not-in",
    "exists": "does-not-exist",
    "contains": "does-not-contain",
    "starts-with": "does-not-start-with",
    "ends-with": "does-not-end-with",
    "matches": "does-not-match",
}
_COMPLEMENTS |= {negated: plain for plain, negated in _COMPLEMENTS.items()}


def read_conditions(cursor: Cursor) -> Spec:
    """`filters`, and `filter_combination` if it is OR. Raises QueryTextError."""
    reader = _Reader(cursor)
    whole = reader.any_of(0)
    if whole.get("filter_combination") == "OR":
        return {"filters": whole["filters"], "filter_combination": "OR"}
    if whole.get("filter_combination") == "AND":
        return {"filters": whole["filters"]}
    return {"filters": [whole]}


class _Reader:
    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._conditions = 0

    def any_of(self, depth: int) -> Spec:
        found = [self._all_of(depth)]
        while self._cursor.take_keyword("OR") or self._cursor.take_symbol("||"):
            found.append(self._all_of(depth))
        return _joined("OR", found)

    def _all_of(self, depth: int) -> Spec:
        found = [self._one(depth)]
        while self._cursor.take_keyword("AND") or self._cursor.take_symbol("&&"):
            found.append(self._one(depth))
        return _joined("AND", found)

    def _one(self, depth: int) -> Spec:
        cursor, negated = self._cursor, False
        while cursor.next.is_symbol("!") or self._is_not():
            cursor.take()
            negated = not negated
        opened = cursor.next
        if cursor.take_symbol("("):
            if depth >= limits.QUERY_TEXT_DEPTH_MAX:
                most = limits.QUERY_TEXT_DEPTH_MAX
                raise cursor.fail(f"parentheses nest at most {most} deep", opened)
            found = self.any_of(depth + 1)
            self._close(opened)
        else:
            found = read_comparison(cursor)
            self._conditions += 2 if "filters" in found else 1
            if self._conditions > limits.QUERY_LIST_ITEMS_MAX:
                most = limits.QUERY_LIST_ITEMS_MAX
                hint = "a list is shorter: name IN (a, b, c)"
                raise cursor.fail(f"a query has at most {most} conditions", opened, hint)
        return _negated(found) if negated else found

    def _is_not(self) -> bool:
        """Whether the next token is the keyword NOT rather than a field of that name."""
        after = self._cursor.peek()
        is_name = after.kind is TokenKind.SYMBOL and not after.is_symbol("(", "!")
        return self._cursor.next.is_keyword("NOT") and not is_name

    def _close(self, opened: Token) -> None:
        cursor = self._cursor
        if cursor.take_symbol(")"):
            return
        if cursor.next.kind is TokenKind.END:
            raise cursor.fail("this ( is never closed", opened)
        raise cursor.fail("expected AND, OR or )")


def _joined(combination: str, found: list[Spec]) -> Spec:
    """One group. Inner groups with the same combination are merged into it."""
    if len(found) == 1:
        return found[0]
    filters: list[Spec] = []
    for one in found:
        filters += one["filters"] if one.get("filter_combination") == combination else [one]
    return {"filter_combination": combination, "filters": filters}


def _negated(one: Spec) -> Spec:
    """The complement: all events that the filter does not match, also those without the field."""
    combination = one.get("filter_combination")
    if combination == "NONE" and len(one["filters"]) == 1:
        inner: Spec = one["filters"][0]
        return inner
    if combination == "NONE":
        return {"filter_combination": "OR", "filters": one["filters"]}
    if combination == "OR":
        return {"filter_combination": "NONE", "filters": one["filters"]}
    if combination is None and one["op"] in _COMPLEMENTS:
        return {**one, "op": _COMPLEMENTS[one["op"]]}
    return {"filter_combination": "NONE", "filters": [one]}
