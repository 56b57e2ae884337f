"""A cursor over the tokens of a query, and errors at its position."""

from collections.abc import Callable
from typing import Any, TypeVar

from common import limits
from query.tokens.errors import QueryTextError
from query.tokens.lexer import DOUBLE_THE_QUOTE, Token, TokenKind, tokenize

T = TypeVar("T")
Spec = dict[str, Any]
CLAUSES = (
    *("FROM", "WHERE", "SEARCH", "PER", "GROUP", "HAVING", "ORDER", "LIMIT", "LET"),
    *("EVERY", "LAST", "SINCE", "UNTIL", "BETWEEN", "COMPARE", "UNWEIGHTED"),
)
# Other spellings of clauses
CLAUSE_ALIASES = {
    "GROUPBY": "GROUP",
    "BY": "GROUP",
    "BREAKDOWN": "GROUP",
    "BREAKDOWNS": "GROUP",
    "ORDERBY": "ORDER",
    "SORT": "ORDER",
    "FILTER": "WHERE",
    "TOP": "LIMIT",
    "PAST": "LAST",
}
# Clauses of other query languages, and what to write instead
CLAUSE_HINTS = {
    "OFFSET": "results have no pages: raise LIMIT, or leave groups out with WHERE or HAVING",
    "JOIN": "a query asks one dataset; nothing is joined",
    "UNION": "a query asks one dataset; ask twice",
    "GRANULARITY": "steps in time are EVERY 5m",
    "INTERVAL": "steps in time are EVERY 5m",
    "AFTER": "a time range is SINCE time UNTIL time",
    "BEFORE": "a time range is SINCE time UNTIL time",
    "TO": "a time range is SINCE time UNTIL time",
    "DURING": "a time range is LAST 2h, or SINCE time UNTIL time",
    "FOR": "a time range is LAST 2h, or SINCE time UNTIL time",
    "NULLS": "groups without a value always come last",
    "AND": "conditions begin with WHERE",
    "OR": "conditions begin with WHERE",
    "AS": "only calculations can be given a name",
    "|": "there are no pipes; clauses follow each other: COUNT WHERE ... GROUP BY ... LIMIT 10",
    "WINDOW": "steps in time are EVERY 5m",
}
BEGINS_CLAUSE = (*CLAUSES, *CLAUSE_ALIASES)
_NAMES = (TokenKind.NAME, TokenKind.QUOTED_NAME, TokenKind.STRING)


class Cursor:
    """The tokens, and the index of the next one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.at = 0

    @property
    def next(self) -> Token:
        """The next token."""
        return self.tokens[self.at]

    @property
    def previous(self) -> Token:
        """The token that was read last; before any read, the first one."""
        return self.tokens[max(0, self.at - 1)]

    def peek(self, by: int = 1) -> Token:
        """The token `by` positions after the next one; END after the last."""
        return self.tokens[min(self.at + by, len(self.tokens) - 1)]

    def take(self) -> Token:
        """Read the next token. END may be read any number of times."""
        token = self.next
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def take_keyword(self, *keywords: str) -> bool:
        """Read the next token if it is one of the keywords."""
        if self.next.is_keyword(*keywords):
            self.take()
            return True
        return False

    def take_symbol(self, *symbols: str) -> bool:
        """Read the next token if it is one of the symbols."""
        if self.next.is_symbol(*symbols):
            self.take()
            return True
        return False

    def at_clause(self) -> bool:
        """Whether a clause begins here or the query ends."""
        return self.begins(self.next)

    def begins(self, token: Token) -> bool:
        """Whether a clause begins with the token, or the query ends before it."""
        return token.kind is TokenKind.END or token.is_keyword(*BEGINS_CLAUSE)

    def fail(
        self, why: str, token: Token | None = None, hint: str = "", until: Token | None = None
    ) -> QueryTextError:
        """An error at a token (the next one unless another is given), marked up to `until`."""
        token = token or self.next
        if token.kind is TokenKind.END:
            why = f"{why}, but the query ends here"
        before = self.tokens[max(0, self.tokens.index(token) - 1)]
        quoted = before.kind in (TokenKind.STRING, TokenKind.QUOTED_NAME)
        if quoted and self.text[: before.end - 1].endswith("\\") and before is not token:
            hint = "\n".join(filter(None, [hint, DOUBLE_THE_QUOTE]))
        return QueryTextError(self.text, token.start, (until or token).end, why, hint)

    def expect(self, symbol: str, why: str = "", hint: str = "") -> None:
        """Read a symbol; fail if another token is next."""
        if not self.take_symbol(symbol):
            raise self.fail(why or f"expected {symbol}", hint=hint)

    def name(self, what: str) -> str:
        """Read a name: a bare word or one in quotes."""
        token = self.next
        if token.kind not in _NAMES:
            hint = "a name that looks like a number stands in backticks"
            raise self.fail(
                f"expected {what}", token, hint if token.kind is TokenKind.NUMBER else ""
            )
        self.take()
        return token.text

    def listed(self, item: Callable[[], T], most: int = limits.QUERY_LIST_ITEMS_MAX) -> list[T]:
        """Read items that are separated by commas, at most so many. Raises QueryTextError."""
        items = [item()]
        while self.take_symbol(","):
            if len(items) == most:
                raise self.fail(f"at most {most:,} items stand here")
            items.append(item())
        return items
