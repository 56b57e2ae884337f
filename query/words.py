"""Splits the text form of a query into words with their places, for `query.grammar`."""

import re
from dataclasses import dataclass
from enum import Enum, auto


class WordKind(Enum):
    """What a word looks like."""

    NAME = auto()  # also keywords, operators in words, units of time
    QUOTED_NAME = auto()  # `...`
    STRING = auto()  # "..." or '...'
    NUMBER = auto()
    SYMBOL = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Word:
    """One word. text: without quotes, escapes undone; start, end: its place in the query."""

    kind: WordKind
    text: str
    start: int
    end: int

    def is_keyword(self, *keywords: str) -> bool:
        """Whether it is one of these upper-case keywords, in any case, not quoted."""
        return self.kind is WordKind.NAME and self.text.upper() in keywords

    def is_symbol(self, *symbols: str) -> bool:
        """Whether it is one of these symbols."""
        return self.kind is WordKind.SYMBOL and self.text in symbols


class QueryTextError(ValueError):
    """A query that cannot be understood; shows the query with a mark under the word."""

    def __init__(self, text: str, start: int, end: int, why: str, hint: str = "") -> None:
        line = text.replace("\n", " ")
        mark = " " * start + "^" * max(1, end - start)
        super().__init__("\n".join(filter(None, [why, f"  {line}", f"  {mark}", hint])))
        self.start = start
        self.end = end


_WORD = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<quoted_name>`(?:[^`\\]|\\.)*`)
  | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
  | (?P<time>\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:\d\d)?)
  | (?P<duration>\d+(?:\.\d+)?(?:ms|s|m|h|d|w)(?:\d+(?:ms|s|m|h|d|w))*(?![\w.]))
  | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.:/]))
  | (?P<symbol><>|!=|>=|<=|==|[=<>(),])
  | (?P<name>[^\s`"'=<>!(),]+)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}


def split_words(text: str) -> list[Word]:
    """The words of a query, ended by one of kind END. Raises QueryTextError."""
    words: list[Word] = []
    at = 0
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None:
            unclosed = text[at] in "`\"'"
            why = "this quote is never closed" if unclosed else f"unexpected {text[at]!r}"
            raise QueryTextError(text, at, len(text) if unclosed else at + 1, why)
        kind, raw = match.lastgroup, match.group()
        if kind in ("quoted_name", "string"):
            plain = _ESCAPE.sub(lambda m: _ESCAPED.get(m[1], m[1]), raw[1:-1])
            quoted = WordKind.QUOTED_NAME if kind == "quoted_name" else WordKind.STRING
            words.append(Word(quoted, plain, at, match.end()))
        elif kind == "number":
            words.append(Word(WordKind.NUMBER, raw, at, match.end()))
        elif kind == "symbol":
            words.append(Word(WordKind.SYMBOL, raw, at, match.end()))
        elif kind != "space":
            words.append(Word(WordKind.NAME, raw, at, match.end()))
        at = match.end()
    words.append(Word(WordKind.END, "", len(text), len(text)))
    return words
