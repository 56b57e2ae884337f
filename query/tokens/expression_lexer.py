r"""Splits an expression into tokens with their positions in the text that it is a part of.

Fields begin with `$`: `$duration_ms`, `$"with blanks"`, or with backticks after the `$`. Strings
are in double quotes with backslash escapes, or in backticks, where a backslash is itself.
"""

import re
import unicodedata
from typing import Final

from query.tokens.errors import QueryTextError
from query.tokens.token import Token, TokenKind

_TOKEN = re.compile(
    r"""
    (?P<space>\s++|--(?=\s|\Z)[^\n]*+)
  | (?P<column>\$[\w./:=+?-]++)
  | (?P<quoted_column>\$"(?:[^"\\]++|\\.)*+")
  | (?P<raw_column>\$`[^`]*+`)
  | (?P<string>"(?:[^"\\]++|\\.)*+")
  | (?P<raw_string>`[^`]*+`)
  | (?P<number>(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+)
  | (?P<symbol>==|&&|\|\||<>|!=|<=|>=|[-+*/%<>=!(),;])
  | (?P<name>[^\W\d][\w.]*+)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(
    r"\\(?:(?P<plain>[abfnrtv\\'\"`])|(?P<octal>[0-7]{3})|x(?P<x>[0-9a-fA-F]{2})"
    r"|u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8})|(?P<unknown>.))",
    re.DOTALL,
)
_PLAIN: Final = dict(zip("abfnrtv\\'\"`", "\a\b\f\n\r\t\v\\'\"`", strict=True))
_KNOWN_ESCAPES: Final = r"known: \n \t \r \a \b \f \v \\ \" \xHH \uHHHH \UHHHHHHHH \ooo"
_RAW_HINT: Final = "in backticks a backslash is itself: `\\d+`"
_COLUMN_HINT: Final = 'a field is $name, or $"name" if it has blanks or other characters'
_WORDS: Final = (TokenKind.NAME, TokenKind.COLUMN, TokenKind.STRING, TokenKind.NUMBER)
_JOINING: Final = ("AND", "OR")
_CHAR_MAX: Final = 0x10FFFF


def next_token(text: str, at: int, end: int) -> Token:
    """The token at or after `at`, or one of kind END at `end`. Raises QueryTextError."""
    while at < end:
        match = _TOKEN.match(text, at, end)
        if match is None:
            raise _unreadable(text, at, end)
        kind, stop = match.lastgroup or "", match.end()
        if kind != "space":
            return _token(text, kind, match.group(), at, stop)
        at = stop
    return Token(TokenKind.END, "", end, end)


def expression_end(text: str, at: int) -> tuple[int, int]:
    """Where the first word of an expression begins, and where its last one ends, in a text that
    may go on: with a word that is no operator, or a comma or semicolon in no parentheses.

    Raises QueryTextError.
    """
    first = end = -1
    depth, has_operand = 0, False
    while True:
        token = next_token(text, at, len(text))
        if first < 0:
            first = end = token.start
        if token.kind is TokenKind.END:
            return first, end
        is_word = token.kind in _WORDS and token.text not in _JOINING
        goes_on = has_operand and is_word and token.kind is TokenKind.NAME
        if depth == 0 and (token.is_symbol(",", ";", ")") or goes_on):
            return first, end
        depth += token.is_symbol("(") - token.is_symbol(")")
        has_operand = is_word or token.is_symbol(")")
        at = end = token.end


def _token(text: str, kind: str, raw: str, at: int, end: int) -> Token:
    if kind == "column":
        return Token(TokenKind.COLUMN, raw[1:], at, end)
    if kind in ("quoted_column", "raw_column"):
        name = _unescape(text, at + 2, raw[2:-1]) if raw[1] == '"' else raw[2:-1]
        return Token(TokenKind.COLUMN, _utf_8(text, at, end, name), at, end)
    if kind == "string":
        plain = _unescape(text, at + 1, raw[1:-1])
        return Token(TokenKind.STRING, _utf_8(text, at, end, plain), at, end)
    if kind == "raw_string":
        return Token(TokenKind.STRING, _utf_8(text, at, end, raw[1:-1]), at, end)
    kinds = {"number": TokenKind.NUMBER, "symbol": TokenKind.SYMBOL, "name": TokenKind.NAME}
    return Token(kinds[kind], raw, at, end)


def _unescape(text: str, at: int, body: str) -> str:
    """at: where the body begins in the text."""

    def plain(found: re.Match[str]) -> str:
        here = at + found.start(), at + found.end()
        if found["unknown"] is not None:
            hint = f"{_KNOWN_ESCAPES}; {_RAW_HINT}"
            raise QueryTextError(text, *here, f"{found.group()} is no escape that is known", hint)
        if found["plain"] is not None:
            return _PLAIN[found["plain"]]
        if found["octal"] is not None:
            return chr(int(found["octal"], 8))
        code = int(found["x"] or found["u"] or found["U"], 16)
        if code > _CHAR_MAX:
            raise QueryTextError(text, *here, f"{found.group()} is no character")
        return chr(code)

    made = _ESCAPE.sub(plain, body)
    try:
        return made.encode("utf-16", "surrogatepass").decode("utf-16")  # joins \ud83d\ude00
    except UnicodeDecodeError:
        why = "half of a surrogate pair is no character"
        raise QueryTextError(text, at, at + max(1, len(body)), why) from None


def _utf_8(text: str, at: int, end: int, plain: str) -> str:
    try:
        plain.encode()
    except UnicodeEncodeError:
        raise QueryTextError(text, at, end, "this is not text in UTF-8") from None
    return plain


def _unreadable(text: str, at: int, end: int) -> QueryTextError:
    char = text[at]
    if char == '"' or char == "`" or text[at : at + 2] in ('$"', "$`"):
        why, hint = "this quote is never closed", 'inside "..." a quote is written \\"'
        return QueryTextError(text, at, end, why, hint)
    if char == "'":
        hint = "texts stand in double quotes or backticks"
        return QueryTextError(text, at, at + 1, "' is no quote of an expression", hint)
    if char == "$":
        return QueryTextError(text, at, at + 1, "a field's name follows $", _COLUMN_HINT)
    if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp"):
        why = f"there is an invisible character here (U+{ord(char):04X})"
        return QueryTextError(text, at, at + 1, why)
    return QueryTextError(text, at, at + 1, f"unexpected {char!r}")
