"""The tail: what a scope and its resource give each of their events, written once for all of them.

Its text is the fields of the scope, then those of the resource that the scope does not have.
"""

from common.kernels.compile import FAIL, FULL, Bytes, Int64s, compiled
from common.kernels.intrinsics import byte_at, get, put, store32
from common.scan.kernel.decimals import TEXT_ROOM
from shepherd.otlp.decode.kernel.attributes import is_new, write_attribute, write_name
from shepherd.otlp.decode.kernel.fields import (
    INSTRUMENTATION,
    LIBRARY_NAME,
    LIBRARY_VERSION,
    RATE_CAPITAL,
    RESOURCE_FIRST,
    RESOURCE_SCHEMA_URL,
    SCOPE_FIRST,
    SCOPE_SCHEMA_URL,
    SERVICE_NAME,
)
from shepherd.otlp.decode.kernel.memory import (
    BYTES,
    NAME_TAIL,
    PREFIX_AT,
    PREFIXES,
    RESOURCE,
    RESOURCE_READ,
    RESOURCE_SCHEMA,
    RESOURCE_SCHEMA_TO,
    RESOURCE_TO,
    SCOPE,
    SCOPE_SCHEMA,
    SCOPE_SCHEMA_TO,
    SCOPE_TO,
    SERVICE,
    SERVICE_TO,
    TAIL,
    TAIL_BYTES,
    TAIL_FIELD,
    TAIL_FIELDS,
    TAIL_FIELDS_MAX,
    TAIL_ODD,
    TAIL_RATE,
    TAIL_TO,
)
from shepherd.otlp.decode.kernel.names import empty_names, many_names
from shepherd.otlp.decode.kernel.rates import read_rate
from shepherd.otlp.decode.kernel.values import write_string
from shepherd.otlp.decode.kernel.wire import payload, value, varint

NO_SERVICE = -1  # the resource names none
UNREAD = -2  # the reference reads the resource
_RESOURCE_ATTRIBUTE = 0x0A
_SCOPE_NAME = 0x0A
_SCOPE_VERSION = 0x12
_SCOPE_ATTRIBUTE = 0x1A
_STRING = 0x0A  # tag of an AnyValue's text
_TRUE = int.from_bytes(b"true", "little")


@compiled
def _end_field(name: int, words: Int64s, to: int) -> int:
    """Note a field of the tail whose text ends at `to`; FULL if there are too many."""
    fields = get(words, TAIL_FIELDS)
    if to < 0 or fields >= TAIL_FIELDS_MAX:
        return to if to < 0 else FULL
    put(words, TAIL_FIELD + 2 * fields, name)
    put(words, TAIL_FIELD + 2 * fields + 1, to)
    put(words, TAIL_FIELDS, fields + 1)
    return to


@compiled
def _add_text(
    name: int, buffer: Bytes, at: int, end: int, words: Int64s, arena: Bytes, tail: Bytes, to: int
) -> int:
    """A text that the messages have beside their attributes; an empty one gives no field."""
    if at < 0 or at == end:
        return to
    if not is_new(name, value(NAME_TAIL), get(words, TAIL), words):
        return FAIL
    if to + 2 * TEXT_ROOM > TAIL_BYTES:
        return FULL
    to = write_name(name, words, arena, tail, to)
    return _end_field(name, words, write_string(buffer, at, end, tail, to, value(TAIL_BYTES)))


@compiled
def _add_attributes(
    buffer: Bytes,
    at: int,
    end: int,
    wanted: int,
    last: int,
    words: Int64s,
    arena: Bytes,
    tail: Bytes,
    to: int,
) -> int:
    """The attributes of the resource or scope buffer[at:end]: its fields with the tag `wanted`."""
    while at < end:
        at, tag = varint(buffer, at)
        begin, at, _ = payload(buffer, at, end, tag)
        if at < 0:
            return FAIL
        if tag != wanted:
            continue
        to, last = write_attribute(
            buffer,
            begin,
            at,
            last,
            value(NAME_TAIL),
            get(words, TAIL),
            words,
            arena,
            tail,
            to,
            value(TAIL_BYTES),
        )
        if to < 0:
            return to
        if last <= RATE_CAPITAL:
            rate = read_rate(buffer, begin, at)
            if rate < 0 or get(words, TAIL_RATE) != 0:
                return FAIL
            put(words, TAIL_RATE, rate)
            continue
        if last == SERVICE_NAME and wanted == _RESOURCE_ATTRIBUTE:
            _note_service(buffer, begin, at, words)
        to = _end_field(last, words, to)
        if to < 0:
            return to
    return to


