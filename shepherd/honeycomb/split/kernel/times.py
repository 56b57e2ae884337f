"""The usual forms of a time, exact to the nanosecond; every other form is for the reference.

Whole unix times of up to 10, of 13, 16 and 19 digits, decimal seconds, and RFC 3339 of the years
1680 to 2259, which all fit 64 bits of nanoseconds. The text was checked to be a JSON value before.
"""

from common.kernels.compile import Bytes, compiled, inlined
from common.kernels.intrinsics import byte_at
from common.scan.kernel.ascii_codes import (
    COLON,
    LOWER_T,
    MINUS,
    NINE,
    PLUS,
    POINT,
    QUOTE,
    SPACE,
    ZERO,
)

_SECOND_NS = 10**9
_UPPER_T, _UPPER_Z, _LOWER_Z = 0x54, 0x5A, 0x7A
_SECONDS_MAX = 9_223_372_036  # whole seconds that 64 bits of nanoseconds hold
_MILLIS_MAX = 9_223_372_036_854
_MICROS_MAX = 9_223_372_036_854_775
_CHARS_MAX = 80  # as `common.model.times.api`
_YEAR_MIN, _YEAR_MAX = 1680, 2259
_DAYS_TO_EPOCH = 719_468  # from 1 March of year 0 to 1970


@inlined
def _digit(buffer: Bytes, at: int) -> int:
    """The digit there, or -1000: no sum with it is a date."""
    byte = byte_at(buffer, at)
    return byte - ZERO if ZERO <= byte <= NINE else -1000


@inlined
def _two(buffer: Bytes, at: int) -> int:
    """A number of two digits, or a negative one."""
    return _digit(buffer, at) * 10 + _digit(buffer, at + 1)


@compiled
def _fraction_ns(buffer: Bytes, at: int) -> tuple[int, int]:
    """(end of the digits, the nanoseconds that they are as decimals of a second)."""
    nanos = 0
    unit = _SECOND_NS
    byte = byte_at(buffer, at)
    while ZERO <= byte <= NINE:
        if unit > 1:
            unit = unit // 10
            nanos += (byte - ZERO) * unit
        at += 1
        byte = byte_at(buffer, at)
    return at, nanos


@compiled
def _days_before(year: int, month: int, day: int) -> int:
    """Days since 1970 (proleptic Gregorian), or a large negative number if there is no such day.

    Counted from 1 March, so that a leap day is the last of its year.
    """
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    last = 31
    if month == 2:
        last = 29 if leap else 28
    elif month == 4 or month == 6 or month == 9 or month == 11:
        last = 30
    if month < 1 or month > 12 or day < 1 or day > last:
        return -(1 << 40)
    if month <= 2:
        year -= 1
        month += 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (
        153 * (month - 3) + 2
    ) // 5 + day - 1 - _DAYS_TO_EPOCH  # fmt: skip


@compiled
def read_rfc3339(buffer: Bytes, at: int, end: int) -> tuple[bool, int]:
    """(whether it was read, unix ns) of the text buffer[at:end]."""
    if end - at < 20 or end - at > _CHARS_MAX:
        return False, 0
    year = _two(buffer, at) * 100 + _two(buffer, at + 2)
    if year < _YEAR_MIN or year > _YEAR_MAX:
        return False, 0
    if byte_at(buffer, at + 4) != MINUS or byte_at(buffer, at + 7) != MINUS:
        return False, 0
    days = _days_before(year, _two(buffer, at + 5), _two(buffer, at + 8))
    byte = byte_at(buffer, at + 10)
    if days < -(1 << 39) or (byte != _UPPER_T and byte != LOWER_T and byte != SPACE):
        return False, 0
    hour, minute, second = _two(buffer, at + 11), _two(buffer, at + 14), _two(buffer, at + 17)
    if byte_at(buffer, at + 13) != COLON or byte_at(buffer, at + 16) != COLON:
        return False, 0
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 60:
        return False, 0
    at += 19
    nanos = 0
    if byte_at(buffer, at) == POINT:
        first = at + 1
        at, nanos = _fraction_ns(buffer, first)
        if at == first:
            return False, 0
    seconds = days * 86_400 + hour * 3600 + minute * 60 + second
    byte = byte_at(buffer, at)
    if byte == PLUS or byte == MINUS:
        if at + 6 != end or byte_at(buffer, at + 3) != COLON:
            return False, 0
        hour, minute = _two(buffer, at + 1), _two(buffer, at + 4)
        if hour < 0 or hour > 23 or minute < 0 or minute > 59:
            return False, 0
        offset = hour * 3600 + minute * 60
        seconds += offset if byte == MINUS else -offset
    elif at + 1 != end or (byte != _UPPER_Z and byte != _LOWER_Z):
        return False, 0
    return True, seconds * _SECOND_NS + nanos


@compiled
def whole_time(whole: int, digits: int) -> tuple[bool, int]:
    """(whether it is one, unix ns) of a whole number of so many digits."""
    if digits <= 10:
        return whole <= _SECONDS_MAX, whole * _SECOND_NS
    if digits == 13:
        return whole <= _MILLIS_MAX, whole * 1_000_000
    if digits == 16:
        return whole <= _MICROS_MAX, whole * 1_000
    return digits == 19 and whole >= 0, whole  # below 0: more than 64 bits hold


@compiled
def _read_number(buffer: Bytes, at: int, end: int) -> tuple[bool, int]:
    """(whether it was read, unix ns) of a number without sign and exponent: buffer[at:end]."""
    if end - at > _CHARS_MAX:
        return False, 0
    first = at
    whole = 0
    byte = byte_at(buffer, at)
    while ZERO <= byte <= NINE and at - first < 19:
        whole = whole * 10 + byte - ZERO
        at += 1
        byte = byte_at(buffer, at)
    digits = at - first
    if digits == 0:
        return False, 0
    if at == end:
        return whole_time(whole, digits)
    if byte != POINT or digits > 10 or whole > _SECONDS_MAX:
        return False, 0
    point = at
    at, nanos = _fraction_ns(buffer, point + 1)
    time_ns = whole * _SECOND_NS + nanos
    return at == end and at > point + 1 and time_ns >= 0, time_ns


@compiled
def read_text_time(buffer: Bytes, at: int, end: int) -> tuple[bool, int]:
    """(whether it was read, unix ns) of the text buffer[at:end]. Loads may read bytes after `end`,
    which never affect the result.
    """
    read, time_ns = read_rfc3339(buffer, at, end)
    if read:
        return True, time_ns
    return _read_number(buffer, at, end)


@compiled
def read_time(buffer: Bytes, at: int, end: int) -> tuple[bool, int]:
    """(whether it was read, unix ns) of the JSON value buffer[at:end], which is not null."""
    if byte_at(buffer, at) == QUOTE:
        return read_text_time(buffer, at + 1, end - 1)
    return _read_number(buffer, at, end)
