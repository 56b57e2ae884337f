"""Skips and checks any JSON value, without recursion: for values that stay JSON text."""

from common import limits
from common.kernels.compile import FAIL, Bytes, Int64s, compiled
from common.kernels.intrinsics import byte_at, get, put
from common.scan.kernel.ascii_codes import (
    COLON,
    COMMA,
    MINUS,
    NINE,
    OPEN_BRACE,
    OPEN_BRACKET,
    QUOTE,
    TO_CLOSING,
    ZERO,
)
from common.scan.kernel.literals import read_literal, skip_blanks
from common.scan.kernel.numbers import read_number
from common.scan.kernel.strings import scan_string

DEPTH_MAX = limits.NESTING_DEPTH_MAX
ANY_SIZE = 1 << 62  # for `string_max`: values in the log were accepted already


@compiled
def skip_value(
    buffer: Bytes,
    at: int,
    line_break: int,
    open_already: int,
    string_max: int,
    words: Int64s,
    opened: int,
) -> int:
    """Check the value that begins at `at`: (its end) * 2, plus 1 if it holds white space; or FAIL.

    open_already: containers around it; more than DEPTH_MAX in all are refused.
    string_max: bytes between quotes, escapes as written; a longer string is refused.
    words: scratch, DEPTH_MAX elements from `opened` on.
    """
    blanks = 0
    depth = open_already
    while True:
        byte = byte_at(buffer, at)
        entered = False
        if byte == QUOTE:
            found = scan_string(buffer, at + 1)
            if found < 0 or (found >> 1) - at - 1 > string_max:
                return FAIL
            at = (found >> 1) + 1
        elif byte == OPEN_BRACE or byte == OPEN_BRACKET:
            if depth >= DEPTH_MAX:
                return FAIL
            put(words, opened + depth, byte)
            depth += 1
            at += 1
            after = skip_blanks(buffer, at, line_break)
            if after != at:
                blanks = 1
                at = after
            if byte_at(buffer, at) == byte + TO_CLOSING:
                depth -= 1
                at += 1
            else:
                entered = True
        elif byte == MINUS or ZERO <= byte <= NINE:
            at, _, _ = read_number(buffer, at)
            if at < 0:
                return FAIL
        else:
            at, _ = read_literal(buffer, at)
            if at < 0:
                return FAIL
        while not entered:  # a value is complete: a comma, or the end of its container
            if depth == open_already:
                return (at << 1) | blanks
            after = skip_blanks(buffer, at, line_break)
            if after != at:
                blanks = 1
                at = after
            byte = byte_at(buffer, at)
            at += 1
            if byte == COMMA:
                after = skip_blanks(buffer, at, line_break)
                if after != at:
                    blanks = 1
                    at = after
                break
            if byte != get(words, opened + depth - 1) + TO_CLOSING:
                return FAIL
            depth -= 1
        if get(words, opened + depth - 1) == OPEN_BRACE:
            if byte_at(buffer, at) != QUOTE:
                return FAIL
            found = scan_string(buffer, at + 1)
            if found < 0 or (found >> 1) - at - 1 > string_max:
                return FAIL
            at = (found >> 1) + 1
            colon = skip_blanks(buffer, at, line_break)
            if byte_at(buffer, colon) != COLON:
                return FAIL
            value = skip_blanks(buffer, colon + 1, line_break)
            if value != at + 1:
                blanks = 1
            at = value
