"""Reads an element that is not proved valid to its end, and finds its fault (I9).

Has the results of `common.scan.json_events`, in one pass and at less cost: the element's fault, or
that only its time and rate are to be read, or where the body stops being JSON. A level is the
number of containers that are open inside the body's array.
"""

from common import limits
from common.kernels.compile import FAIL, Bytes, Int64s, compiled, inlined
from common.kernels.intrinsics import byte_at, get, put
from common.scan.kernel.ascii_codes import BACKSLASH, LINE_BREAK, NOT_ASCII_MIN, OPEN_BRACE
from common.scan.kernel.lexemes import (
    CLOSE_ARRAY,
    CLOSE_OBJECT,
    COLON_TOKEN,
    COMMA_TOKEN,
    ESCAPES,
    NOT_ASCII,
    OPEN_ARRAY,
    OPEN_OBJECT,
    STRING,
    code_point,
    lexeme,
    text_bytes,
)
from common.scan.kernel.literals import skip_blanks
from shepherd.honeycomb.split.kernel import scan
from shepherd.honeycomb.split.kernel.members import DATA, OTHER, TIME, member_of, member_of_text
from shepherd.honeycomb.split.kernel.members import RATE as MEMBER_RATE
from shepherd.honeycomb.split.kernel.memory import (
    DATA_AT,
    DATA_END,
    ELEMENT_FAULT,
    ENTRIES,
    ENTRIES_TO,
    ENTRY_TABLE,
    ENTRY_WORDS,
    ENTRY_WORDS_MAX,
    ERROR_AT,
    ERROR_RULE,
    FAULT_PATH,
    NESTED,
    RATE_AT,
    RATE_END,
    SCAN_FAULT,
    SCAN_HARD,
    SCAN_NAMED,
    TIME_AT,
    TIME_END,
)

# Why a body is broken: the texts are in `compiled.faults`.
(
    UNEXPECTED,
    UNEXPECTED_END,
    COLON_WANTED,
    KEY_WANTED,
    VALUE_WANTED,
    COMMA_WANTED,
    NESTED_TOO_DEEP,
    TEXT_AFTER,
    TOO_MANY_EVENTS,
    NOT_AN_ARRAY,
) = range(10)
# Why a pass ended.
(
    DONE,  # the body was read to its end
    MORE,  # there is no room for the next line
    ELEMENT,  # the element at `at` is for the reference
    BROKEN,  # the body as a whole is for the reference
    FAULTY,  # the body is refused: `compiled.faults` has the text
) = range(5)
_NESTING_MAX = limits.BODY_NESTING_MAX
_MEMBER_CHARS_MAX = 10  # of the longest name that counts, `samplerate`
_NOT_UTF8 = -2  # instead of a member


@compiled
def broken(rule: int, at: int, words: Int64s) -> int:
    """Note why the body is broken; FAIL."""
    put(words, ERROR_RULE, rule)
    put(words, ERROR_AT, at)
    return FAIL


@compiled
def unexpected(at: int, size: int, words: Int64s) -> int:
    """Note that no token begins at `at`; FAIL."""
    return broken(UNEXPECTED if at < size else UNEXPECTED_END, at, words)


@inlined
def _is_array(level: int, words: Int64s) -> int:
    """Whether the container that is open at this level, from 1 on, is an array."""
    return int((get(words, NESTED + (level >> 5)) >> (level & 31)) & 1)


@inlined
def _open(level: int, is_array: int, words: Int64s) -> None:
    word = NESTED + (level >> 5)
    bit = level & 31
    put(words, word, (get(words, word) & ~(1 << bit)) | (is_array << bit))


@compiled
def _member(buffer: Bytes, at: int, end: int, what: int) -> int:
    """Which member of an event the string from `at` on names; _NOT_UTF8 if it is no text."""
    if what & NOT_ASCII and text_bytes(buffer, at + 1, end - 1) < 0:
        return _NOT_UTF8
    if what & ESCAPES == 0:
        return member_of(buffer, at + 1, end - at - 2)
    first = rest = size = 0
    char_at = at + 1
    while char_at < end - 1:
        if byte_at(buffer, char_at) == BACKSLASH:
            code, char_at = code_point(buffer, char_at)
        else:
            code = byte_at(buffer, char_at)
            char_at += 1
        if code >= NOT_ASCII_MIN or size >= _MEMBER_CHARS_MAX:
            return OTHER
        if size < 8:
            first |= code << (8 * size)
        else:
            rest |= code << (8 * (size - 8))
        size += 1
    return member_of_text(first, rest, size)


