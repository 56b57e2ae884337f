"""Heads of msgpack values, and any value passed over without recursion.

A length may be anything: the caller compares what a head counts with the end of the body.
"""

import numpy as np

from common.kernels.compile import FAIL, Bytes, Int64s, compiled, inlined
from common.kernels.intrinsics import byte_at, get, load64, put, shift_right, swapped
from common.scan.kernel.containers import DEPTH_MAX

NIL = 0xC0
FALSE, TRUE = 0xC2, 0xC3
FLOAT, DOUBLE = 0xCA, 0xCB
UNSIGNED_8, UNSIGNED_64 = 0xCC, 0xCF  # and what is between; likewise below
SIGNED_8, SIGNED_64 = 0xD0, 0xD3
TEXT_8, TEXT_32 = 0xD9, 0xDB
BYTES_8, BYTES_32 = 0xC4, 0xC6
ARRAY_16, ARRAY_32 = 0xDC, 0xDD
MAP_16, MAP_32 = 0xDE, 0xDF
SMALL_MAP, SMALL_ARRAY, SMALL_TEXT, NOT_SMALL = 0x80, 0x90, 0xA0, 0xC0  # where they begin
NEGATIVE = 0xE0  # small negative integers from here on
_EXTENDED_8, _EXTENDED_4, _EXTENDED_8_BYTES = 0xC7, 0xD6, 0xD7
_TIMESTAMP = 0xFF  # the type of that extension
_NANOS_MAX = 999_999_999

_REFUSED = -1


def _plan() -> Int64s:
    """For each head from 0xC0 on: bytes after it | bytes of a length << 8 | what that counts << 16
    (1: bytes, 2: values, 4: pairs of values) | 1 << 24 for extensions; or _REFUSED.
    """
    plan = np.zeros(32, np.int64)
    for head, width in ((0xCA, 4), (0xCB, 8), *((0xCC + n, 1 << n) for n in range(4))):
        plan[head - NOT_SMALL] = width
    for n in range(4):
        plan[0xD0 + n - NOT_SMALL] = 1 << n
    for n in range(5):
        plan[0xD4 + n - NOT_SMALL] = (1 + (1 << n)) | 1 << 24
    for n in range(3):
        length = 1 << n
        plan[BYTES_8 + n - NOT_SMALL] = length << 8 | 1 << 16
        plan[TEXT_8 + n - NOT_SMALL] = length << 8 | 1 << 16
        plan[_EXTENDED_8 + n - NOT_SMALL] = 1 | length << 8 | 1 << 16 | 1 << 24
    for n in range(2):
        plan[ARRAY_16 + n - NOT_SMALL] = (2 << n) << 8 | 2 << 16
        plan[MAP_16 + n - NOT_SMALL] = (2 << n) << 8 | 4 << 16
    plan[0xC1 - NOT_SMALL] = _REFUSED
    return plan


_PLAN = _plan()


@inlined
def big_endian(buffer: Bytes, at: int, width: int) -> int:
    """The unsigned integer of 1 to 8 bytes at `at` (of 8: its bits)."""
    return int(shift_right(swapped(load64(buffer, at)), 64 - 8 * width))


@inlined
def signed(buffer: Bytes, at: int, width: int) -> int:
    """The signed integer of 1 to 8 bytes at `at`."""
    return int(swapped(load64(buffer, at)) >> (64 - 8 * width))


@inlined
def is_string(head: int) -> bool:
    """Whether it begins a str."""
    return SMALL_TEXT <= head < NOT_SMALL or TEXT_8 <= head <= TEXT_32


@inlined
def is_text(head: int) -> bool:
    """Whether it begins a str or a bin."""
    return is_string(head) or BYTES_8 <= head <= BYTES_32


@inlined
def text_span(buffer: Bytes, at: int, head: int) -> tuple[int, int]:
    """(begin, end) of the bytes of a str or bin whose head is at `at`."""
    if head < NOT_SMALL:
        return at + 1, at + 1 + (head & 31)
    width = 1 << (head - (TEXT_8 if head >= TEXT_8 else BYTES_8))
    begin = at + 1 + width
    return begin, begin + big_endian(buffer, at + 1, width)


@inlined
def container_size(buffer: Bytes, at: int, head: int) -> tuple[int, int, int]:
    """(end of the head, 1 for a map, number of values or pairs); FAIL if it is none."""
    if SMALL_MAP <= head < SMALL_TEXT:
        return at + 1, (1 if head < SMALL_ARRAY else 0), head & 15
    if ARRAY_16 <= head <= MAP_32:
        width = 2 << (head & 1)
        return at + 1 + width, (1 if head >= MAP_16 else 0), big_endian(buffer, at + 1, width)
    return FAIL, 0, 0


@compiled
def _extension_end(buffer: Bytes, at: int, end: int) -> int:
    """Where the extension whose type is at `at` ends; FAIL for a timestamp that may be none."""
    if byte_at(buffer, at) == _TIMESTAMP:
        size = end - at - 1
        if size == 4:
            return end
        if size == 8 and shift_right(swapped(load64(buffer, at + 1)), 34) <= _NANOS_MAX:
            return end
        return end if size == 12 and big_endian(buffer, at + 1, 4) <= _NANOS_MAX else FAIL
    return end


@compiled
def skip_value(buffer: Bytes, size: int, at: int, words: Int64s, opened: int) -> int:
    """Where the value at `at` ends, or FAIL if the reference has to look at the body.

    Scratch: DEPTH_MAX words from `opened` on; more containers in each other are for the reference.
    """
    depth = 0
    left = 1  # values still to come in the container that is open
    while True:
        head = byte_at(buffer, at)
        at += 1
        inside = 0
        if head < SMALL_MAP or head >= NEGATIVE:
            pass
        elif head < SMALL_TEXT:
            inside = head & 15
            if head < SMALL_ARRAY:
                inside *= 2
        elif head < NOT_SMALL:
            at += head & 31
        else:
            plan = get(_PLAN, head - NOT_SMALL)
            if plan == _REFUSED:
                return FAIL
            width = (plan >> 8) & 255
            counts = (plan >> 16) & 255
            length = big_endian(buffer, at, width) if width > 0 else 0
            begin = at + width
            at = begin + (plan & 255)
            if counts == 1:
                at += length
            else:
                inside = length * (counts >> 1)
            if plan >> 24 != 0:
                at = _extension_end(buffer, begin, at) if at <= size else FAIL
        if at < 0 or at > size:
            return FAIL
        if inside > 0:
            if depth >= DEPTH_MAX:
                return FAIL
            put(words, opened + depth, left)
            depth += 1
            left = inside
            continue
        left -= 1
        while left == 0:
            if depth == 0:
                return at
            depth -= 1
            left = get(words, opened + depth) - 1
