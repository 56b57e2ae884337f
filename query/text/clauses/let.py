"""LET: calculated fields of a query, `LET slow = IF(GTE($duration_ms, 500), 1, 0), mb = $b / 1e6`.

An expression ends before a word that is no operator, so that the query goes on behind it.
"""

from query.expressions.check import check
from query.expressions.parser import parse
from query.text.cursor import Cursor, Spec
from query.text.places import Places
from query.tokens.token import TokenKind

_HINT = "LET slow = IF($duration_ms > 500, 1, 0)"


def read_let(cursor: Cursor, spec: Spec, places: Places) -> None:
    """Read what follows LET into the specification. Raises QueryTextError."""
    fields: list[Spec] = spec.setdefault("calculated_fields", [])

    def field() -> None:
        first = cursor.next
        _field(cursor, fields)
        places.add("calculated_fields", first, len(fields) - 1)

    cursor.listed(field)


def _field(cursor: Cursor, fields: list[Spec]) -> None:
    token = cursor.next
    name = cursor.name(f"the name of a calculated field: {_HINT}")
    if any(one["name"] == name for one in fields):
        raise cursor.fail(f"`{name[:60]}` is there twice", token)
    if not cursor.take_symbol("=") or cursor.next.kind is not TokenKind.EXPRESSION:
        raise cursor.fail(f"expected = and an expression: {_HINT}")
    expression = cursor.take()
    node = parse(cursor.text, expression.start, expression.end)
    check(node, cursor.text, with_patterns=False)  # the server checks them, with RE2
    fields.append({"name": name, "expression": expression.text})
