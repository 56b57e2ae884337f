"""The wire format of protobuf: varints, and the fields of a message one after the other.

A position that is FAIL means that the bytes are no message, or one that only the reference reads.
Nothing is read beyond 20 bytes after a message's end: the body has SENTINEL_BYTES after it.
"""

from typing import Final

from common.kernels.compile import FAIL, Bytes, compiled, inlined
from common.kernels.intrinsics import byte_at, load64

VARINT: Final = 0  # wire types
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5
_FOUR_BYTES = 0xFFFFFFFF
_MORE = 128  # of a varint's byte: another one follows
_LAST_SHIFT = 63  # the tenth byte has one bit


@compiled
def _long_varint(buffer: Bytes, at: int) -> tuple[int, int]:
    bits = 0
    shift = 0
    while True:
        byte = byte_at(buffer, at)
        at += 1
        bits |= (byte & 127) << shift
        if byte < _MORE:
            if shift == _LAST_SHIFT and byte > 1:
                return FAIL, 0
            return at, bits
        shift += 7
        if shift > _LAST_SHIFT:
            return FAIL, 0


@inlined
def varint(buffer: Bytes, at: int) -> tuple[int, int]:
    """(end or FAIL, the 64 bits of the varint at `at`)."""
    byte = byte_at(buffer, at)
    if byte < _MORE:
        return at + 1, byte
    return _long_varint(buffer, at)


@inlined
def value(constant: int) -> int:
    """A constant as an argument of a compiled function, which numba would compile for each one."""
    return constant + 0


@inlined
def payload(buffer: Bytes, at: int, end: int, tag: int) -> tuple[int, int, int]:
    """(begin, end or FAIL, number) of what follows the tag of a field, in a message up to `end`.

    number: its bits. Groups and what is no tag are for the reference.
    """
    kind = tag & 7
    if tag < 8 or tag > _FOUR_BYTES:
        return at, FAIL, 0
    if kind == BYTES:
        begin, size = varint(buffer, at)
        if begin < 0 or size < 0 or size > end - begin:
            return begin, FAIL, 0
        return begin, begin + size, 0
    if kind == VARINT:
        after, bits = varint(buffer, at)
        return at, (after if after <= end else FAIL), bits
    if kind == FIXED64:
        return at, (at + 8 if at + 8 <= end else FAIL), load64(buffer, at)
    if kind == FIXED32:
        return at, (at + 4 if at + 4 <= end else FAIL), load64(buffer, at) & _FOUR_BYTES
    return at, FAIL, 0
