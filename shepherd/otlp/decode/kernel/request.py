"""The walk over a request: its resources, their scopes, and the items in them.

A pass ends where memory is full or the service changes, and the next one goes on there. The walk's
place is in the words of the memory. An item that the kernel does not read is noted beside the lines
(an *entry*); a request in which more is odd than its items is for the reference as a whole.
"""

from typing import Final

from common.kernels.compile import FULL, Bytes, Int64s, compiled
from common.kernels.intrinsics import get, put
from common.scan.kernel.literals import equal
from shepherd.otlp.decode.kernel.log_records import write_record
from shepherd.otlp.decode.kernel.memory import (
    BYTES,
    BYTES_MAX,
    ENTRIES,
    ENTRIES_MAX,
    ENTRY,
    ENTRY_BEGIN,
    ENTRY_ITEM,
    ENTRY_RESOURCE,
    ENTRY_ROW,
    ENTRY_TO,
    ENTRY_WORDS,
    IS_LOGS,
    ITEMS,
    PASS_SERVICE,
    PASS_SERVICE_TO,
    REQUEST_AT,
    RESOURCE,
    RESOURCE_END,
    RESOURCE_NEXT,
    RESOURCE_READ,
    ROWS,
    ROWS_MAX,
    SCOPE,
    SCOPE_END,
    SCOPE_NEXT,
    SCOPE_SCHEMA,
    SCOPED,
    SERVICE,
    SERVICE_TO,
    TAIL_ODD,
)
from shepherd.otlp.decode.kernel.names import empty_names, many_names
from shepherd.otlp.decode.kernel.spans import write_span
from shepherd.otlp.decode.kernel.tail import build_tail
from shepherd.otlp.decode.kernel.wire import payload, value, varint

DONE: Final = 0  # why a pass ended: the end of the request
MORE: Final = 1  # memory is full, or the lines that follow are of another service
BROKEN: Final = 2  # the reference reads the whole request
# Tags, which are the same for logs: of a ResourceSpans in a request, and of its resource, or scope,
# in it; of a ScopeSpans in a ResourceSpans, and of a span in a ScopeSpans.
_FIRST: Final = 0x0A
_SECOND: Final = 0x12
_SCHEMA: Final = 0x1A
_FORMER: Final = 1000 << 3 | 2  # of a ScopeSpans while scopes were called libraries
_CONTEXT_WORDS: Final = 8


@compiled
def begin_request(words: Int64s, arena: Bytes) -> None:
    """Make the memory ready for another request: nothing of the one before is known."""
    empty_names(words, arena)
    put(words, REQUEST_AT, 0)
    put(words, RESOURCE_NEXT, 0)
    put(words, RESOURCE_END, 0)
    put(words, RESOURCE_READ, 1)
    put(words, SCOPED, 0)
    put(words, ITEMS, 0)
    put(words, SERVICE, -1)
    put(words, PASS_SERVICE, -1)
    put(words, TAIL_ODD, 0)


@compiled
def _find_context(buffer: Bytes, at: int, end: int, words: Int64s, context: int) -> int:
    """Note the resource (or scope) and the schema's URL of the message buffer[at:end].

    context: RESOURCE or SCOPE. Returns 1 if there is a field of what it holds, 0 for none, and a
    negative number if it is for the reference.
    """
    for word in range(context, context + 4):
        put(words, word, -1)
    found = 0
    while at < end:
        at, tag = varint(buffer, at)
        if at < 0:
            return -1
        begin, at, _ = payload(buffer, at, end, tag)
        if at < 0:
            return -1
        if tag == _SECOND:
            found = 1
        elif tag == _FORMER and context == RESOURCE:
            return -1
        elif tag == _FIRST:
            if get(words, context) >= 0:  # parts of one message
                return -1
            put(words, context, begin)
            put(words, context + 1, at)
        elif tag == _SCHEMA:
            put(words, context + 2, begin)
            put(words, context + 3, at)
    return found


@compiled
def _add_entry(begin: int, end: int, words: Int64s) -> None:
    entry = ENTRY + get(words, ENTRIES) * ENTRY_WORDS
    put(words, entry + ENTRY_ITEM, get(words, ITEMS))
    put(words, entry + ENTRY_ROW, get(words, ROWS))
    put(words, entry + ENTRY_BEGIN, begin)
    put(words, entry + ENTRY_TO, end)
    for word in range(_CONTEXT_WORDS):
        put(words, entry + ENTRY_RESOURCE + word, get(words, RESOURCE + word))
    put(words, ENTRIES, get(words, ENTRIES) + 1)


