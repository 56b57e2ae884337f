"""JSON token by token, as `common.scan.json_tokens` reads it: also of text that is refused.

The other modules of this package prove a text good and stop where they cannot. These functions go
on: they find the end of strings that are not UTF-8, of numbers beyond every double, and of NaN.
"""

from common.kernels.compile import FAIL, Bytes, compiled, inlined
from common.kernels.intrinsics import byte_at, load64, special, trailing_zeros
from common.scan.kernel.numbers import nearest_double
from common.scan.kernel.strings import after_escape, after_not_ascii, hex4

# As `json_tokens.TokenKind`, but for keys, which are strings here.
OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY = range(4)
STRING, NUMBER, WORD, NOT_FINITE, COMMA, COLON = range(5, 11)
ESCAPES, NOT_ASCII = 1, 2  # what is in a string
_TRUE = int.from_bytes(b"true", "little")
_NULL = int.from_bytes(b"null", "little")
_FALSE = int.from_bytes(b"false", "little")
_NAN = int.from_bytes(b"NaN", "little")
_INFINITY = int.from_bytes(b"Infinity", "little")
_SURE_CHARS = 300  # a number without an exponent has to be longer to be beyond every double
_DIGITS_MAX = 19
_EXPONENT_MAX = 10**15  # no text is long enough to bring back a larger one


@compiled
def string_end(buffer: Bytes, at: int) -> tuple[int, int]:
    """From behind the opening quote: (place behind the closing one or FAIL, what is in it)."""
    what = 0
    while True:
        found = special(buffer, at)
        if found == 0:
            at += 32
            continue
        at += trailing_zeros(found)
        byte = byte_at(buffer, at)
        if byte == 34:
            return at + 1, what
        if byte == 92:
            what |= ESCAPES
            at = after_escape(buffer, at)
            if at < 0:
                return FAIL, what
        elif byte < 32:
            return FAIL, what
        else:
            what |= NOT_ASCII
            at += 1


@inlined
def _after_digits(buffer: Bytes, at: int) -> int:
    while 48 <= byte_at(buffer, at) <= 57:
        at += 1
    return at


@compiled
def number_end(buffer: Bytes, at: int) -> int:
    """Where the longest number that begins at `at` ends, or FAIL."""
    if byte_at(buffer, at) == 45:
        at += 1
    end = at + 1 if byte_at(buffer, at) == 48 else _after_digits(buffer, at)
    if end == at:
        return FAIL
    if byte_at(buffer, end) == 46:
        behind = _after_digits(buffer, end + 1)
        if behind > end + 1:
            end = behind
    byte = byte_at(buffer, end)
    if byte == 101 or byte == 69:
        byte = byte_at(buffer, end + 1)
        digits = end + 2 if byte == 43 or byte == 45 else end + 1
        behind = _after_digits(buffer, digits)
        if behind > digits:
            end = behind
    return end


@compiled
def lexeme(buffer: Bytes, at: int) -> tuple[int, int, int]:
    """(kind or FAIL, end, what is in a string) of what begins at `at`, where no white space is."""
    byte = byte_at(buffer, at)
    if byte == 34:
        end, what = string_end(buffer, at + 1)
        return (STRING if end >= 0 else FAIL), end, what
    if byte == 44:
        return COMMA, at + 1, 0
    if byte == 58:
        return COLON, at + 1, 0
    if byte == 123:
        return OPEN_OBJECT, at + 1, 0
    if byte == 125:
        return CLOSE_OBJECT, at + 1, 0
    if byte == 91:
        return OPEN_ARRAY, at + 1, 0
    if byte == 93:
        return CLOSE_ARRAY, at + 1, 0
    if byte == 45 or 48 <= byte <= 57:
        end = number_end(buffer, at)
        if end >= 0:
            return NUMBER, end, 0
        return (NOT_FINITE, at + 9, 0) if load64(buffer, at + 1) == _INFINITY else (FAIL, at, 0)
    word = load64(buffer, at)
    if word & 0xFFFFFFFF == _TRUE or word & 0xFFFFFFFF == _NULL:
        return WORD, at + 4, 0
    if word & 0xFFFFFFFFFF == _FALSE:
        return WORD, at + 5, 0
    if word & 0xFFFFFF == _NAN:
        return NOT_FINITE, at + 3, 0
    return (NOT_FINITE, at + 8, 0) if word == _INFINITY else (FAIL, at, 0)


@compiled
def beyond_doubles(buffer: Bytes, at: int, end: int) -> int:
    """Of a number: 1 if its nearest double is infinite, 0 if not, FAIL if its digits are too many
    to decide it.
    """
    whole = digits = behind_point = power = 0
    exponent = written = negative = 0
    for place in range(at, end):
        byte = byte_at(buffer, place)
        if byte == 46:
            behind_point = 1
        elif byte == 101 or byte == 69:
            exponent = 1
        elif byte == 45:
            negative = exponent
        elif byte != 43:
            if exponent:
                written = min(written * 10 + byte - 48, _EXPONENT_MAX)
            elif digits < _DIGITS_MAX:
                whole = whole * 10 + byte - 48
                power -= behind_point
                digits += 1 if whole != 0 else 0
            else:
                power += 1 - behind_point
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
    if byte != 117:
        if byte == 98:
            byte = 8
        elif byte == 102:
            byte = 12
        elif byte == 110:
            byte = 10
        elif byte == 114:
            byte = 13
        elif byte == 116:
            byte = 9
        return byte, at + 2
    code = hex4(buffer, at + 2)
    at += 6
    if code < 0xD800 or code > 0xDFFF:
        return code, at
    if code < 0xDC00 and byte_at(buffer, at) == 92 and byte_at(buffer, at + 1) == 117:
        low = hex4(buffer, at + 2)
        if 0xDC00 <= low <= 0xDFFF:
            return 0x10000 + ((code - 0xD800) << 10) + low - 0xDC00, at + 6
    return 0xFFFD, at


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
        if byte_at(buffer, at) == 92:
            code, at = code_point(buffer, at)
            size += 1 if code < 0x80 else (2 if code < 0x800 else (3 if code < 0x10000 else 4))
            continue
        behind = after_not_ascii(buffer, at, end)
        if behind < 0 or behind > end:
            return FAIL
        size += behind - at
        at = behind
    return size
