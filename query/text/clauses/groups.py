"""GROUP BY, the fields that form groups; and ORDER BY, which group comes first."""

from query.text.calculations import calculation_op, read_calculation
from query.text.cursor import CLAUSES, Cursor, Spec
from query.text.places import Places
from query.tokens.lexer import Token, TokenKind


def read_breakdowns(cursor: Cursor, first: Token, places: Places) -> list[str]:
    """The fields of a GROUP BY, each once. first: the word that began it. Raises QueryTextError."""
    if first.is_keyword("BREAKDOWN", "BREAKDOWNS", "GROUP") and not cursor.take_keyword("BY"):
        raise cursor.fail("expected BY")
    names: list[str] = []

    def added() -> None:
        token = cursor.next
        name = _field(cursor)
        if name in names:
            raise cursor.fail(f"`{name}` is there twice", cursor.previous)
        names.append(name)
        places.add("breakdowns", token, len(names) - 1)

    cursor.listed(added)
    return names


def _field(cursor: Cursor) -> str:
    token, after = cursor.next, cursor.peek()
    if token.kind is TokenKind.NAME and after.is_symbol("("):
        hint = "steps in time are EVERY 5m"
        raise cursor.fail("groups are formed by fields, not by what is calculated", hint=hint)
    if token.is_keyword(*CLAUSES) and after.kind in (TokenKind.NUMBER, TokenKind.NAME):
        hint = f"a field called {token.text} stands in backticks: `{token.text}`"
        raise cursor.fail("expected a field's name", hint=hint)
    return cursor.name("a field's name")


def read_orders(cursor: Cursor, first: Token, places: Places) -> list[tuple[Token, Spec]]:
    """The orders of an ORDER BY with the word that each begins with. Raises QueryTextError."""
    if first.text.upper() != "ORDERBY" and not cursor.take_keyword("BY"):
        raise cursor.fail("expected BY")
    orders: list[tuple[Token, Spec]] = []

    def added() -> None:
        token = cursor.next
        order: Spec
        if calculation_op(token) is not None:
            order = read_calculation(cursor)
        else:
            order = {"column": cursor.name("a calculation or a field's name")}
        if cursor.next.is_keyword("DESC", "DESCENDING", "ASC", "ASCENDING"):
            down = cursor.take().is_keyword("DESC", "DESCENDING")
            order["order"] = "descending" if down else "ascending"
        places.add("orders", token, len(orders))
        orders.append((token, order))

    cursor.listed(added)
    return orders
