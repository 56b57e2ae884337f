"""Parses an expression: functions, operators, fields and literals.

Operators, those that bind tightest first: `!`; `*` `/` `%`; `-`; `+`; `<` `<=` `>` `>=`; `=` `!=`;
`AND`; `OR`. Minus binds tighter than plus, as the vendor has it. What nests deeper than
`limits.EXPRESSION_DEPTH_MAX` is refused, which also bounds every walk over the nodes.
"""

import math
from typing import Final, NoReturn

from common import limits
from query.expressions.functions import FUNCTIONS, function_hint
from query.expressions.nodes import Call, Column, Literal, Node, Value
from query.tokens.errors import QueryTextError
from query.tokens.expression_lexer import next_token
from query.tokens.token import Token, TokenKind

# (operators and their functions), the loosest first
_LEVELS: Final[tuple[dict[str, str], ...]] = (
    {"OR": "OR"},
    {"AND": "AND"},
    {"=": "EQUALS", "!=": "!="},
    {"<": "LT", "<=": "LTE", ">": "GT", ">=": "GTE"},
    {"+": "SUM"},
    {"-": "SUB"},
    {"*": "MUL", "/": "DIV", "%": "MOD"},
)
_INFIX: Final = {operator for level in _LEVELS for operator in level}
_CHAINED: Final = frozenset(("OR", "AND", "SUM", "MUL"))  # a + b + c is one sum
_LITERALS: Final[dict[str, Value]] = {"true": True, "false": False, "null": None}
_OTHER_SPELLINGS: Final = {"==": "=", "&&": "AND", "||": "OR", "<>": "!="}
_INT_MAX: Final = 2**63 - 1


def parse(text: str, at: int = 0, end: int | None = None) -> Node:
    """The expression of the text, or of a part of it: places of nodes and faults are in the text.

    Raises QueryTextError.
    """
    stop = len(text) if end is None else end
    if stop - at > limits.EXPRESSION_CHARS_MAX:
        most = limits.EXPRESSION_CHARS_MAX
        why = f"an expression has at most {most:,} characters"
        raise QueryTextError(text, at + most, at + most + 1, why)
    parser = _Parser(text, at, stop)
    node = parser.expression(0, 1)
    if parser.next.kind is not TokenKind.END:
        raise parser.unexpected(parser.next)
    return node


