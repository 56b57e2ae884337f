"""The usual forms of a time in msgpack, exact to the nanosecond; others are for the reference.

Unsigned integers of the known lengths, floats (which stand for their shortest decimal text), RFC
3339 and numbers as text, and timestamps. The value was passed over before, so it lies within the
body.
"""

from common.kernels.compile import Bytes, compiled
from common.kernels.intrinsics import byte_at, load64, shift_right, store8, swapped
from common.scan.kernel.decimals import write_double
from shepherd.honeycomb.split.kernel.msgpack.data import double_at
from shepherd.honeycomb.split.kernel.msgpack.tokens import (
    NIL,
    SIGNED_8,
    SIGNED_64,
    SMALL_MAP,
    UNSIGNED_8,
    UNSIGNED_64,
    big_endian,
    is_string,
    signed,
    text_span,
)
from shepherd.honeycomb.split.kernel.times import read_text_time, read_time, whole_time

_TIMESTAMP_32 = 0xD6FF  # their heads with the extension's type
_TIMESTAMP_64 = 0xD7FF
_TIMESTAMP_96 = 0xC70CFF
_SECOND_NS = 10**9
_SECONDS_MAX = 9_223_372_035  # with any nanoseconds, 64 bits of them hold so many
_SECONDS_64 = (1 << 34) - 1
_NEVER_S = -62_135_596_800  # the year 1: Go's time of nothing, in whole batches of a proxy


@compiled
def whole_at(buffer: Bytes, at: int) -> int:
    """The value of the integer at `at`; negative if it is none, is below 0, or beyond 63 bits."""
    head = byte_at(buffer, at)
    if head < SMALL_MAP:
        return int(head)
    if UNSIGNED_8 <= head <= UNSIGNED_64:
        return big_endian(buffer, at + 1, 1 << (head - UNSIGNED_8))
    if SIGNED_8 <= head <= SIGNED_64:
        return signed(buffer, at + 1, 1 << (head - SIGNED_8))
    return -1


@compiled
def _digits(whole: int) -> int:
    """How many digits it has, or another number that is none of the known lengths of a time."""
    if whole < 10**10:
        return 10
    if 10**12 <= whole < 10**13:
        return 13
    if 10**15 <= whole < 10**16:
        return 16
    return 19 if whole >= 10**18 else 0


@compiled
def packed_time(
    buffer: Bytes, at: int, arrival_ns: int, out: Bytes, scratch: int
) -> tuple[bool, int]:
    """(whether it was read, unix ns) of the value at `at`. Scratch: TEXT_ROOM bytes of `out`."""
    head = byte_at(buffer, at)
    if head == NIL:
        return True, arrival_ns
    if is_string(head):
        begin, end = text_span(buffer, at, head)
        return read_text_time(buffer, begin, end)
    end, bits = double_at(buffer, at, head)
    if end >= 0:
        end = write_double(out, scratch, bits)
        store8(out, end, 0)  # digits of before may stand there
        return read_time(out, scratch, end)
    seconds, nanos = -1, 0
    if big_endian(buffer, at, 2) == _TIMESTAMP_32:
        seconds = big_endian(buffer, at + 2, 4)
    elif big_endian(buffer, at, 2) == _TIMESTAMP_64:
        both = swapped(load64(buffer, at + 2))
        seconds, nanos = both & _SECONDS_64, shift_right(both, 34)
    elif big_endian(buffer, at, 3) == _TIMESTAMP_96:
        nanos, seconds = big_endian(buffer, at + 3, 4), big_endian(buffer, at + 7, 8)
    if seconds == _NEVER_S and nanos == 0:
        return True, arrival_ns
    if 0 <= seconds <= _SECONDS_MAX:
        return True, seconds * _SECOND_NS + nanos
    whole = whole_at(buffer, at)
    return whole_time(whole, _digits(whole)) if whole >= 0 else (False, 0)
