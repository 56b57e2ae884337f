"""The fields of one event, read exactly: docs/events.md in its simplest implementation.

An event becomes one value per field name. Objects are unpacked while the depth allows; deeper
objects, arrays and empty objects are JSON text. The last member of a name in document order wins,
also when it is null, which makes the field absent (I12). The limits of
ingestion on sizes and counts are not checked again: events in the log were acknowledged, so they
are stored (I2). One limit applies here: an event with too many bytes of unpacked names is read as
if the depth were 0.
"""

from collections.abc import Iterator

from common import limits
from common.scan.json_tokens import (
    BadValue,
    Token,
    TokenKind,
    number_value,
    skip_space,
    string_value,
    tokens,
    without_space,
)

_OPENING = (TokenKind.OBJECT_START, TokenKind.ARRAY_START)
_CLOSING = (TokenKind.OBJECT_END, TokenKind.ARRAY_END)
_CONSTANTS: dict[TokenKind, bool | None] = {
    TokenKind.TRUE: True,
    TokenKind.FALSE: False,
    TokenKind.NULL: None,
}


class JsonText(str):
    """A value that is kept as JSON: its source without insignificant white space."""

    __slots__ = ()


class NamesTooLong(Exception):
    """Unpacking would give more bytes of names than one event may have."""


class NameBytes:
    """Counts the bytes of names inside unpacked objects, repeated and null ones included."""

    __slots__ = ("_counted",)

    def __init__(self) -> None:
        self._counted = 0

    def add(self, name: str) -> None:
        """Count one more field. Raises NamesTooLong."""
        self._counted += len(name) if name.isascii() else len(name.encode())
        if self._counted > limits.UNPACKED_NAME_BYTES_MAX:
            raise NamesTooLong


FieldValue = str | int | float | bool
Fields = dict[str, FieldValue]


def read_event(data: bytes, depth: int) -> Fields:
    """The fields of the JSON object `data`, unpacked to `depth`.

    Raises only ValueError (JsonSyntaxError, BadValue), with the reason.
    """
    try:
        return _read_fields(data, depth)
    except NamesTooLong:
        return _read_fields(data, 0)


def _read_fields(data: bytes, depth: int) -> Fields:
    stream = tokens(data, depth_max=limits.NESTING_DEPTH_MAX)
    if next(stream).kind is not TokenKind.OBJECT_START:
        raise BadValue("event is not an object")
    fields: Fields = {}
    end = _read_object(data, stream, "", depth, fields, NameBytes())
    if skip_space(data, end) != len(data):
        raise BadValue("something follows the event's object")
    return fields


def _read_object(
    data: bytes,
    stream: Iterator[Token],
    prefix: str,
    depth: int,
    fields: Fields,
    name_bytes: NameBytes,
) -> int:
    """Read members until the object ends; returns its end. Unpacks at most `depth` levels."""
    for token in stream:
        if token.kind is TokenKind.OBJECT_END:
            return token.end
        name = prefix + string_value(data, token.start, token.end)
        token = next(stream)
        if token.kind is TokenKind.OBJECT_START and depth > 0 and not _is_empty(data, token):
            _read_object(data, stream, f"{name}.", depth - 1, fields, name_bytes)
            continue
        if prefix:
            name_bytes.add(name)
        value = _read_value(data, token, stream)
        if value is None:
            fields.pop(name, None)
        else:
            fields[name] = value
    raise AssertionError("the tokenizer ends every object")


def _is_empty(data: bytes, opening: Token) -> bool:
    at = skip_space(data, opening.end)
    return data[at : at + 1] == b"}"


def _read_value(data: bytes, token: Token, stream: Iterator[Token]) -> FieldValue | None:
    """The value that starts with `token`; containers are read to their end and kept as text."""
    if token.kind not in _OPENING:
        return _read_scalar(data, token)
    start, end, opened = token.start, token.end, 1
    while opened:
        inner = next(stream)
        if inner.kind in _OPENING:
            opened += 1
        elif inner.kind in _CLOSING:
            opened -= 1
        else:
            _read_scalar(data, inner)  # a value that cannot be stored is refused at every depth
        end = inner.end
    return JsonText(without_space(data, start, end).decode())


def _read_scalar(data: bytes, token: Token) -> str | int | float | bool | None:
    if token.kind in (TokenKind.STRING, TokenKind.KEY):
        return string_value(data, token.start, token.end)
    if token.kind is TokenKind.NUMBER:
        return number_value(data, token.start, token.end)
    if token.kind is TokenKind.NOT_FINITE:
        raise BadValue("NaN and Infinity are no JSON numbers")
    return _CONSTANTS[token.kind]
