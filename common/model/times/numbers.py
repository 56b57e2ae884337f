"""Unix times as numbers in files: the unit is given or follows from the number of digits.

The API takes up to 10, 13, 16 and 19 digits. Files hold times before 2001 too: a millisecond of
2000 has 12 digits, a microsecond 15, a nanosecond 18. Dates written as digits alone (20150501,
20150501123000) come before the units, as no log holds the moments of 1970 that they would be.
"""

import re
from typing import Final

from common.model.times.api import INT64_MAX, INT64_MIN
from common.model.times.calendar import SECOND_NS, Moment

UNITS: Final = {"epoch_s": SECOND_NS, "epoch_ms": 10**6, "epoch_us": 10**3, "epoch_ns": 1}
_NUMBER = re.compile(r"([+-]?)([0-9]{1,40})(?:\.([0-9]{0,40}))?(?:[eE]([+-]?[0-9]{1,3}))?")
_EXPONENT_MAX: Final = 60  # keeps the arithmetic small; far beyond 64 bits
# years that a date of digits alone may have; other numbers of 8 and more digits are unix times
_YEARS: Final = range(1900, 2101)


def unit_ns(digits: int) -> int | None:
    """Nanoseconds of the unit of a unix time with this number of whole digits."""
    if digits <= 10:
        return SECOND_NS
    if digits <= 13:
        return 10**6
    if digits <= 16:
        return 10**3
    return 1 if digits <= 19 else None


def parse_epoch(text: str, unit: int | None = None) -> int | None:
    """Unix nanoseconds of a decimal number, exact (digits beyond the nanosecond are cut off).

    Without a unit, it follows from the value's whole digits, for 1e9 and 1.7e18 too.
    """
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    sign, digits, fraction, exponent = found.groups()
    fraction = fraction or ""
    shift = int(exponent or 0) - len(fraction)
    if abs(shift) > _EXPONENT_MAX:
        return None
    value = int(digits + fraction)
    whole = len(str(value)) + shift if value else 1
    unit = unit or unit_ns(whole)
    if unit is None:
        return None
    scaled = value * unit
    time_ns = scaled * 10**shift if shift >= 0 else scaled // 10**-shift
    time_ns = -time_ns if sign == "-" else time_ns
    return time_ns if INT64_MIN <= time_ns <= INT64_MAX else None


def date_of_digits(text: str) -> Moment | None:
    """A date, or date and time of day, of digits alone: 20150501, 201505011230, 20150501123000."""
    if len(text) not in (8, 12, 14, 17) or not (text.isascii() and text.isdigit()):
        return None
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:8])
    if year not in _YEARS or not 1 <= month <= 12 or not 1 <= day <= 31:
        return None
    hour, minute, second = (int(text[at : at + 2] or 0) for at in (8, 10, 12))
    if hour > 23 or minute > 59 or second > 60:
        return None
    return Moment(year, month, day, hour, minute, second, int(text[14:17] or 0) * 10**6)
