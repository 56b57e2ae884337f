"""JSON strings: where they end, whether they are valid, and their text without escapes.

The scan compares 32 bytes at once and stops only at special bytes: a quote, a backslash, a control
byte, or one that is not ASCII. It checks the same rules as `json_tokens`: the
escapes of RFC 8259, UTF-8 in its shortest form without surrogates, no raw control characters.
"""

from common.kernels.compile import FAIL, Bytes, compiled, inlined
from common.kernels.intrinsics import (
    backslashes,
    byte_at,
    copy32,
    load64,
    special,
    store8,
    trailing_zeros,
)
from common.scan.kernel.ascii_codes import (
    BACKSLASH,
    BACKSPACE,
    CARRIAGE_RETURN,
    FIRST_LOW_SURROGATE,
    FIRST_SURROGATE,
    FORM_FEED,
    LAST_SURROGATE,
    LINE_BREAK,
    LOWER_B,
    LOWER_F,
    LOWER_N,
    LOWER_R,
    LOWER_T,
    LOWER_U,
    NOT_ASCII_MIN,
    QUOTE,
    SLASH,
    SPACE,
    TAB,
)

_ANYWHERE = 1 << 62
REPLACEMENT = 0xFFFD  # for a surrogate escape without its partner


@inlined
def hex4(buffer: Bytes, at: int) -> int:
    """Value of four hex digits, or FAIL. All four at once: branches on random digits cost most.

    Needs 8 bytes of padding. Sums of bytes below 128 carry into their own highest bit at most.
    """
    text = load64(buffer, at) & 0xFFFFFFFF
    low = text | 0x20202020
    digit = (text + 0x50505050) & ~(text + 0x46464646)  # from "0" to "9"
    letter = (low + 0x1F1F1F1F) & ~(low + 0x19191919)  # from "a" to "f"
    if (digit | letter) & ~text & 0x80808080 != 0x80808080:
        return FAIL
    value = (text & 0x0F0F0F0F) + 9 * ((text >> 6) & 0x01010101)
    return int(((value & 15) << 12) | (value & 0xF00) | ((value >> 12) & 0xF0) | (value >> 24))


@compiled
def after_escape(buffer: Bytes, at: int) -> int:
    """Where the escape that begins at `at` ends, or FAIL."""
    byte = byte_at(buffer, at + 1)
    if byte == LOWER_U:
        return FAIL if hex4(buffer, at + 2) < 0 else at + 6
    if byte == QUOTE or byte == BACKSLASH or byte == SLASH:
        return at + 2
    return at + 2 if short_escape(byte) != byte else FAIL


@inlined
def short_escape(letter: int) -> int:
    """The byte that an escape of one letter means; a byte that is no such letter, as it is."""
    if letter == LOWER_B:
        return BACKSPACE
    if letter == LOWER_F:
        return FORM_FEED
    if letter == LOWER_N:
        return LINE_BREAK
    if letter == LOWER_R:
        return CARRIAGE_RETURN
    if letter == LOWER_T:
        return TAB
    return letter


@inlined
def is_unicode_escape(buffer: Bytes, at: int) -> bool:
    """Whether an escape with four hex digits begins here."""
    return bool(byte_at(buffer, at) == BACKSLASH and byte_at(buffer, at + 1) == LOWER_U)


@inlined
def joined(high: int, low: int) -> int:
    """The code point of a pair of surrogates."""
    return 0x10000 + ((high - FIRST_SURROGATE) << 10) + low - FIRST_LOW_SURROGATE


