"""Unpack nested objects into dotted names, without touching a single digit of any value.

The client's side of `--depth`: the same rule as a dataset's own depth (docs/events.md). Values are
copied as they stand in the source; a name that comes twice stays twice, the store decides.
"""

from collections.abc import Iterator

import orjson

from common import limits
from common.scan.json_tokens import JsonSyntaxError, Token, TokenKind, string_value, tokens

_STARTS = (TokenKind.OBJECT_START, TokenKind.ARRAY_START)
_ENDS = (TokenKind.OBJECT_END, TokenKind.ARRAY_END)
Member = tuple[str, TokenKind, bytes]


def members(source: bytes, depth: int) -> list[Member]:
    """Name, kind and text of each member of the object, objects unpacked `depth` levels deep.

    Raises JsonSyntaxError, also if the value is no object or something follows it, and BadValue
    for a name that is not UTF-8.
    """
    stream = tokens(source, depth_max=limits.NESTING_DEPTH_MAX)
    first = next(stream)
    if first.kind is not TokenKind.OBJECT_START:
        raise JsonSyntaxError("expected an object", first.start)
    found: list[Member] = []
    end = _object(source, stream, "", depth, first, found)
    if source[end:].strip(b" \t\r\n"):
        raise JsonSyntaxError("unexpected text after the object", end)
    return found


def flatten(source: bytes, depth: int) -> bytes:
    """The object with nested objects unpacked. Raises as `members` does."""
    parts = [orjson.dumps(name) + b":" + text for name, _, text in members(source, depth)]
    return b"{" + b",".join(parts) + b"}"


def _object(
    source: bytes, stream: Iterator[Token], prefix: str, depth: int, start: Token, out: list[Member]
) -> int:
    """Read an open object's members; returns where the object ends."""
    empty = True
    for token in stream:
        if token.kind is TokenKind.OBJECT_END:
            if empty and prefix:
                out.append((prefix[:-1], start.kind, b"{}"))
            return token.end
        empty = False
        name = prefix + string_value(source, token.start, token.end)
        value = next(stream)
        if value.kind is TokenKind.OBJECT_START and depth > 0:
            _object(source, stream, f"{name}.", depth - 1, value, out)
            continue
        end = _skip(stream, value)
        out.append((name, value.kind, source[value.start : end]))
    raise AssertionError("the tokenizer ends every object")


def _skip(stream: Iterator[Token], value: Token) -> int:
    """Read to the end of a value; returns where that is."""
    open_containers = 1 if value.kind in _STARTS else 0
    last = value
    while open_containers:
        last = next(stream)
        if last.kind in _STARTS:
            open_containers += 1
        elif last.kind in _ENDS:
            open_containers -= 1
    return last.end
