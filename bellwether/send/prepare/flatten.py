"""Unpack nested objects into dotted names, without touching a single digit of any value.

The client's side of `--depth`: the same rule as a dataset's own depth (docs/events.md). Values are
copied as they stand in the source; a name that comes twice stays twice, the store decides.
"""

import re
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


_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_MEMBER = re.compile(
    rb'[ \t\r\n,]*+(?:"([^"\\]*+(?:\\.[^"\\]*+)*+)"[ \t\r\n]*+:[ \t\r\n]*+'
    rb'(?:([{\[])|(%b|[^,\]}{\["\s]++))|(\}))' % _STRING,
    re.DOTALL,
)
_BRACKET = re.compile(rb"%b|([{\[])|[}\]]" % _STRING, re.DOTALL)


def flatten_valid(source: bytes, depth: int) -> bytes:
    """As `flatten`, for an object that is known to be valid JSON: quicker by an order."""
    out: list[bytes] = []
    prefix = b""
    outer: list[tuple[bytes, int]] = []  # the prefixes around, and what had been found before
    at = source.index(b"{") + 1
    while True:
        match = _MEMBER.match(source, at)
        if match is None:
            raise AssertionError("only valid JSON may be given")
        at = match.end()
        name, opening, scalar, end = match.groups()
        if scalar is not None:
            out.append(b'"%b%b":%b' % (prefix, name, scalar))
        elif end is not None:
            if not outer:
                return b"{%b}" % b",".join(out)
            before, found = outer.pop()
            if len(out) == found:
                out.append(b'"%b":{}' % prefix[:-1])
            prefix = before
        elif opening == b"{" and len(outer) < depth:
            outer.append((prefix, len(out)))
            prefix = b"%b%b." % (prefix, name)
        else:
            start = match.start(2)
            at = _behind(source, start)
            out.append(b'"%b%b":%b' % (prefix, name, source[start:at]))


def _behind(source: bytes, at: int) -> int:
    """The offset after the array or object that begins at `at`."""
    depth = 0
    for match in _BRACKET.finditer(source, at):
        if match[1] is not None:
            depth += 1
        elif match[0] in b"}]":
            depth -= 1
            if depth == 0:
                return match.end()
    raise AssertionError("only valid JSON may be given")


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
