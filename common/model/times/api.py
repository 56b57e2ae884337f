"""Every way in which a client may write an event's time, exact to the nanosecond.

RFC 3339 with any number of fraction digits; integers of up to 10 digits (s), 13 (ms), 16 (us) and
19 (ns); seconds with a fraction or exponent. Digits beyond the nanosecond are cut off.

Programs also write that there is no time: an empty text, zero, and the year 1, which is where Go
and .NET begin. All of these mean the time of arrival.
"""

import re
from datetime import date
from typing import Final

_SECOND_NS: Final = 10**9
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1
_CHARS_MAX: Final = 80  # longer than any sensible time; keeps the arithmetic small
_UNIT_NS: Final = {13: 10**6, 16: 10**3, 19: 1}
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))",
    re.ASCII,
)
_NUMBER = re.compile(r"(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?", re.ASCII)
# What Go and .NET write of a time that was never set, in every form that it takes on its way: as a
# date (also of the year 0, where a zone is west of Greenwich, or MySQL wrote zeros), as what Go
# prints, and as seconds, milliseconds, microseconds or (overflown) nanoseconds since 1970.
_NEVER = re.compile(
    r"|000[01]-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d*)?)?"
    r"(?:[Zz]| ?[+-]\d\d:?\d\d(?::\d\d)?(?: [A-Z]{1,5})?)?)?"
    r"|-62135596800(?:000){0,2}(?:\.0*)?|-6\.21355968[eE]\+?10|-6795364578871345152"
    r"|-0+(?:\.0*)?(?:[eE][+-]?\d{1,3})?",
    re.ASCII,
)
_YEAR_0_S: Final = -62_167_219_200
_YEAR_2_S: Final = -62_104_060_800
FORMS: Final = "RFC 3339, or unix time as 10, 13, 16 or 19 digits, or as seconds with a fraction"


class BadTime(ValueError):
    """A time that cannot be read; the text lists the readable forms."""

    def __init__(self, why: str = f"is not a time that can be read ({FORMS})") -> None:
        super().__init__(why)


def time_or_arrival(text: str, arrival_ns: int) -> int:
    """Unix nanoseconds of a time in any form; `arrival_ns` if the text means "no time".

    Raises BadTime.
    """
    return arrival_ns if was_never_set(text) else parse_time(text) or arrival_ns


def was_never_set(text: str) -> bool:
    """Whether a text means "no time": empty, or a form of the year 1 that programs write."""
    text = text.strip()
    return len(text) <= _CHARS_MAX and _NEVER.fullmatch(text) is not None


def timestamp_or_arrival(seconds: int, nanoseconds: int, arrival_ns: int) -> int:
    """The same of a msgpack timestamp. Raises BadTime."""
    if _YEAR_0_S <= seconds < _YEAR_2_S:
        return arrival_ns
    return timestamp_ns(seconds, nanoseconds) or arrival_ns


def parse_time(text: str) -> int:
    """Unix nanoseconds of a time in any form. Raises BadTime."""
    if len(text) > _CHARS_MAX:
        raise BadTime
    text = text.strip()
    found = _RFC3339.fullmatch(text)
    if found is not None:
        return _in_range(_rfc3339_ns(found))
    number = _NUMBER.fullmatch(text)
    if number is None:
        raise BadTime
    digits, fraction, exponent = number.groups()
    if fraction is None and exponent is None:
        return _in_range(_integer_ns(digits))
    return _in_range(_seconds_ns(digits, fraction or "", int(exponent or 0)))


def timestamp_ns(seconds: int, nanoseconds: int) -> int:
    """Unix nanoseconds of a msgpack timestamp. Raises BadTime."""
    return _in_range(seconds * _SECOND_NS + nanoseconds)


def format_rfc3339(time_ns: int) -> str:
    """RFC 3339 in UTC with as many fraction digits as are needed."""
    return format_timestamp(*divmod(time_ns, _SECOND_NS))


def format_timestamp(seconds: int, nanos: int) -> str:
    """The same of a timestamp of the years 1 to 9999. Raises BadTime."""
    days, rest = divmod(seconds, 86_400)
    try:
        day = date.fromordinal(_EPOCH_DAY + days)
    except (ValueError, OverflowError) as error:
        raise BadTime("is outside the years 1 to 9999") from error
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    hours, rest = divmod(rest, 3600)
    return f"{day.isoformat()}T{hours:02d}:{rest // 60:02d}:{rest % 60:02d}{fraction}Z"


def _in_range(time_ns: int) -> int:
    if not INT64_MIN <= time_ns <= INT64_MAX:
        raise BadTime("is outside the years 1678 to 2261")
    return time_ns


def _integer_ns(digits: str) -> int:
    """Nanoseconds; the unit follows from the number of digits. Other lengths are refused."""
    if len(digits) <= 10:
        return int(digits) * _SECOND_NS
    unit = _UNIT_NS.get(len(digits))
    if unit is None:
        raise BadTime
    return int(digits) * unit


def _seconds_ns(digits: str, fraction: str, exponent: int) -> int:
    """Decimal seconds times 10**exponent, in whole nanoseconds (the rest is cut off)."""
    shift = 9 + exponent - len(fraction)
    whole = int(digits + fraction)
    if shift >= 0:
        return whole * 10 ** min(shift, 40) if whole else 0
    return int(whole // 10 ** min(-shift, 2 * _CHARS_MAX))


def _rfc3339_ns(found: re.Match[str]) -> int:
    year, month, day, hour, minute, second, fraction, sign, off_hour, off_minute = found.groups()
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError as error:
        raise BadTime(f"is not a date of the calendar ({FORMS})") from error
    if int(hour) > 23 or int(minute) > 59 or int(second) > 60:  # 60: a leap second
        raise BadTime(f"is not a time of day ({FORMS})")
    seconds = days * 86_400 + int(hour) * 3600 + int(minute) * 60 + int(second)
    if sign:
        if int(off_hour) > 23 or int(off_minute) > 59:
            raise BadTime(f"is not an offset from UTC ({FORMS})")
        offset = int(off_hour) * 3600 + int(off_minute) * 60
        seconds += offset if sign == "-" else -offset
    return seconds * _SECOND_NS + (int(fraction[:9].ljust(9, "0")) if fraction else 0)
