"""Formulas in the select list: `errors / total AS ratio`, `100 * SUM(bytes) / COUNT`.

Their words are names that AS gives, calculations, numbers, operators and the functions of
expressions, of which SUM, MIN and MAX are calculations here. What becomes the specification is an
expression over labels; a calculation that stands in formulas alone is hidden.
"""

import re
from collections.abc import Sequence
from typing import Final

from query.expressions.functions import FUNCTIONS
from query.text.calculations import OPERATORS, calculation_op, label_of, read_unnamed
from query.text.cursor import Cursor, Spec
from query.tokens.errors import QueryTextError
from query.tokens.lexer import Token, TokenKind
from query.tokens.near import near_words

_GLUED: Final = re.compile(r"([-+*/%])")  # `SUM(x)/COUNT` is one word after the parenthesis
_NUMBER: Final = re.compile(r"[0-9]+\.?[0-9]*")
_COMPARISONS: Final = {"=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=",
                       ">": ">", ">=": ">=", "!": "!"}  # fmt: skip
_WORDS: Final = ("true", "false", "null")
_NAME_CHARS_MAX: Final = 60


class Formulas:
    """The formulas of a query's select list, and the calculations that they use."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._used: dict[str, Spec] = {}  # label -> calculation
        self._read: list[tuple[Spec, Token, Token]] = []  # with its first and last token
        given = zip(cursor.tokens, cursor.tokens[1:], strict=False)
        self._named = {after.text for before, after in given if before.is_keyword("AS")}

    @property
    def names(self) -> list[str]:
        """The names of the formulas that were read."""
        return [formula["name"] for formula, _, _ in self._read]

    def read(self) -> str | None:
        """The name of the formula that is next; None: it is something else, and nothing is read.

        Raises QueryTextError.
        """
        cursor = self._cursor
        self._split()
        if not self._is_next():
            return None
        first = cursor.next
        expression = self._expression()
        last = cursor.previous
        shown = " ".join(cursor.text[first.start : last.end].split())[:_NAME_CHARS_MAX]
        name = cursor.name("a name for the formula") if cursor.take_keyword("AS") else shown
        self._read.append(({"name": name, "expression": expression}, first, last))
        return name

    def added_to(self, spec: Spec) -> Spec:
        """The specification with the formulas and what they use. Raises QueryTextError."""
        if not self._read:
            return spec
        from query.plan.read.formulas import check_formula  # slow to import

        shown: list[Spec] = spec.get("calculations", [])
        labels = {c.get("name") or label_of(c) for c in shown}
        hidden = [c | {"hidden": True} for label, c in self._used.items() if label not in labels]
        known = labels | set(self._used)
        for formula, first, last in self._read:
            try:
                check_formula(formula["expression"], known)
            except QueryTextError as error:
                raise self._cursor.fail(error.why, first, error.hint, until=last) from None
            known.add(formula["name"])
        formulas = [formula for formula, _, _ in self._read]
        return spec | {"calculations": [*shown, *hidden], "formulas": formulas}

    def _split(self) -> None:
        """Split the words of the item that are several: `errors/total`, where both are known."""
        cursor, at, depth = self._cursor, self._cursor.at, 0
        while not self._ends(cursor.tokens[at], depth):
            token = cursor.tokens[at]
            if calculation_op(token) and cursor.tokens[at + 1].is_symbol("("):
                at = _closing(cursor.tokens, at + 1)
                continue
            parts = self._parts(token)
            cursor.tokens[at : at + 1] = parts
            depth += token.is_symbol("(") - token.is_symbol(")")
            at += len(parts)

    def _parts(self, token: Token) -> list[Token]:
        if token.kind is TokenKind.NUMBER and token.text[0] in "+-" and token.text[1:]:
            return [token]
        if token.kind is not TokenKind.NAME or token.text in self._named:
            return [token]
        words = [word for word in _GLUED.split(token.text) if word]
        if len(words) < 2 or not all(self._is_known(word) for word in words):
            return [token]
        parts, start = [], token.start
        for word in words:
            kind = TokenKind.NUMBER if _NUMBER.fullmatch(word) else TokenKind.NAME
            parts.append(Token(kind, word, start, start + len(word)))
            start += len(word)
        return parts

    def _is_known(self, word: str) -> bool:
        token = Token(TokenKind.NAME, word, 0, 0)
        return (
            word in OPERATORS
            or word in self._named
            or calculation_op(token) is not None
            or _NUMBER.fullmatch(word) is not None
        )

    def _ends(self, token: Token, depth: int) -> bool:
        """Whether the item ends before a token."""
        if token.kind is TokenKind.END or token.is_symbol(";"):
            return True
        return depth <= 0 and (
            token.is_symbol(",", ")") or token.is_keyword("AS") or self._cursor.begins(token)
        )

    def _is_next(self) -> bool:
        """Whether the item is a formula: something is calculated of its calculations."""
        cursor, at, depth = self._cursor, self._cursor.at, 0
        first = cursor.next
        if first.is_symbol("(") or _calls_function(first, cursor.peek()):
            return True
        while not self._ends(cursor.tokens[at], depth):
            token = cursor.tokens[at]
            if calculation_op(token) and cursor.tokens[at + 1].is_symbol("("):
                at = _closing(cursor.tokens, at + 1)
                continue
            if not depth and at > cursor.at and _is_operator(token):
                return True
            depth += token.is_symbol("(") - token.is_symbol(")")
            at += 1
        return False

    def _expression(self) -> str:
        """The item as an expression over labels. Raises QueryTextError."""
        cursor, depth, words = self._cursor, 0, list[str]()
        while not self._ends(cursor.next, depth):
            token = cursor.next
            depth += token.is_symbol("(") - token.is_symbol(")")
            words.append(self._word(token))
        if depth:
            raise cursor.fail("a parenthesis is never closed")
        return " ".join(words)

    def _word(self, token: Token) -> str:
        """The next word, which is read, as an expression has it."""
        cursor = self._cursor
        is_name = token.kind in (TokenKind.NAME, TokenKind.QUOTED_NAME)
        if is_name and token.text in self._named:
            cursor.take()
            return reference(token.text)
        if _calls_function(token, cursor.peek()):
            return cursor.take().text.upper()
        if calculation_op(token) is not None:
            calculation = read_unnamed(cursor)
            if calculation["op"] == "HEATMAP":
                raise cursor.fail("a heatmap is no number to calculate with", token)
            label = label_of(calculation)
            self._used[label] = calculation
            return reference(label)
        cursor.take()
        if token.kind is TokenKind.NUMBER or _is_operator(token) or token.is_symbol("(", ")", ","):
            return token.text
        if token.kind is TokenKind.STRING:
            return quoted(token.text)
        if token.kind is TokenKind.SYMBOL and token.text in _COMPARISONS:
            return _COMPARISONS[token.text]
        if token.is_keyword("AND", "OR"):
            return token.text.upper()
        if token.kind is TokenKind.NAME and token.text.lower() in _WORDS:
            return token.text.lower()
        names = {name.upper(): name for name in self._named}
        near = near_words(token.text, names)
        hint = "a formula is of calculations and of names that AS gives: errors / COUNT AS ratio"
        if near:
            hint = f"did you mean {names[near[0]]}?"
        raise cursor.fail(f"{token.text[:40]!r} is not a calculation", token, hint)


def _calls_function(token: Token, after: Token) -> bool:
    """Whether a function of expressions is called, which is no calculation."""
    if token.kind is not TokenKind.NAME or not after.is_symbol("("):
        return False
    return token.text.upper() in FUNCTIONS and calculation_op(token) is None


def _is_operator(token: Token) -> bool:
    return token.kind is TokenKind.NAME and token.text in OPERATORS


def _closing(tokens: Sequence[Token], at: int) -> int:
    """The token after the parenthesis that closes the one at `at`."""
    depth = 0
    while tokens[at].kind is not TokenKind.END:
        depth += tokens[at].is_symbol("(") - tokens[at].is_symbol(")")
        at += 1
        if not depth:
            break
    return at


def reference(label: str) -> str:
    """A label as a field of an expression."""
    return f"$`{label}`" if "`" not in label else f"${quoted(label)}"


def quoted(text: str) -> str:
    """A text as an expression has it."""
    plain = (c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in text)
    return f'"{"".join(plain)}"'
