"""Tokens, with their positions in the text that they are of."""

from dataclasses import dataclass
from enum import Enum, auto


class TokenKind(Enum):
    """Kinds of tokens."""

    NAME = auto()  # a bare word: keywords, fields, times, values without quotes
    QUOTED_NAME = auto()  # `...`
    STRING = auto()  # "..." or '...'
    NUMBER = auto()
    SYMBOL = auto()
    COLUMN = auto()  # of expressions: $name
    EXPRESSION = auto()  # of queries: what follows LET name =
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A token. text: without quotes. start, end: in the query, half open."""

    kind: TokenKind
    text: str
    start: int
    end: int

    def is_keyword(self, *keywords: str) -> bool:
        """Whether it is one of these upper-case keywords, in any case, not quoted."""
        return self.kind is TokenKind.NAME and self.text.upper() in keywords

    def is_symbol(self, *symbols: str) -> bool:
        """Whether it is one of these symbols."""
        return self.kind is TokenKind.SYMBOL and self.text in symbols
