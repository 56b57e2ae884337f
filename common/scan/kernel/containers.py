"""Any JSON value passed over and checked, without recursion: for what stays JSON text."""

from common import limits
from common.kernels.compile import FAIL, Bytes, Int64s, compiled
from common.kernels.intrinsics import byte_at, get, put
from common.scan.kernel.literals import read_word, skip_blanks
from common.scan.kernel.numbers import read_number
from common.scan.kernel.strings import scan_string

DEPTH_MAX = limits.NESTING_DEPTH_MAX
ANY_SIZE = 1 << 62  # for `string_max`: what is in the log was accepted, and is read


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

    `open_already`: containers around it; more than DEPTH_MAX in all are refused. Scratch: DEPTH_MAX
    words from `opened` on. string_max: more bytes between quotes, escapes as written, are refused.
    """
    blanks = 0
    depth = open_already
    while True:
        byte = byte_at(buffer, at)
        entered = False
        if byte == 34:
            found = scan_string(buffer, at + 1)
            if found < 0 or (found >> 1) - at - 1 > string_max:
                return FAIL
            at = (found >> 1) + 1
        elif byte == 123 or byte == 91:
            if depth >= DEPTH_MAX:
                return FAIL
            put(words, opened + depth, byte)
            depth += 1
            at += 1
            behind = skip_blanks(buffer, at, line_break)
            if behind != at:
                blanks = 1
                at = behind
            if byte_at(buffer, at) == byte + 2:
                depth -= 1
                at += 1
            else:
                entered = True
        elif byte == 45 or 48 <= byte <= 57:
            at, _, _ = read_number(buffer, at)
            if at < 0:
                return FAIL
        else:
            at, _ = read_word(buffer, at)
            if at < 0:
                return FAIL
        while not entered:  # a value is complete: a comma, or the end of what it stands in
            if depth == open_already:
                return (at << 1) | blanks
            behind = skip_blanks(buffer, at, line_break)
            if behind != at:
                blanks = 1
                at = behind
            byte = byte_at(buffer, at)
            at += 1
            if byte == 44:
                behind = skip_blanks(buffer, at, line_break)
                if behind != at:
                    blanks = 1
                    at = behind
                break
            if byte != get(words, opened + depth - 1) + 2:
                return FAIL
            depth -= 1
        if get(words, opened + depth - 1) == 123:
            if byte_at(buffer, at) != 34:
                return FAIL
            found = scan_string(buffer, at + 1)
            if found < 0 or (found >> 1) - at - 1 > string_max:
                return FAIL
            at = (found >> 1) + 1
            colon = skip_blanks(buffer, at, line_break)
            if byte_at(buffer, colon) != 58:
                return FAIL
            value = skip_blanks(buffer, colon + 1, line_break)
            if value != at + 1:
                blanks = 1
            at = value
