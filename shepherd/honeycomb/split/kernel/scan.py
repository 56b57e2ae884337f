"""Finds the first fault of an event's data that is not proved valid, as the reference does.

As `common.scan.json_data.DataScan`, token by token, with its state in words. Called by
`element_faults`, which reads the tokens and tracks the open containers.
"""

from common import limits
from common.kernels.compile import Bytes, Int64s, compiled, inlined
from common.kernels.intrinsics import get, put
from common.scan.kernel.containers import DEPTH_MAX
from common.scan.kernel.lexemes import (
    ESCAPES,
    NOT_ASCII,
    NOT_FINITE,
    NUMBER,
    STRING,
    beyond_doubles,
    text_bytes,
)
from shepherd.honeycomb.split.kernel.memory import (
    FAULT_PATH,
    PATH,
    PATH_LEVELS,
    PREFIXES,
    SCAN_ARRAYS,
    SCAN_FAULT,
    SCAN_FIELDS,
    SCAN_FRESH,
    SCAN_HARD,
    SCAN_MENDS,
    SCAN_NAME,
    SCAN_NAME_BYTES,
    SCAN_NAMED,
    SCAN_PREFIXES,
)

# Why an event is refused. NO_FAULT: it is not refused, but its time and rate are still to be read;
# TO_MEND: besides, something in its data is to be mended.
(
    NO_FAULT,
    NOT_AN_OBJECT,
    NAME_NOT_UTF8,
    DATA_MISSING,
    DATA_NOT_AN_OBJECT,
    DATA_EMPTY,
    TOO_LARGE,
    TOO_MANY_FIELDS,
    NAMES_TOO_LONG,
    KEY_TOO_LONG,
    TOO_DEEP,
    NOT_UTF8,
    TO_MEND,
) = range(13)
MENDS, LONG = 1, 2  # bits: there is something to mend; there is a string that may be cut

_STRING_MAX = limits.STRING_BYTES_MAX
_FIELDS_MAX = limits.EVENT_FIELDS_MAX
_BYTES_MAX = limits.EVENT_BYTES_MAX
_NAME_BYTES_MAX = limits.UNPACKED_NAME_BYTES_MAX


@compiled
def begin_data(words: Int64s, fault: int) -> None:
    """Data begins; of several in one event the last counts. fault: of a value that is no object."""
    put(words, SCAN_FAULT, fault)
    put(words, SCAN_MENDS, 0)
    put(words, SCAN_NAMED, 0)
    put(words, SCAN_FIELDS, 0)
    put(words, SCAN_NAME_BYTES, 0)
    put(words, SCAN_ARRAYS, 0)
    put(words, SCAN_FRESH, 1)
    put(words, SCAN_PREFIXES, 1)
    put(words, PREFIXES, 0)
    put(words, PATH, 0)
    put(words, PATH + 1, 0)


@compiled
def _note(words: Int64s, fault: int, level: int) -> None:
    """Keep the first fault, with the names that lead to it."""
    if get(words, SCAN_FAULT):
        return
    put(words, SCAN_FAULT, fault)
    named = min(level, PATH_LEVELS)
    put(words, SCAN_NAMED, named)
    for n in range(2 * named):
        put(words, FAULT_PATH + n, get(words, PATH + n))


@compiled
def _is_long(buffer: Bytes, at: int, end: int, what: int, level: int, words: Int64s) -> bool:
    """Whether the string whose quotes are at `at` and before `end` has too many bytes."""
    if end - at - 2 <= _STRING_MAX and what & NOT_ASCII == 0:
        return False
    size = text_bytes(buffer, at + 1, end - 1)
    if size < 0:
        _note(words, NOT_UTF8, level)
    return bool(size > _STRING_MAX)


@inlined
def _mend(words: Int64s, why: int) -> None:
    put(words, SCAN_MENDS, get(words, SCAN_MENDS) | why)


@inlined
def _name_size(buffer: Bytes, at: int, end: int, what: int) -> int:
    if what & ESCAPES == 0:
        return int(end - at - 2)
    size = text_bytes(buffer, at + 1, end - 1)
    return int(end - at - 2 if size < 0 else size)