@compiled
def _note_service(buffer: Bytes, at: int, end: int, words: Int64s) -> None:
    """Note the text of the attribute buffer[at:end], which was written, if it is one."""
    key, size = varint(buffer, at + 1)
    begin, _ = varint(buffer, key + size + 1)
    if byte_at(buffer, begin) == _STRING:
        begin, _ = varint(buffer, begin + 1)
        put(words, SERVICE, begin)
        put(words, SERVICE_TO, end)


@compiled
def _is_instrumentation(buffer: Bytes, at: int, end: int, words: Int64s, arena: Bytes) -> bool:
    """Whether a scope's name begins as those of libraries that instrument others do."""
    for number in range(PREFIXES):
        begin = get(words, PREFIX_AT + 2 * number)
        size = get(words, PREFIX_AT + 2 * number + 1)
        same = end - at >= size
        for step in range(size if same else 0):
            if byte_at(buffer, at + step) != byte_at(arena, begin + step):
                same = False
                break
        if same:
            return True
    return False


@compiled
def _add_scope(buffer: Bytes, words: Int64s, arena: Bytes, tail: Bytes) -> int:
    at, end = get(words, SCOPE), get(words, SCOPE_TO)
    if at < 0:
        return 0
    to = _add_attributes(
        buffer, at, end, value(_SCOPE_ATTRIBUTE), value(SCOPE_FIRST), words, arena, tail, value(0)
    )
    name = name_to = version = version_to = -1
    while at < end:
        at, tag = varint(buffer, at)
        begin, at, _ = payload(buffer, at, end, tag)
        if at < 0:
            return FAIL
        if tag == _SCOPE_NAME:
            name, name_to = begin, at
        elif tag == _SCOPE_VERSION:
            version, version_to = begin, at
    if to >= 0:
        to = _add_text(value(LIBRARY_NAME), buffer, name, name_to, words, arena, tail, to)
    if to >= 0:
        to = _add_text(value(LIBRARY_VERSION), buffer, version, version_to, words, arena, tail, to)
    if to >= 0 and name >= 0 and _is_instrumentation(buffer, name, name_to, words, arena):
        if not is_new(value(INSTRUMENTATION), value(NAME_TAIL), get(words, TAIL), words):
            return FAIL
        if to + 2 * TEXT_ROOM > TAIL_BYTES:
            return FULL
        to = write_name(value(INSTRUMENTATION), words, arena, tail, to)
        store32(tail, to, _TRUE)
        to = _end_field(value(INSTRUMENTATION), words, to + 4)
    return to


@compiled
def build_tail(buffer: Bytes, with_resource: int, words: Int64s, arena: Bytes, tail: Bytes) -> None:
    """Make the tail of the scope in force. TAIL_ODD is 1 if it is for the reference.

    with_resource: 0 for a scope without items, of which only the messages are checked: a resource
    is read once for each scope that needs it.
    """
    if many_names(words):
        empty_names(words, arena)
    put(words, TAIL, get(words, TAIL) + 1)
    put(words, TAIL_FIELDS, 0)
    put(words, TAIL_RATE, 0)
    put(words, SERVICE, NO_SERVICE)
    to = _add_scope(buffer, words, arena, tail)
    if to >= 0:
        to = _add_text(
            value(SCOPE_SCHEMA_URL),
            buffer,
            get(words, SCOPE_SCHEMA),
            get(words, SCOPE_SCHEMA_TO),
            words,
            arena,
            tail,
            to,
        )
    if with_resource == 0:
        put(words, TAIL_ODD, 1 if to < 0 else 0)
        return
    own = to
    known_odd = get(words, RESOURCE_READ) == 2
    if known_odd:  # not again
        to = FAIL
    if to >= 0 and get(words, RESOURCE) >= 0:
        to = _add_attributes(
            buffer,
            get(words, RESOURCE),
            get(words, RESOURCE_TO),
            value(_RESOURCE_ATTRIBUTE),
            value(RESOURCE_FIRST),
            words,
            arena,
            tail,
            to,
        )
    if to >= 0:
        to = _add_text(
            value(RESOURCE_SCHEMA_URL),
            buffer,
            get(words, RESOURCE_SCHEMA),
            get(words, RESOURCE_SCHEMA_TO),
            words,
            arena,
            tail,
            to,
        )
    if own >= 0 and not known_odd:
        put(words, BYTES, get(words, BYTES) + (to if to >= 0 else TAIL_BYTES))
        put(words, RESOURCE_READ, 1 if to >= 0 else 2)
    if own < 0 and not known_odd:
        put(words, RESOURCE_READ, 1)  # the reference reads it with the scope's items
    put(words, TAIL_TO, max(to, 0))
    put(words, TAIL_ODD, 1 if to < 0 else 0)
    if to < 0:
        put(words, SERVICE, UNREAD)
