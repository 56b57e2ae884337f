"""Checks an event's data for every reason for which the reference could refuse it.

Strings and names are measured as they are written; escapes only make them longer. So a string
longer than the limit goes to the reference, which measures the decoded text.
"""

from common import limits
from common.kernels.compile import FAIL, Bytes, Int64s, compiled
from common.kernels.intrinsics import byte_at, get, put
from common.scan.kernel.ascii_codes import (
    CLOSE_BRACE,
    COLON,
    COMMA,
    LINE_BREAK,
    MINUS,
    NINE,
    OPEN_BRACE,
    OPEN_BRACKET,
    QUOTE,
    SPACE,
    ZERO,
)
from common.scan.kernel.containers import DEPTH_MAX, skip_value
from common.scan.kernel.literals import read_literal, skip_blanks
from common.scan.kernel.numbers import read_number
from common.scan.kernel.strings import scan_string
from shepherd.honeycomb.split.kernel.memory import OPENED, PREFIXES

_STRING_MAX = limits.STRING_BYTES_MAX
_FIELDS_MAX = limits.EVENT_FIELDS_MAX
_BYTES_MAX = limits.EVENT_BYTES_MAX
_NAME_BYTES_MAX = limits.UNPACKED_NAME_BYTES_MAX


@compiled
def check_data(buffer: Bytes, at: int, depth: int, words: Int64s) -> int:
    """Check the object at `at`, whose fields are unpacked to `depth`: its end * 2, plus 1 if there
    is white space in it; or FAIL.
    """
    begin = at
    blanks = 0
    fields = 0
    level = 0  # unpacked objects open around the member, data itself not counted
    prefix = 0  # bytes of their names and dots
    name_bytes = 0  # of the fields inside them
    if byte_at(buffer, at) != OPEN_BRACE:
        return FAIL
    at += 1
    while True:
        # --- the name and its colon
        if byte_at(buffer, at) != QUOTE:
            at = skip_blanks(buffer, at, LINE_BREAK)
            blanks = 1
            if byte_at(buffer, at) != QUOTE:  # also the end of an empty object, which is refused
                return FAIL
        found = scan_string(buffer, at + 1)
        if found < 0:
            return FAIL
        end = found >> 1
        size = end - at - 1
        if size > _STRING_MAX:
            return FAIL
        fields += 1
        at = end + 1
        if byte_at(buffer, at) != COLON:
            at = skip_blanks(buffer, at, LINE_BREAK)
            blanks = 1
            if byte_at(buffer, at) != COLON:
                return FAIL
        at += 1
        # --- the value
        byte = byte_at(buffer, at)
        if byte <= SPACE:
            at = skip_blanks(buffer, at, LINE_BREAK)
            blanks = 1
            byte = byte_at(buffer, at)
        if byte == QUOTE:
            found = scan_string(buffer, at + 1)
            if found < 0:
                return FAIL
            end = found >> 1
            if end - at - 1 > _STRING_MAX:
                return FAIL
            at = end + 1
        elif byte == MINUS or ZERO <= byte <= NINE:
            at, _, _ = read_number(buffer, at)
            if at < 0:
                return FAIL
        elif byte == OPEN_BRACE or byte == OPEN_BRACKET:
            if byte == OPEN_BRACE and level < depth:
                inside = skip_blanks(buffer, at + 1, LINE_BREAK)
                if byte_at(buffer, inside) != CLOSE_BRACE:
                    if inside != at + 1:
                        blanks = 1
                    if level >= DEPTH_MAX:
                        return FAIL
                    put(words, PREFIXES + level, prefix)
                    prefix += size + 1
                    level += 1
                    fields -= 1  # the first member inside is counted instead of its parent
                    at = inside
                    continue
            found = skip_value(buffer, at, LINE_BREAK, level + 1, _STRING_MAX, words, OPENED)
            if found < 0:
                return FAIL
            blanks |= found & 1
            at = found >> 1
        else:
            at, _ = read_literal(buffer, at)
            if at < 0:
                return FAIL
        if level > 0:
            name_bytes += prefix + size
        # --- a comma, or the end of one object or more
        while True:
            byte = byte_at(buffer, at)
            if byte == COMMA:
                at += 1
                break
            if byte == CLOSE_BRACE:
                at += 1
                if level == 0:
                    if fields > _FIELDS_MAX or at - begin > _BYTES_MAX:
                        return FAIL
                    if name_bytes > _NAME_BYTES_MAX:
                        return FAIL
                    return (at << 1) | blanks
                level -= 1
                prefix = get(words, PREFIXES + level)
                continue
            after_blanks = skip_blanks(buffer, at, LINE_BREAK)
            if after_blanks == at:
                return FAIL
            at = after_blanks
            blanks = 1