@compiled
def _begin_value(kind: int, at: int, member: int, words: Int64s) -> int:
    """A member of the event begins: 1 if it is data that is an object."""
    if member == TIME:
        put(words, TIME_AT, at)
    elif member == MEMBER_RATE:
        put(words, RATE_AT, at)
    elif member == DATA:
        put(words, DATA_AT, at)
        is_object = 1 if kind == OPEN_OBJECT else 0
        scan.begin_data(words, scan.NO_FAULT if is_object else scan.DATA_NOT_AN_OBJECT)
        return is_object
    elif member == _NOT_UTF8:
        put(words, ELEMENT_FAULT, scan.NAME_NOT_UTF8)
    return 0


@inlined
def _end_value(at: int, member: int, words: Int64s) -> None:
    if member == TIME:
        put(words, TIME_END, at)
    elif member == MEMBER_RATE:
        put(words, RATE_END, at)
    elif member == DATA:
        put(words, DATA_END, at)


@compiled
def _begin_element(words: Int64s, is_object: int) -> None:
    put(words, DATA_AT, -1)
    put(words, TIME_AT, -1)
    put(words, RATE_AT, -1)
    put(words, SCAN_HARD, 0)
    put(words, SCAN_FAULT, scan.NO_FAULT)
    put(words, SCAN_NAMED, 0)
    put(words, ELEMENT_FAULT, scan.NO_FAULT if is_object else scan.NOT_AN_OBJECT)


@compiled
def _end_element(words: Int64s) -> None:
    if get(words, ELEMENT_FAULT) == scan.NO_FAULT:
        missing = get(words, DATA_AT) < 0
        put(words, ELEMENT_FAULT, scan.DATA_MISSING if missing else get(words, SCAN_FAULT))


@compiled
def check_element(buffer: Bytes, size: int, at: int, depth: int, words: Int64s) -> int:
    """Where the value at `at` ends, its fault noted; or FAIL, why the body is broken noted."""
    level = 0
    member = OTHER
    wants_key = may_close = in_data = 0
    is_event = 1 if byte_at(buffer, at) == OPEN_BRACE else 0
    _begin_element(words, is_event)
    while True:
        at = skip_blanks(buffer, at, LINE_BREAK)
        start = at
        kind, at, what = lexeme(buffer, at)
        if kind < 0 or start >= size:
            return unexpected(start, size, words)
        closes = 0
        if wants_key and kind == STRING:
            if in_data:
                scan.scan_key(buffer, start, at, what, level - 1, depth, words)
            elif level == 1 and is_event:
                member = _member(buffer, start, at, what)
            start = skip_blanks(buffer, at, LINE_BREAK)
            kind, at, _ = lexeme(buffer, start)
            if kind < 0:
                return unexpected(start, size, words)
            if kind != COLON_TOKEN:
                return broken(COLON_WANTED, start, words)
            wants_key = may_close = 0
            continue
        if (kind in (OPEN_OBJECT, OPEN_ARRAY)) and not wants_key:
            if level + 1 >= _NESTING_MAX:
                return broken(NESTED_TOO_DEEP, start, words)
            is_array = 1 if kind == OPEN_ARRAY else 0
            if in_data:
                scan.scan_open(is_array, level, depth, words)
            elif level == 1 and is_event:
                in_data = _begin_value(kind, start, member, words)
            level += 1
            _open(level, is_array, words)
            wants_key, may_close = 1 - is_array, 1
            continue
        if may_close and kind == (CLOSE_ARRAY if _is_array(level, words) else CLOSE_OBJECT):
            closes = 1
        elif wants_key or kind in (CLOSE_OBJECT, CLOSE_ARRAY) or kind >= COMMA_TOKEN:
            return broken(KEY_WANTED if wants_key else VALUE_WANTED, start, words)
        elif in_data:
            scan.scan_scalar(buffer, kind, start, at, what, level - 1, words)
        elif level == 1 and is_event:
            _begin_value(kind, start, member, words)
        while True:  # a value is complete, or a container closes
            if closes:
                if in_data:
                    scan.scan_close(_is_array(level, words), level - 1, words)
                    if level == 2:
                        in_data = 0
                        scan.finish_data(at - get(words, DATA_AT), words)
                level -= 1
            if level == 0:
                _end_element(words)
                return at
            if level == 1 and is_event and in_data == 0 and member != OTHER:
                _end_value(at, member, words)
            start = skip_blanks(buffer, at, LINE_BREAK)
            kind, at, _ = lexeme(buffer, start)
            if kind < 0 or start >= size:
                return unexpected(start, size, words)
            if kind == COMMA_TOKEN:
                wants_key, may_close = 1 - _is_array(level, words), 0
                break
            if kind != (CLOSE_ARRAY if _is_array(level, words) else CLOSE_OBJECT):
                return broken(COMMA_WANTED, start, words)
            closes = 1


