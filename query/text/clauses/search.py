"""SEARCH: texts that an event holds in any of its text fields, as a clause and as a condition.

A question may begin with the texts alone (`"timeout" LAST 1d`); of several each must be held.
"""

from common import limits
from query.text.cursor import Cursor, Spec
from query.tokens.lexer import TokenKind


def begins_search(cursor: Cursor) -> bool:
    """Whether a condition with SEARCH is next, rather than one on a field of that name."""
    return cursor.next.is_keyword("SEARCH") and cursor.peek().kind is TokenKind.STRING


def read_search(cursor: Cursor) -> Spec:
    """The filter of one text in quotes. Raises QueryTextError."""
    token = cursor.take()
    if token.kind is not TokenKind.STRING:
        hint = 'SEARCH "frame_too_large" looks into every text field, whatever the case'
        raise cursor.fail("expected a text in quotes", token, hint)
    if not token.text:
        raise cursor.fail("every event holds the empty text", token)
    if len(token.text) > limits.SEARCH_CHARS_MAX:
        raise cursor.fail(
            f"a searched text has at most {limits.SEARCH_CHARS_MAX:,} characters", token
        )
    return {"op": "search", "value": token.text}


def read_searches(cursor: Cursor) -> list[Spec]:
    """One text or more, without anything between them. Raises QueryTextError."""
    found = [read_search(cursor)]
    while cursor.next.kind is TokenKind.STRING:
        found.append(read_search(cursor))
    if len(found) > limits.SEARCHES_MAX:
        raise cursor.fail(f"a query searches for at most {limits.SEARCHES_MAX} texts")
    if cursor.next.is_keyword("AND", "OR") or cursor.next.is_symbol("&&", "||"):
        hint = 'SEARCH "a" "b" needs both; conditions: WHERE SEARCH "a" OR status >= 500'
        raise cursor.fail("SEARCH takes texts alone", hint=hint)
    return found


def with_searches(spec: Spec, searches: list[Spec]) -> Spec:
    """The specification with these conditions beside those of WHERE."""
    if not searches:
        return spec
    filters = list(spec.get("filters", []))
    if spec.get("filter_combination") == "OR":
        filters = [{"filter_combination": "OR", "filters": filters}]
    rest = {name: value for name, value in spec.items() if name != "filter_combination"}
    return {**rest, "filters": [*filters, *searches]}
