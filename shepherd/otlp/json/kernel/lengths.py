"""Numbers in groups of seven bits, and the lengths of messages, known only after them."""

from common.kernels.compile import Bytes, compiled, inlined
from common.kernels.intrinsics import copy32, leading_zeros, shift_right, store8

_GROUP = 7


@inlined
def varint_bytes(value: int) -> int:
    """Bytes of a number from 0 in groups of seven bits."""
    return int((70 - leading_zeros(value | 1)) // _GROUP)


@inlined
def write_varint(out: Bytes, to: int, value: int) -> int:
    """Write an unsigned 64-bit number; returns the position after it."""
    while shift_right(value, _GROUP) != 0:
        store8(out, to, value | 0x80)
        value = shift_right(value, _GROUP)
        to += 1
    store8(out, to, value)
    return to + 1


@compiled
def _move(out: Bytes, at: int, to: int, size: int) -> None:
    """Move bytes; the runs may overlap. Up to 31 bytes after the later one are overwritten."""
    if to < at:
        for step in range(0, size, 32):
            copy32(out, to + step, out, at + step)
    else:
        for step in range((size - 1) // 32 * 32, -1, -32):
            copy32(out, to + step, out, at + step)


@compiled
def write_length(out: Bytes, slot: int, reserved: int, end: int) -> int:
    """Write the length of the bytes from `slot` + `reserved` to `end` at `slot`, and move them to
    its end; returns their new end.
    """
    begin = slot + reserved
    size = end - begin
    after = slot + varint_bytes(size)
    if after != begin:
        _move(out, begin, after, size)
    write_varint(out, slot, size)
    return after + size