@compiled
def begin_entries(words: Int64s) -> None:
    """Reset the entries at the begin of a pass."""
    put(words, ENTRIES, 0)
    put(words, ENTRIES_TO, 0)


@compiled
def body_end(buffer: Bytes, size: int, at: int, words: Int64s) -> int:
    """DONE if nothing follows the array, which ends before `at`; else FAULTY."""
    if skip_blanks(buffer, at, LINE_BREAK) == size:
        return DONE
    broken(TEXT_AFTER, at, words)
    return FAULTY


@compiled
def has_room(words: Int64s) -> bool:
    """Whether one more entry fits."""
    return bool(get(words, ENTRIES_TO) + ENTRY_WORDS_MAX <= ENTRY_WORDS)


@compiled
def add_entry(element: int, row: int, words: Int64s) -> None:
    """Note an element that is not among the lines.

    Its words: the element's index, the line before which it would stand, its fault. Then spans: of
    data, time and rate if it has no fault or is to be mended; else the number of names that lead to
    the fault, and the span of each.
    """
    to = ENTRY_TABLE + get(words, ENTRIES_TO)
    fault = get(words, ELEMENT_FAULT)
    put(words, to, element)
    put(words, to + 1, row)
    put(words, to + 2, fault)
    if fault == scan.NO_FAULT or fault == scan.TO_MEND:
        put(words, to + 3, get(words, DATA_AT))
        put(words, to + 4, get(words, DATA_END))
        put(words, to + 5, get(words, TIME_AT))
        put(words, to + 6, get(words, TIME_END))
        put(words, to + 7, get(words, RATE_AT))
        put(words, to + 8, get(words, RATE_END))
        used = 9
    else:
        named = 0
        if fault == get(words, SCAN_FAULT):
            named = get(words, SCAN_NAMED)
        put(words, to + 3, named)
        for n in range(2 * named):
            put(words, to + 4 + n, get(words, FAULT_PATH + n))
        used = 4 + 2 * named
    put(words, ENTRIES, get(words, ENTRIES) + 1)
    put(words, ENTRIES_TO, get(words, ENTRIES_TO) + used)


@compiled
def fault_at_begin(buffer: Bytes, size: int, at: int, words: Int64s) -> None:
    """Why a body that begins here is no array."""
    kind, _, _ = lexeme(buffer, at)
    if kind < 0 or at >= size:
        unexpected(at, size, words)
    elif kind in (CLOSE_OBJECT, CLOSE_ARRAY) or kind >= COMMA_TOKEN:
        broken(VALUE_WANTED, at, words)
    else:
        broken(NOT_AN_ARRAY, at, words)


@compiled
def fault_at_limit(buffer: Bytes, size: int, at: int, words: Int64s) -> None:
    """Of a body that has enough events: why it is broken where one more should begin."""
    kind, _, _ = lexeme(buffer, at)
    if kind < 0 or at >= size:
        unexpected(at, size, words)
    elif kind in (CLOSE_OBJECT, CLOSE_ARRAY) or kind >= COMMA_TOKEN:
        broken(VALUE_WANTED, at, words)
    else:
        broken(TOO_MANY_EVENTS, at, words)


@compiled
def fault_after_element(buffer: Bytes, size: int, at: int, words: Int64s) -> None:
    """Why the body is broken after an element, where there is neither a comma nor the end."""
    kind, _, _ = lexeme(buffer, at)
    if kind < 0 or at >= size:
        unexpected(at, size, words)
    else:
        broken(COMMA_WANTED, at, words)
