"""Text as a JSON string, as the reference writes it: UTF-8 checked, the fewest escapes."""

from common.kernels.compile import FAIL, Bytes, compiled
from common.kernels.intrinsics import byte_at, copy32, special, store8, store64, trailing_zeros
from common.scan.kernel.strings import after_not_ascii, copy_run

ESCAPED_BYTES = 6  # of one byte at most
_BACKSPACE, _TAB, _LINE, _FEED, _RETURN = 8, 9, 10, 12, 13
_UNICODE = int.from_bytes(b"\\u00", "little")


@compiled
def _write_escape(out: Bytes, to: int, byte: int) -> int:
    """Write a quote, a backslash or a control character; returns the place behind it."""
    letter = byte
    if byte == _LINE:
        letter = 110
    elif byte == _TAB:
        letter = 116
    elif byte == _RETURN:
        letter = 114
    elif byte == _BACKSPACE:
        letter = 98
    elif byte == _FEED:
        letter = 102
    elif byte < 32:
        low = byte & 15
        digits = (48 + (byte >> 4)) | (low + (48 if low < 10 else 87)) << 8
        store64(out, to, _UNICODE | digits << 32)
        return to + 6
    store8(out, to, 92)
    store8(out, to + 1, letter)
    return to + 2


@compiled
def write_text(buffer: Bytes, at: int, end: int, out: Bytes, to: int) -> int:
    """Write buffer[at:end] with its quotes; the place behind them, or FAIL if it is not UTF-8.

    At most ESCAPED_BYTES for each byte are written, and up to 34 more.
    """
    store8(out, to, 34)
    to += 1
    while True:
        copy32(out, to, buffer, at)
        found = special(buffer, at)
        plain = 32 if found == 0 else trailing_zeros(found)
        if plain >= end - at:
            to += end - at
            store8(out, to, 34)
            return to + 1
        at += plain
        to += plain
        if found == 0:
            continue
        byte = byte_at(buffer, at)
        if byte < 128:
            to = _write_escape(out, to, byte)
            at += 1
            continue
        behind = after_not_ascii(buffer, at, end)
        if behind < 0 or behind > end:
            return FAIL
        copy_run(out, to, buffer, at, behind - at)
        to += behind - at
        at = behind
