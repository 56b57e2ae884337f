"""An attribute as a field of an event: `,"name":value`, straight from its KeyValue message.

Only the form that every SDK writes is read here: the name, then one value. Whatever else protobuf
allows, and names that an event has twice are for the reference.
"""

from common import limits
from common.kernels.compile import FAIL, FULL, SENTINEL_BYTES, Bytes, Int64s, compiled, inlined
from common.kernels.intrinsics import byte_at, get, put, store8
from common.scan.kernel.ascii_codes import POINT
from common.scan.kernel.decimals import TEXT_ROOM
from common.scan.kernel.strings import copy_run
from shepherd.otlp.decode.kernel.fields import RATE_CAPITAL
from shepherd.otlp.decode.kernel.memory import (
    FIELDS,
    NAME,
    NAME_EVENT,
    NAME_TAIL,
    NAME_TEXT,
    NAME_TEXT_SIZE,
    NAME_WORDS,
    SHARED,
    TAIL,
)
from shepherd.otlp.decode.kernel.names import find_name, predicted_name
from shepherd.otlp.decode.kernel.values import OBJECT, write_value
from shepherd.otlp.decode.kernel.wire import varint

_STRING_MAX = limits.STRING_BYTES_MAX
_KEY = 0x0A  # tags of a KeyValue's fields
_VALUE = 0x12
_ITEM = 0x0A  # tag of a member of an object


@inlined
def is_new(name: int, mark: int, stamp: int, words: Int64s) -> bool:
    """Whether the event (or the tail) has no field of this name yet; from now on it has.

    mark: NAME_EVENT or NAME_TAIL; stamp: the event's number or the tail's.
    """
    base = NAME + name * NAME_WORDS
    if get(words, base + mark) == stamp:
        return False
    put(words, base + mark, stamp)
    if mark == NAME_EVENT and get(words, base + NAME_TAIL) == get(words, TAIL):
        put(words, SHARED, 1)
    return True


@inlined
def write_name(name: int, words: Int64s, arena: Bytes, out: Bytes, to: int) -> int:
    """Write `,"name":`; its end."""
    base = NAME + name * NAME_WORDS
    size = get(words, base + NAME_TEXT_SIZE)
    copy_run(out, to, arena, get(words, base + NAME_TEXT), size)
    return int(to + size)


@compiled
def write_object(
    keys: Bytes,
    key: int,
    size: int,
    buffer: Bytes,
    at: int,
    end: int,
    mark: int,
    stamp: int,
    words: Int64s,
    arena: Bytes,
    out: Bytes,
    to: int,
    limit: int,
) -> int:
    """Write the members of the AnyValue buffer[at:end], an object, as fields `key.member`.

    key, size: where in `keys` its own name is. Of an event, not of a tail, and without objects
    inside it. Names are made beyond `limit`.
    """
    at, length = varint(buffer, at + 1)
    if mark != NAME_EVENT or at < 0 or length != end - at:
        return FAIL
    scratch = limit + SENTINEL_BYTES
    fields = 0
    while at < end:
        if byte_at(buffer, at) != _ITEM:
            return FAIL
        at, length = varint(buffer, at + 1)
        if at < 0 or length < 2 or length > end - at or byte_at(buffer, at) != _KEY:
            return FAIL
        member_end = at + length
        begin, length = varint(buffer, at + 1)
        whole = size + 1 + length
        if begin < 0 or length < 1 or length > member_end - begin - 2 or whole > _STRING_MAX:
            return FAIL
        at = begin + length
        if byte_at(buffer, at) != _VALUE:
            return FAIL
        copy_run(out, scratch, keys, key, size)
        store8(out, scratch + size, POINT)
        copy_run(out, scratch + size + 1, buffer, begin, length)
        at, length = varint(buffer, at + 1)
        if at < 0 or length < 1 or length != member_end - at:
            return FAIL
        name = find_name(out, scratch, whole, words, arena)
        if name < 0 or not is_new(name, mark, stamp, words):
            return FAIL
        if to + get(words, NAME + name * NAME_WORDS + NAME_TEXT_SIZE) + TEXT_ROOM > limit:
            return FULL
        to = write_name(name, words, arena, out, to)
        to = write_value(buffer, at, member_end, out, to, limit)
        if to < 0:
            return to
        fields += 1
        at = member_end
    put(words, FIELDS, get(words, FIELDS) + fields - 1)  # the caller counts one
    return to


@inlined
def write_attribute(
    buffer: Bytes,
    at: int,
    end: int,
    last: int,
    mark: int,
    stamp: int,
    words: Int64s,
    arena: Bytes,
    out: Bytes,
    to: int,
    limit: int,
) -> tuple[int, int]:
    """Write the KeyValue buffer[at:end]: (its end, or FAIL, or FULL; its name).

    last: the name that came before it. A sample rate is not written, but validated by the caller.
    """
    if end - at < 2 or byte_at(buffer, at) != _KEY:
        return FAIL, last
    key, size = varint(buffer, at + 1)
    if key < 0 or size < 1 or size > _STRING_MAX or size > end - key - 2:
        return FAIL, last
    at = key + size
    if byte_at(buffer, at) != _VALUE:
        return FAIL, last
    value, value_size = varint(buffer, at + 1)
    if value < 0 or value_size < 1 or value_size != end - value:
        return FAIL, last
    if byte_at(buffer, value) == OBJECT:
        to = write_object(
            buffer, key, size, buffer, value, end, mark, stamp, words, arena, out, to, limit
        )
        return to, last
    name = predicted_name(buffer, key, size, last, words, arena)
    if name < 0 or not is_new(name, mark, stamp, words):
        return FAIL, last
    if name <= RATE_CAPITAL:
        return to, name
    if to + get(words, NAME + name * NAME_WORDS + NAME_TEXT_SIZE) + TEXT_ROOM > limit:
        return FULL, last
    to = write_name(name, words, arena, out, to)
    return write_value(buffer, value, end, out, to, limit), name
