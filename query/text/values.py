"""Values of conditions: numbers, texts, booleans; and texts that only look like one."""

import math
import re
from dataclasses import replace
from typing import Any

from query.text.cursor import BEGINS_CLAUSE, CLAUSES, Cursor
from query.text.units import Quantity, UnclearUnit, convert, read_quantity
from query.tokens.lexer import Token, TokenKind

_INT_CHARS_MAX = 25  # a longer one is beyond 64 bits
_NULLS = ("NULL",)
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:_[0-9]{3})+", re.ASCII)
_LEADING_ZERO = re.compile(r"[+-]?0[0-9]+", re.ASCII)
_ENDS_VALUE = (",", ")", ";", "&&", "||")
_THOUSANDS = re.compile(r"[0-9]{3}(?:\.[0-9]+)?", re.ASCII)
QUOTES_HINT = 'put text into quotes: "..."'


def number_of(cursor: Cursor, token: Token) -> int | float:
    """The number of a token; a double where 64 bits do not hold it. Raises QueryTextError."""
    text = token.text
    if len(text) <= _INT_CHARS_MAX and text.lstrip("+-").isdigit():
        whole = int(text)
        return whole if -(2**63) <= whole < 2**63 else float(whole)
    number = float(text)
    if not math.isfinite(number):
        raise cursor.fail("this is larger than any number that is stored", token)
    return number


def is_null(token: Token) -> bool:
    """Whether the token is the bare word null."""
    return token.is_keyword(*_NULLS)


def read_value(cursor: Cursor, field: str, *, ordered: bool = False, in_list: bool = False) -> Any:
    """A value that a field is compared with. ordered: by < or >. Raises QueryTextError."""
    token = cursor.take()
    value = _value(cursor, token, field, ordered)
    if not in_list:
        _refuse_grouped(cursor, token)
    return value


def read_text(cursor: Cursor, what: str) -> str:
    """A value that must be a text, exactly as written: 5.0 is not 5. Raises QueryTextError."""
    token = cursor.take()
    if token.kind is TokenKind.STRING:
        return token.text
    bare = token.kind in (TokenKind.NAME, TokenKind.NUMBER)
    if not bare or token.is_keyword(*CLAUSES, "AND", "OR"):
        raise cursor.fail(f"expected {what}", token, QUOTES_HINT)
    return cursor.text[token.start : token.end]


def read_number(cursor: Cursor, field: str) -> int | float:
    """A value that must be a number, possibly with a unit. Raises QueryTextError."""
    token = cursor.take()
    if token.kind is TokenKind.NUMBER:
        with_unit = _blank_and_unit(cursor, token, field, ordered=True)
        if with_unit is not None:
            return with_unit
        value = number_of(cursor, token)
        _refuse_grouped(cursor, token)
        return value
    quantity = _quantity(cursor, token, field, ordered=True)
    if quantity is None:
        raise cursor.fail("expected a number", token)
    return quantity


def _value(cursor: Cursor, token: Token, field: str, ordered: bool) -> Any:
    if token.kind is TokenKind.STRING:
        return token.text
    if token.kind is TokenKind.NUMBER:
        with_unit = _blank_and_unit(cursor, token, field, ordered)
        if with_unit is not None:
            return with_unit
        if not ordered and _LEADING_ZERO.fullmatch(token.text):
            hint = f'write {number_of(cursor, token)} or "{token.text}"'
            raise cursor.fail(f"{token.text} may be a number or a text", token, hint)
        return number_of(cursor, token)
    if token.is_keyword("TRUE", "FALSE") and not ordered:
        return token.is_keyword("TRUE")
    if is_null(token):
        hint = f"`{field} IS NULL` finds the events without the field"
        raise cursor.fail("nothing compares with null", token, hint)
    if token.kind is TokenKind.NAME and not token.is_keyword(*CLAUSES, "AND", "OR", "NOT"):
        quantity = _quantity(cursor, token, field, ordered)
        if quantity is not None:
            return quantity
        if token.text[0] in "[{":
            raise cursor.fail("expected a value", token, "a list is written (1, 2)")
        if _GROUPED.fullmatch(token.text):
            hint = f"write {token.text.replace('_', '')}, or the text in quotes"
            raise cursor.fail("a number has no separators", token, hint)
        if cursor.next.is_symbol("(") and cursor.next.start == token.end:
            raise cursor.fail(
                "values cannot be calculated", token, "write the value itself; times: SINCE, UNTIL"
            )
        return token.text
    raise cursor.fail("expected a value", token, QUOTES_HINT)


def _quantity(cursor: Cursor, token: Token, field: str, ordered: bool) -> int | float | None:
    quantity = read_quantity(token.text) if token.kind is TokenKind.NAME else None
    return (
        None if quantity is None else _converted(cursor, quantity, field, ordered, (token, token))
    )


def _blank_and_unit(cursor: Cursor, token: Token, field: str, ordered: bool) -> int | float | None:
    """200 ms and 80 %: a number, a blank, and a unit that ends the value."""
    unit, after = cursor.next, cursor.peek()
    if unit.kind is not TokenKind.NAME:
        return None
    ends = after.kind is TokenKind.END or after.is_symbol(*_ENDS_VALUE)
    if not ends and not after.is_keyword(*BEGINS_CLAUSE, "AND", "OR"):
        return None
    quantity = read_quantity(token.text + unit.text)
    if quantity is None:
        return None
    cursor.take()
    quantity = replace(quantity, text=f"{token.text} {unit.text}")
    return _converted(cursor, quantity, field, ordered, (token, unit))


def _converted(
    cursor: Cursor, quantity: Quantity, field: str, ordered: bool, tokens: tuple[Token, Token]
) -> int | float:
    try:
        return convert(quantity, field, ordered=ordered)
    except UnclearUnit as error:
        raise cursor.fail(str(error), tokens[0], error.hint, until=tokens[1]) from None


def _refuse_grouped(cursor: Cursor, token: Token) -> None:
    """Refuse 1,000 outside a list: a number with a separator would be parsed as two tokens."""
    comma, rest = cursor.next, cursor.peek()
    if token.kind is not TokenKind.NUMBER or not comma.is_symbol(",") or comma.start != token.end:
        return
    if (
        rest.kind is TokenKind.NUMBER
        and rest.start == comma.end
        and _THOUSANDS.fullmatch(rest.text)
    ):
        hint = f"write {token.text}{rest.text}, or leave a blank after the comma"
        raise cursor.fail("a number has no separators", token, hint, until=rest)