@compiled
def _is_of_pass(buffer: Bytes, words: Int64s) -> bool:
    """Whether the service of the resource in force is that of this pass."""
    at, other = get(words, SERVICE), get(words, PASS_SERVICE)
    if at < 0 or other < 0:
        return bool(at == other)
    size = get(words, SERVICE_TO) - at
    if size != get(words, PASS_SERVICE_TO) - other:
        return False
    return equal(buffer, at, buffer, other, size)


@compiled
def write_lines(
    buffer: Bytes, size: int, words: Int64s, arena: Bytes, tail: Bytes, out: Bytes
) -> tuple[int, int]:
    """One pass over the request buffer[:size]: (why it ended, bytes of its lines)."""
    put(words, ROWS, 0)
    put(words, ENTRIES, 0)
    put(words, BYTES, 0)
    to = value(0)
    put(words, PASS_SERVICE, get(words, SERVICE))
    put(words, PASS_SERVICE_TO, get(words, SERVICE_TO))
    while True:
        # --- the items of the scope in force
        if get(words, SCOPED) != 0:
            if not _is_of_pass(buffer, words):
                if get(words, ROWS) + get(words, ENTRIES) > 0:
                    return MORE, to
                put(words, PASS_SERVICE, get(words, SERVICE))
                put(words, PASS_SERVICE_TO, get(words, SERVICE_TO))
            at, end = get(words, SCOPE_NEXT), get(words, SCOPE_END)
            while at < end:
                put(words, SCOPE_NEXT, at)
                at, tag = varint(buffer, at)
                begin, at, _ = payload(buffer, at, end, tag)
                if tag != _SECOND:
                    continue
                rows = get(words, ROWS)
                if rows >= ROWS_MAX or get(words, ENTRIES) >= ENTRIES_MAX:
                    return MORE, to
                if get(words, BYTES) >= BYTES_MAX:
                    return MORE, to
                written = FULL
                if get(words, TAIL_ODD) == 0:
                    if many_names(words):
                        build_tail(buffer, value(1), words, arena, tail)
                    if get(words, IS_LOGS) != 0:
                        written = write_record(buffer, begin, at, words, arena, tail, out, to)
                    else:
                        written = write_span(buffer, begin, at, words, arena, tail, out, to)
                    if written == FULL and rows > 0:
                        put(words, ROWS, rows)
                        return MORE, to
                if written < 0:
                    put(words, ROWS, rows)
                    _add_entry(begin, at, words)
                else:
                    to = written
                put(words, ITEMS, get(words, ITEMS) + 1)
            put(words, SCOPED, 0)
            continue
        # --- the next scope of the resource in force
        at, end = get(words, RESOURCE_NEXT), get(words, RESOURCE_END)
        if at >= end and get(words, RESOURCE_READ) == 0:  # it has no items: may be no message
            put(words, SCOPE, -1)
            put(words, SCOPE_SCHEMA, -1)
            build_tail(buffer, value(1), words, arena, tail)
            if get(words, TAIL_ODD) != 0:
                return BROKEN, to
        if at < end:
            at, tag = varint(buffer, at)
            begin, at, _ = payload(buffer, at, end, tag)
            put(words, RESOURCE_NEXT, at)
            if tag != _SECOND:
                continue
            found = _find_context(buffer, begin, at, words, value(SCOPE))
            if found < 0:
                return BROKEN, to
            if found > 0 or get(words, SCOPE) >= 0:
                build_tail(buffer, found, words, arena, tail)
            if found == 0 and get(words, SCOPE) >= 0 and get(words, TAIL_ODD) != 0:
                return BROKEN, to  # it may be no message
            put(words, SCOPED, found)
            put(words, SCOPE_NEXT, begin)
            put(words, SCOPE_END, at)
        else:  # --- or the next resource
            at = get(words, REQUEST_AT)
            if at >= size:
                return DONE, to
            at, tag = varint(buffer, at)
            if at < 0:
                return BROKEN, to
            begin, at, _ = payload(buffer, at, size, tag)
            if at < 0:
                return BROKEN, to
            put(words, REQUEST_AT, at)
            if tag != _FIRST:
                continue
            found = _find_context(buffer, begin, at, words, value(RESOURCE))
            put(words, RESOURCE_NEXT, begin)
            put(words, RESOURCE_END, at)
            if found < 0:
                return BROKEN, to
            put(words, RESOURCE_READ, 0)
