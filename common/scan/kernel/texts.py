"""Text as a JSON string, as the reference writes it: UTF-8 checked, the fewest escapes."""

from common.kernels.compile import FAIL, Bytes, compiled
from common.kernels.intrinsics import byte_at, copy32, special, store8, store64, trailing_zeros
from common.scan.kernel.ascii_codes import (
    BACKSLASH,
    BACKSPACE,
    CARRIAGE_RETURN,
    FORM_FEED,
    LINE_BREAK,
    LOWER_B,
    LOWER_F,
    LOWER_N,
    LOWER_R,
    LOWER_T,
    NOT_ASCII_MIN,
    QUOTE,
    SPACE,
    TAB,
    ZERO,
)
from common.scan.kernel.strings import after_not_ascii, copy_run

ESCAPED_BYTES = 6  # of one byte at most
_HEX_A = 0x61 - 10  # with a hex digit from 10 on: its letter
_UNICODE = int.from_bytes(b"\\u00", "little")


@compiled
def _write_escape(out: Bytes, to: int, byte: int) -> int:
    """Write a quote, a backslash or a control character; returns its end."""
    letter = byte
    if byte == LINE_BREAK:
        letter = LOWER_N
    elif byte == TAB:
        letter = LOWER_T
    elif byte == CARRIAGE_RETURN:
        letter = LOWER_R
    elif byte == BACKSPACE:
        letter = LOWER_B
    elif byte == FORM_FEED:
        letter = LOWER_F
    elif byte < SPACE:
        low = byte & 15
        digits = (ZERO + (byte >> 4)) | (low + (ZERO if low < 10 else _HEX_A)) << 8
        store64(out, to, _UNICODE | digits << 32)
        return to + 6
    store8(out, to, BACKSLASH)
    store8(out, to + 1, letter)
    return to + 2


@compiled
def write_text(buffer: Bytes, at: int, end: int, out: Bytes, to: int) -> int:
    """Write buffer[at:end] with its quotes; their end, or FAIL if it is not UTF-8.

    At most ESCAPED_BYTES for each byte are written, and up to 34 more.
    """
    store8(out, to, QUOTE)
    to += 1
    while True:
        copy32(out, to, buffer, at)
        found = special(buffer, at)
        plain = 32 if found == 0 else trailing_zeros(found)
        if plain >= end - at:
            to += end - at
            store8(out, to, QUOTE)
            return to + 1
        at += plain
        to += plain
        if found == 0:
            continue
        byte = byte_at(buffer, at)
        if byte < NOT_ASCII_MIN:
            to = _write_escape(out, to, byte)
            at += 1
            continue
        char_end = after_not_ascii(buffer, at, end)
        if char_end < 0 or char_end > end:
            return FAIL
        copy_run(out, to, buffer, at, char_end - at)
        to += char_end - at
        at = char_end
