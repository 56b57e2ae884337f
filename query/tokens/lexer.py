"""Splits the text form of a query into tokens with their positions."""

import re
import unicodedata

from common import limits
from query.tokens.errors import QueryTextError
from query.tokens.expression_lexer import expression_end
from query.tokens.quoting import KNOWN_ESCAPES, unquote
from query.tokens.token import Token, TokenKind

__all__ = ["DOUBLE_THE_QUOTE", "Token", "TokenKind", "tokenize"]

DOUBLE_THE_QUOTE = 'a quote inside quotes is written twice: "say ""hi""" (a backslash is itself)'


# Possessive quantifiers: an unclosed quote costs one pass over the text, not one per character.
_TOKEN = re.compile(
    r"""
    (?P<space>\s++|--(?=\s|\Z)[^\n]*+)
  | (?P<quoted_name>`(?:[^`]++|``)*+`)
  | (?P<string>"(?:[^"]++|"")*+"|'(?:[^']++|'')*+')
  | (?P<escaped_name>[eE]`(?:[^`\\]++|``|\\.)*+`)
  | (?P<escaped_string>[eE]"(?:[^"\\]++|""|\\.)*+"|[eE]'(?:[^'\\]++|''|\\.)*+')
  | (?P<number>[+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+
        (?=[\s=<>!(),;"'`≥≤≠]|&&|\|\||\Z))
  | (?P<symbol>===|!==|<=>|==|=~|!~|!=|<>|>=|<=|=>|=<|&&|\|\||~\*?(?=[\s"'`]|\Z)|[=<>(),;!≥≤≠])
  | (?P<name>(?:(?!&&|\|\|)[^\s`"'=<>!(),;≥≤≠])++)
    """,
    re.VERBOSE | re.DOTALL,
)
_FANCY_QUOTES = "“”„‟‘’‚‛«»‹›″′"
_AFTER_MINUS = tuple("0123456789.")
_FANCY_MINUS = "−–—‒﹣－"
_QUOTES = "`\"'"
_NAMES = (TokenKind.NAME, TokenKind.QUOTED_NAME, TokenKind.STRING)


def tokenize(text: str) -> list[Token]:
    """The tokens of a query, ended by one of kind END. Raises QueryTextError."""
    if len(text) > limits.QUERY_TEXT_CHARS_MAX:
        most = limits.QUERY_TEXT_CHARS_MAX
        raise QueryTextError(text, most, most + 1, f"a query has at most {most:,} characters")
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _unreadable(text, at)
        kind = match.lastgroup or ""
        if kind != "space":
            tokens.append(_token(text, kind, match.group(), at, match.end()))
        at = match.end()
        if kind == "symbol" and match.group() == "=" and _defines(tokens):
            first, at = expression_end(text, at)
            tokens.append(Token(TokenKind.EXPRESSION, text[first:at], first, at))
    tokens.append(Token(TokenKind.END, "", len(text), len(text)))
    return tokens


def _defines(tokens: list[Token]) -> bool:
    """Whether the tokens end with `LET name =`, or with `, name =` after an expression."""
    before, name = tokens[-3:-1] if len(tokens) > 2 else (None, None)
    if before is None or name is None or name.kind not in _NAMES:
        return False
    listed = before.is_symbol(",") and tokens[-4:-3] != []
    if listed and tokens[-4].kind is TokenKind.EXPRESSION:
        return True
    return before.is_keyword("LET")


def _unreadable(text: str, at: int) -> QueryTextError:
    if text[at] in _QUOTES or text[at] in "eE":
        return QueryTextError(text, at, len(text), "this quote is never closed", DOUBLE_THE_QUOTE)
    return QueryTextError(text, at, at + 1, f"unexpected {text[at]!r}")


def _token(text: str, kind: str, raw: str, at: int, end: int) -> Token:
    if kind in ("quoted_name", "string", "escaped_name", "escaped_string"):

        def fail(offset: int, length: int, why: str) -> QueryTextError:
            return QueryTextError(text, at + offset, at + offset + length, why, KNOWN_ESCAPES)

        plain = unquote(raw, fail)
        try:
            plain.encode()
        except UnicodeEncodeError:  # a command-line argument that was not UTF-8
            raise QueryTextError(text, at, end, "this is not text in UTF-8") from None
        is_name = kind.endswith("name")
        return Token(TokenKind.QUOTED_NAME if is_name else TokenKind.STRING, plain, at, end)
    if kind == "number":
        return Token(TokenKind.NUMBER, raw, at, end)
    if kind == "symbol":
        return Token(TokenKind.SYMBOL, raw, at, end)
    if raw.isascii() and raw.isprintable():
        return Token(TokenKind.NAME, raw, at, end)
    if raw[0] in _FANCY_MINUS and raw[1:2] in _AFTER_MINUS:
        hint = f"write -{raw[1:]}, or the text in quotes"
        raise QueryTextError(text, at, at + 1, f"{raw[0]} is a typographic minus", hint)
    for offset, char in enumerate(raw, at):
        if char in _FANCY_QUOTES:
            hint = "texts stand in \" or ', names in `; inside of those any character may stand"
            why = f"{char} is a typographic quote"
            raise QueryTextError(text, offset, offset + 1, why, hint)
        if unicodedata.category(char) == "Cs":  # a command-line argument in another encoding
            raise QueryTextError(text, at, end, "this is not text in UTF-8")
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp"):
            why = f"there is an invisible character here (U+{ord(char):04X})"
            hint = "take it out, or put the name or text that it belongs to into quotes"
            raise QueryTextError(text, offset, offset + 1, why, hint)
    return Token(TokenKind.NAME, raw, at, end)