class _Parser:
    """The tokens of a part of a text, which are read one after another."""

    def __init__(self, text: str, at: int, end: int) -> None:
        self._text = text
        self._at, self._end = at, end
        self._next: Token | None = None

    @property
    def next(self) -> Token:
        """The next token."""
        if self._next is None:
            self._next = next_token(self._text, self._at, self._end)
        return self._next

    def _take(self) -> Token:
        token = self.next
        self._at, self._next = token.end, None
        return token

    def expression(self, level: int, depth: int) -> Node:
        """An expression of operators that bind at least as tight as those of the level.

        depth: number of expressions that this one is inside of.
        """
        if depth > limits.EXPRESSION_DEPTH_MAX:
            raise self._too_deep(self.next)
        first = self._operand(depth)
        return self._operators(first, level, depth)

    def _operators(self, node: Node, level: int, depth: int) -> Node:
        """What follows an operand, by precedence climbing."""
        while True:
            found = self._operator(level)
            if found is None:
                return node
            at, function = found
            token = self._take()
            args = [node, self._right(at, depth)]
            while function in _CHAINED and self._operator(at) == found:
                token = self._take()
                args.append(self._right(at, depth))
            node = self._joined(function, token, tuple(args))

    def _right(self, level: int, depth: int) -> Node:
        """What stands to the right of an operator of the level: of those that bind tighter."""
        right = self._operand(depth)
        return (
            right if self._operator(level + 1) is None else self._operators(right, level + 1, depth)
        )

    def _operator(self, level: int) -> tuple[int, str] | None:
        """(level, function) of the operator that comes next, if it binds so tight."""
        token = self.next
        if token.kind not in (TokenKind.SYMBOL, TokenKind.NAME):
            return None
        for at in range(level, len(_LEVELS)):
            if token.text in _LEVELS[at]:
                return at, _LEVELS[at][token.text]
        if token.text in _OTHER_SPELLINGS:
            hint = f"write {_OTHER_SPELLINGS[token.text]}"
            self._fail(token, f"{token.text} is no operator of an expression", hint)
        return None

    def _joined(self, function: str, token: Token, args: tuple[Node, ...]) -> Node:
        if function == "!=":
            return self._call("NOT", (self._call("EQUALS", args, token),), token)
        return self._call(function, args, token)

    def _call(self, function: str, args: tuple[Node, ...], token: Token) -> Call:
        depth = 1 + max((one.depth for one in args), default=0)
        if depth > limits.EXPRESSION_DEPTH_MAX:
            raise self._too_deep(token)
        return Call(function, args, token.start, token.end, depth)

    def _operand(self, depth: int) -> Node:
        token = self._take()
        if token.is_symbol("!"):
            if depth >= limits.EXPRESSION_DEPTH_MAX:
                raise self._too_deep(token)
            return self._call("NOT", (self._operand(depth + 1),), token)
        if token.is_symbol("-", "+"):
            return self._signed(token)
        if token.is_symbol("("):
            inside = self.expression(0, depth + 1)
            self._close(token)
            return inside
        if token.kind is TokenKind.COLUMN:
            return Column(token.text, token.start, token.end)
        if token.kind is TokenKind.STRING:
            return Literal(token.text, token.start, token.end)
        if token.kind is TokenKind.NUMBER:
            return Literal(self._number(token, 1), token.start, token.end)
        if token.kind is TokenKind.NAME:
            return self._named(token, depth)
        raise self.unexpected(token)

    def _signed(self, sign: Token) -> Literal:
        number = self._take()
        if number.kind is not TokenKind.NUMBER:
            hint = "write 0 - $x for the negative of a field" if sign.text == "-" else ""
            self._fail(number, f"a number follows {sign.text} here", hint)
        value = self._number(number, -1 if sign.text == "-" else 1)
        return Literal(value, sign.start, number.end)

    def _number(self, token: Token, sign: int) -> int | float:
        if token.text.isdigit():
            whole = sign * int(token.text)
            if not -_INT_MAX - 1 <= whole <= _INT_MAX:
                hint = f"write {token.text}.0 for the nearest double"
                self._fail(token, "this whole number does not fit 64 bits", hint)
            return whole
        number = sign * float(token.text)
        if not math.isfinite(number):
            self._fail(token, "no double is so large")
        return number

    def _named(self, token: Token, depth: int) -> Node:
        if not self.next.is_symbol("("):
            if token.text in _LITERALS:
                return Literal(_LITERALS[token.text], token.start, token.end)
            if token.text in FUNCTIONS:
                self._fail(token, f"{token.text} is a function", f"{token.text}(...)")
            if token.text in ("AND", "OR"):
                self._fail(token, f"{token.text} joins two conditions")
            self._fail(token, f"{token.text[:60]!r} has no $", f"a field is ${token.text[:60]}")
        if token.text not in FUNCTIONS:
            why = f"{token.text[:60]} is no function"
            self._fail(token, why, function_hint(token.text))
        opened = self._take()
        args: list[Node] = []
        while not self.next.is_symbol(")"):
            args.append(self.expression(0, depth + 1))
            if not self.next.is_symbol(","):
                break
            self._take()  # also after the last one
        self._close(opened)
        inner = 1 + max((one.depth for one in args), default=0)
        if inner > limits.EXPRESSION_DEPTH_MAX:
            raise self._too_deep(token)
        return Call(token.text, tuple(args), token.start, token.end, inner)

    def _close(self, opened: Token) -> None:
        token = self._take()
        if token.is_symbol(")"):
            return
        if token.kind is TokenKind.END:
            self._fail(opened, "this parenthesis is never closed")
        raise self.unexpected(token)

    def _too_deep(self, token: Token) -> QueryTextError:
        most = limits.EXPRESSION_DEPTH_MAX
        hint = "one SUM(a, b, c, ...) or IF(a, x, b, y, ...) takes many arguments"
        why = f"an expression nests at most {most} deep"
        return QueryTextError(self._text, token.start, token.end, why, hint)

    def _fail(self, token: Token, why: str, hint: str = "") -> NoReturn:
        raise QueryTextError(self._text, token.start, token.end, why, hint)

    def unexpected(self, token: Token) -> QueryTextError:
        """The error at a token that cannot stand where it stands."""
        if token.kind is TokenKind.END:
            why = "expected a value, but the expression ends here"
            return QueryTextError(self._text, token.start, token.end, why)
        shown = self._text[token.start : token.end][:40]
        why, hint = f"did not expect {shown!r} here", _after_operand(token)
        return QueryTextError(self._text, token.start, token.end, why, hint)


def _after_operand(token: Token) -> str:
    if token.kind is TokenKind.COLUMN:
        return "an operator or a comma stands between two values; $a-$b begins with the field `a-`"
    if token.kind is TokenKind.NAME and token.text.upper() in _INFIX:
        return f"operators are in upper case: {token.text.upper()}"
    if token.kind in (TokenKind.STRING, TokenKind.NUMBER, TokenKind.NAME):
        return "an operator or a comma stands between two values"
    return ""
