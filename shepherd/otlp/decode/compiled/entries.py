"""Items that are for the reference, as a request of their own: their bytes are copied as they are.

A request's message is groups (a resource, its scopes), a scope's message is its items; a field of
bytes is its tag, its length as a varint, and the bytes.
"""

from collections.abc import Iterator
from itertools import groupby

from shepherd.ingest.decoded_events import Sizes
from shepherd.otlp.decode.kernel import memory as m

_FIRST = 0x0A  # tags: a group in a request, a resource in it, a scope in its message
_SECOND = 0x12  # a scope's message in a group, an item in that
_SCHEMA = 0x1A  # the URL of a schema, in both
_MORE = 0x80
_CONTEXT_WORDS = 8

Span = tuple[int, int]


def request_of(message: bytes, entries: Sizes) -> bytes:
    """A request with the entries alone, in their order.

    entries: as in `kernel.memory`, one per row.
    """
    return b"".join(_groups(message, entries.tolist()))


def _groups(message: bytes, entries: list[list[int]]) -> Iterator[bytes]:
    for context, some in groupby(entries, key=_context):
        resource, resource_schema, scope, scope_schema = zip(
            context[::2], context[1::2], strict=True
        )
        items = b"".join(
            _field(_SECOND, message[one[m.ENTRY_BEGIN] : one[m.ENTRY_TO]]) for one in some
        )
        inner = _part(_FIRST, message, scope) + items + _part(_SCHEMA, message, scope_schema)
        group = _part(_FIRST, message, resource) + _field(_SECOND, inner)
        yield _field(_FIRST, group + _part(_SCHEMA, message, resource_schema))


def _context(entry: list[int]) -> tuple[int, ...]:
    return tuple(entry[m.ENTRY_RESOURCE : m.ENTRY_RESOURCE + _CONTEXT_WORDS])


def _part(tag: int, message: bytes, span: Span) -> bytes:
    """A field that the message has, or nothing."""
    begin, end = span
    return b"" if begin < 0 else _field(tag, message[begin:end])


def _field(tag: int, content: bytes) -> bytes:
    length = bytearray()
    left = len(content)
    while left >= _MORE:
        length.append(left & (_MORE - 1) | _MORE)
        left >>= 7
    length.append(left)
    return bytes((tag, *length)) + content
