"""A JSON lexer equal to `common.scan.json_tokens`, also for text that is refused.

The other modules of this package prove a text valid and stop where they cannot. These functions
continue: they find the end of strings that are not UTF-8, of numbers beyond every double, of NaN.
"""

from common.kernels.compile import FAIL, Bytes, compiled, inlined
from common.kernels.intrinsics import byte_at, load64, special, trailing_zeros
from common.scan.kernel.ascii_codes import (
    BACKSLASH,
    CLOSE_BRACE,
    CLOSE_BRACKET,
    COLON,
    COMMA,
    FIRST_LOW_SURROGATE,
    FIRST_SURROGATE,
    LAST_SURROGATE,
    LOWER_E,
    LOWER_U,
    MINUS,
    NINE,
    OPEN_BRACE,
    OPEN_BRACKET,
    PLUS,
    POINT,
    QUOTE,
    SPACE,
    UPPER_E,
    ZERO,
)
from common.scan.kernel.numbers import nearest_double
from common.scan.kernel.strings import (
    REPLACEMENT,
    after_escape,
    after_not_ascii,
    hex4,
    is_unicode_escape,
    joined,
    short_escape,
)

# Kinds of tokens, as `json_tokens.TokenKind`, except that keys are strings here.
OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY = range(4)
STRING, NUMBER, LITERAL, NOT_FINITE, COMMA_TOKEN, COLON_TOKEN = range(5, 11)
ESCAPES, NOT_ASCII = 1, 2  # what is in a string
_TRUE = int.from_bytes(b"true", "little")
_NULL = int.from_bytes(b"null", "little")
_FALSE = int.from_bytes(b"false", "little")
_NAN = int.from_bytes(b"NaN", "little")
_INFINITY = int.from_bytes(b"Infinity", "little")
_SURE_CHARS = 300  # a number without an exponent that is beyond every double is longer
_DIGITS_MAX = 19
_EXPONENT_MAX = 10**15  # no text is long enough to bring back a larger one


@compiled
def string_end(buffer: Bytes, at: int) -> tuple[int, int]:
    """From after the opening quote: (position after the closing one or FAIL, what is in it)."""
    what = 0
    while True:
        found = special(buffer, at)
        if found == 0:
            at += 32
            continue
        at += trailing_zeros(found)
        byte = byte_at(buffer, at)
        if byte == QUOTE:
            return at + 1, what
        if byte == BACKSLASH:
            what |= ESCAPES
            at = after_escape(buffer, at)
            if at < 0:
                return FAIL, what
        elif byte < SPACE:
            return FAIL, what
        else:
            what |= NOT_ASCII
            at += 1


@inlined
def _after_digits(buffer: Bytes, at: int) -> int:
    while ZERO <= byte_at(buffer, at) <= NINE:
        at += 1
    return at


@compiled
def number_end(buffer: Bytes, at: int) -> int:
    """Where the longest number that begins at `at` ends, or FAIL."""
    if byte_at(buffer, at) == MINUS:
        at += 1
    end = at + 1 if byte_at(buffer, at) == ZERO else _after_digits(buffer, at)
    if end == at:
        return FAIL
    if byte_at(buffer, end) == POINT:
        after = _after_digits(buffer, end + 1)
        if after > end + 1:
            end = after
    byte = byte_at(buffer, end)
    if byte == LOWER_E or byte == UPPER_E:
        byte = byte_at(buffer, end + 1)
        digits = end + 2 if byte == PLUS or byte == MINUS else end + 1
        after = _after_digits(buffer, digits)
        if after > digits:
            end = after
    return end


