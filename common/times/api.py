"""Every way in which a client may write an event's time, exact to the nanosecond.

RFC 3339 with any number of fraction digits; integers of up to 10 digits (s), 13 (ms), 16 (us) and
19 (ns); seconds with a fraction or exponent. Digits beyond the nanosecond are cut off.
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
FORMS: Final = "RFC 3339, or unix time as 10, 13, 16 or 19 digits, or as seconds with a fraction"


class BadTime(ValueError):
    """A time that cannot be read; the text says which forms can be."""

    def __init__(self, why: str = f"is not a time that can be read ({FORMS})") -> None:
        super().__init__(why)


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
    seconds, nanos = divmod(time_ns, _SECOND_NS)
    days, rest = divmod(seconds, 86_400)
    day = date.fromordinal(_EPOCH_DAY + days)
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    hours, rest = divmod(rest, 3600)
    return f"{day.isoformat()}T{hours:02d}:{rest // 60:02d}:{rest % 60:02d}{fraction}Z"


def _in_range(time_ns: int) -> int:
    if not INT64_MIN <= time_ns <= INT64_MAX:
        raise BadTime("is outside the years 1678 to 2261")
    return time_ns


def _integer_ns(digits: str) -> int:
    """The number of digits tells the unit; what lies between the known lengths is refused."""
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