@compiled
def after_not_ascii(buffer: Bytes, at: int, end: int) -> int:
    """Where the run of characters beyond ASCII that begins at `at` ends, or FAIL.

    No character begins at `end` or later, but the last one may go on after it.
    """
    while at < end:
        first = byte_at(buffer, at)
        if first < NOT_ASCII_MIN:
            return at
        second = byte_at(buffer, at + 1)
        if first < 0xC2 or first > 0xF4 or second & 0xC0 != 0x80:
            return FAIL
        if first < 0xE0:
            at += 2
            continue
        if byte_at(buffer, at + 2) & 0xC0 != 0x80:
            return FAIL
        if first < 0xF0:
            if (first == 0xE0 and second < 0xA0) or (first == 0xED and second > 0x9F):
                return FAIL  # longer than needed, or a surrogate
            at += 3
            continue
        if byte_at(buffer, at + 3) & 0xC0 != 0x80:
            return FAIL
        if (first == 0xF0 and second < 0x90) or (first == 0xF4 and second > 0x8F):
            return FAIL  # longer than needed, or beyond U+10FFFF
        at += 4
    return at


@inlined
def scan_string(buffer: Bytes, at: int) -> int:
    """From just after the opening quote: (position of the closing quote) * 2, plus 1 if there are
    escapes; or FAIL.
    """
    escapes = 0
    while True:
        found = special(buffer, at)
        if found == 0:
            at += 32
            continue
        at += trailing_zeros(found)
        byte = byte_at(buffer, at)
        if byte == QUOTE:
            return (at << 1) | escapes
        if byte == BACKSLASH:
            escapes = 1
            while byte == BACKSLASH and at >= 0:  # one escape often follows another
                at = after_escape(buffer, at)
                byte = byte_at(buffer, max(at, 0))
        elif byte < SPACE:
            return FAIL
        else:
            at = after_not_ascii(buffer, at, _ANYWHERE)
        if at < 0:
            return FAIL


@compiled
def _put_character(target: Bytes, at: int, code: int) -> int:
    """Write a code point as UTF-8; returns the position after it."""
    if code < NOT_ASCII_MIN:
        store8(target, at, code)
        return at + 1
    if code < 0x800:
        store8(target, at, 0xC0 | code >> 6)
        store8(target, at + 1, 0x80 | code & 63)
        return at + 2
    if code < 0x10000:
        store8(target, at, 0xE0 | code >> 12)
        store8(target, at + 1, 0x80 | code >> 6 & 63)
        store8(target, at + 2, 0x80 | code & 63)
        return at + 3
    store8(target, at, 0xF0 | code >> 18)
    store8(target, at + 1, 0x80 | code >> 12 & 63)
    store8(target, at + 2, 0x80 | code >> 6 & 63)
    store8(target, at + 3, 0x80 | code & 63)
    return at + 4


@inlined
def copy_run(target: Bytes, to: int, buffer: Bytes, at: int, size: int) -> None:
    """Copy `size` bytes, 32 at a time: up to 31 bytes after them are overwritten too."""
    for step in range(0, size, 32):
        copy32(target, to + step, buffer, at + step)


@compiled
def unescape(buffer: Bytes, at: int, end: int, target: Bytes, to: int) -> int:
    """Write the text of a string that `scan_string` accepted; returns the position after it.

    Never longer than its source, plus up to 31 bytes overwritten after it.
    """
    while at < end:
        if byte_at(buffer, at) != BACKSLASH:
            found = backslashes(buffer, at)
            plain = min(32 if found == 0 else trailing_zeros(found), end - at)
            copy32(target, to, buffer, at)
            at += plain
            to += plain
            continue
        byte = byte_at(buffer, at + 1)
        if byte == LOWER_U:
            code = hex4(buffer, at + 2)
            at += 6
            if FIRST_SURROGATE <= code <= LAST_SURROGATE:
                low = -1
                if code < FIRST_LOW_SURROGATE and is_unicode_escape(buffer, at):
                    low = hex4(buffer, at + 2)
                if FIRST_LOW_SURROGATE <= low <= LAST_SURROGATE:
                    code = joined(code, low)
                    at += 6
                else:
                    code = REPLACEMENT
            to = _put_character(target, to, code)
            continue
        store8(target, to, short_escape(byte))
        at += 2
        to += 1
    return to