@compiled
def lexeme(buffer: Bytes, at: int) -> tuple[int, int, int]:
    """(kind or FAIL, end, what is in a string) of what begins at `at`, where no white space is."""
    byte = byte_at(buffer, at)
    if byte == QUOTE:
        end, what = string_end(buffer, at + 1)
        return (STRING if end >= 0 else FAIL), end, what
    if byte == COMMA:
        return COMMA_TOKEN, at + 1, 0
    if byte == COLON:
        return COLON_TOKEN, at + 1, 0
    if byte == OPEN_BRACE:
        return OPEN_OBJECT, at + 1, 0
    if byte == CLOSE_BRACE:
        return CLOSE_OBJECT, at + 1, 0
    if byte == OPEN_BRACKET:
        return OPEN_ARRAY, at + 1, 0
    if byte == CLOSE_BRACKET:
        return CLOSE_ARRAY, at + 1, 0
    if byte == MINUS or ZERO <= byte <= NINE:
        end = number_end(buffer, at)
        if end >= 0:
            return NUMBER, end, 0
        return (NOT_FINITE, at + 9, 0) if load64(buffer, at + 1) == _INFINITY else (FAIL, at, 0)
    word = load64(buffer, at)
    if word & 0xFFFFFFFF == _TRUE or word & 0xFFFFFFFF == _NULL:
        return LITERAL, at + 4, 0
    if word & 0xFFFFFFFFFF == _FALSE:
        return LITERAL, at + 5, 0
    if word & 0xFFFFFF == _NAN:
        return NOT_FINITE, at + 3, 0
    return (NOT_FINITE, at + 8, 0) if word == _INFINITY else (FAIL, at, 0)


@compiled
def beyond_doubles(buffer: Bytes, at: int, end: int) -> int:
    """Of a number: 1 if its nearest double is infinite, 0 if not, FAIL if its digits are too many
    to decide it.
    """
    whole = digits = past_point = power = 0
    exponent = written = negative = 0
    for position in range(at, end):
        byte = byte_at(buffer, position)
        if byte == POINT:
            past_point = 1
        elif byte == LOWER_E or byte == UPPER_E:
            exponent = 1
        elif byte == MINUS:
            negative = exponent
        elif byte != PLUS:
            if exponent:
                written = min(written * 10 + byte - ZERO, _EXPONENT_MAX)
            elif digits < _DIGITS_MAX:
                whole = whole * 10 + byte - ZERO
                power -= past_point
                digits += 1 if whole != 0 else 0
            else:
                power += 1 - past_point
    if end - at <= _SURE_CHARS and not exponent:
        return 0
    power += -written if negative else written
    if whole == 0:
        return 0
    if nearest_double(whole, power) == FAIL:
        return 1
    if digits < _DIGITS_MAX:
        return 0
    return FAIL if nearest_double(whole + 1, power) == FAIL else 0


@compiled
def code_point(buffer: Bytes, at: int) -> tuple[int, int]:
    """(code point, end) of the escape at `at`; a surrogate without its partner is U+FFFD."""
    byte = byte_at(buffer, at + 1)
    if byte != LOWER_U:
        return short_escape(byte), at + 2
    code = hex4(buffer, at + 2)
    at += 6
    if code < FIRST_SURROGATE or code > LAST_SURROGATE:
        return code, at
    if code < FIRST_LOW_SURROGATE and is_unicode_escape(buffer, at):
        low = hex4(buffer, at + 2)
        if FIRST_LOW_SURROGATE <= low <= LAST_SURROGATE:
            return joined(code, low), at + 6
    return REPLACEMENT, at


@compiled
def text_bytes(buffer: Bytes, at: int, end: int) -> int:
    """UTF-8 bytes of the text between the quotes at[..end], escapes decoded; FAIL if not UTF-8."""
    size = 0
    while at < end:
        found = special(buffer, at)
        plain = min(32 if found == 0 else trailing_zeros(found), end - at)
        if plain > 0:
            size += plain
            at += plain
            continue
        if byte_at(buffer, at) == BACKSLASH:
            code, at = code_point(buffer, at)
            size += 1 if code < 0x80 else (2 if code < 0x800 else (3 if code < 0x10000 else 4))
            continue
        after = after_not_ascii(buffer, at, end)
        if after < 0 or after > end:
            return FAIL
        size += after - at
        at = after
    return size