@compiled
def scan_key(
    buffer: Bytes, at: int, end: int, what: int, level: int, depth: int, words: Int64s
) -> None:
    """A member's name. level: the containers that are open, data itself included."""
    if level <= PATH_LEVELS:
        put(words, PATH + 2 * (level - 1), at)
        put(words, PATH + 2 * level - 1, end)
    if not get(words, SCAN_FAULT) and not get(words, SCAN_ARRAYS) and level <= depth + 1:
        _count(_name_size(buffer, at, end, what), level, words)
    if _is_long(buffer, at, end, what, level, words):
        _note(words, KEY_TOO_LONG, level)
    put(words, SCAN_FRESH, 0)


@inlined
def _count(size: int, level: int, words: Int64s) -> None:
    """Count a field; the first one inside an object is counted instead of that object."""
    put(words, SCAN_NAME, size)
    fresh = get(words, SCAN_FRESH)
    if level == 1:
        put(words, SCAN_FIELDS, get(words, SCAN_FIELDS) + 1)
        return
    prefix = get(words, PREFIXES + get(words, SCAN_PREFIXES) - 1)
    name_bytes = get(words, SCAN_NAME_BYTES) + prefix + size
    if not fresh:
        put(words, SCAN_FIELDS, get(words, SCAN_FIELDS) + 1)
    elif level > 2:
        name_bytes -= prefix - 1
    put(words, SCAN_NAME_BYTES, name_bytes)


@compiled
def scan_scalar(
    buffer: Bytes, kind: int, at: int, end: int, what: int, level: int, words: Int64s
) -> None:
    """A value that is no container."""
    put(words, SCAN_FRESH, 0)
    if kind == STRING:
        if _is_long(buffer, at, end, what, level, words):
            _mend(words, MENDS | LONG)
    elif kind == NOT_FINITE:
        _mend(words, MENDS)
    elif kind == NUMBER:
        beyond = beyond_doubles(buffer, at, end)
        if beyond > 0:
            _mend(words, MENDS)
        elif beyond < 0:
            put(words, SCAN_HARD, 1)


@compiled
def scan_open(is_array: int, level: int, depth: int, words: Int64s) -> None:
    """A container opens inside data: the level is now this one."""
    arrays = get(words, SCAN_ARRAYS) + is_array
    put(words, SCAN_ARRAYS, arrays)
    put(words, SCAN_FRESH, 1)
    if not get(words, SCAN_FAULT) and not arrays and level <= depth + 1 and level <= DEPTH_MAX:
        prefixes = get(words, SCAN_PREFIXES)
        prefix = get(words, PREFIXES + prefixes - 1) + get(words, SCAN_NAME) + 1
        put(words, PREFIXES + prefixes, prefix)
        put(words, SCAN_PREFIXES, prefixes + 1)
    if level <= PATH_LEVELS:
        put(words, PATH + 2 * (level - 1), 0)
        put(words, PATH + 2 * level - 1, 0)
    if level == DEPTH_MAX + 1:
        _note(words, TOO_DEEP, level)


@compiled
def scan_close(is_array: int, level: int, words: Int64s) -> None:
    """A container closes inside data; the level is still its own."""
    arrays = get(words, SCAN_ARRAYS)
    if not arrays and level == get(words, SCAN_PREFIXES):
        put(words, SCAN_PREFIXES, level - 1)
    put(words, SCAN_ARRAYS, arrays - is_array)
    put(words, SCAN_FRESH, 0)


@compiled
def finish_data(size: int, words: Int64s) -> None:
    """Data of `size` bytes has ended. That they are too many is reported rather than a fault
    inside, unless strings may be cut.
    """
    fault = get(words, SCAN_FAULT)
    if size > _BYTES_MAX and get(words, SCAN_MENDS) & LONG == 0:
        fault = TOO_LARGE
    elif fault == NO_FAULT:
        if get(words, SCAN_FIELDS) > _FIELDS_MAX:
            fault = TOO_MANY_FIELDS
        elif get(words, SCAN_NAME_BYTES) > _NAME_BYTES_MAX:
            fault = NAMES_TOO_LONG
        elif get(words, SCAN_FIELDS) == 0:
            fault = DATA_EMPTY
        elif get(words, SCAN_MENDS):
            fault = TO_MEND
    put(words, SCAN_FAULT, fault)
