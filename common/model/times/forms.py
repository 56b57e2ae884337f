"""The forms of dates in files, each a pattern whose groups are named after what they hold.

Numeric dates whose form does not show their order (05/06/2015) are read in the given order;
`possible_orders` returns the orders that a text allows.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from common.model.times.calendar import Moment
from common.model.times.zones import UnknownZone, named_zone, offset_s

_MONTH_NAMES: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
MONTHS: Final = (
    {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
    | {name[:3]: number for number, name in enumerate(_MONTH_NAMES, 1)}
    | {"sept": 9}
)
# two digits of a year: 69 to 99 are of the last century, as POSIX reads them
_CENTURY_TURN: Final = 69
CHARS_MAX: Final = 100  # longer than any of these forms


class Order(StrEnum):
    """In which order a numeric date has its parts."""

    DMY = "dmy"
    MDY = "mdy"
    YMD = "ymd"


_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6},?\s+)?"
_MONTH = r"(?P<name>[a-z]{3,9})\.?"
_YEAR = r"(?P<year>\d{4})"
_ANY_YEAR = r"(?P<year>\d{4}|\d\d)"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_CLOCK = (
    r"(?P<hour>\d{1,2})(?P<colon>[:.])(?P<minute>\d\d)"
    r"(?:(?P=colon)(?P<second>\d\d)(?:[.,:](?P<fraction>\d+))?)?"
    r"(?:\s*(?P<half>[ap])\.?m\.?)?"
)
_ZONE_NAME = r"[a-z]+(?:[/_+-][a-z0-9]+)*"
# `+0200`, `Z`, `GMT+0100 (a name)`, `+0000 UTC m=+0.01` of Go, `+01:00[Europe/Berlin]` of Java
_ZONE = (
    r"(?:\s*(?P<zone>z|(?:utc|gmt)?\s*[+-]\d\d?(?::?\d\d){0,2}|"
    rf"(?<![a-z])(?!am\b|pm\b){_ZONE_NAME})"
    r"(?:\s+[a-z]{1,5})?(?:\s*[(\[][^)\]]*[)\]])?(?:\s+m=[+-][0-9.]+)?)?"
)
_GAP = r"(?:\s+at\s+|\s*,\s*|\s+-\s+|[\sT_:-]\s*)"
_TIME = rf"(?:{_GAP}{_CLOCK}{_ZONE})?"
_NEEDED_TIME = rf"{_GAP}{_CLOCK}{_ZONE}"
_TEXTS: Final = (
    # 2015-05-17T10:05:03.123Z, 2015/05/17 10:05, 2015.05.17
    rf"{_YEAR}(?P<dash>[-/.])(?P<month>\d{{1,2}})(?P=dash)(?P<day>\d{{1,2}}){_TIME}",
    # 20150517T100503.123Z, 20150517 10:05:03
    r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)[T _-]?"
    r"(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?(?:[.,](?P<fraction>\d+))?" + _ZONE,
    rf"(?P<year>\d{{4}})(?P<month>\d\d)(?P<day>\d\d){_TIME}",
    # 17.05.2015 10:05, 17.5.15
    rf"(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.{_ANY_YEAR}{_TIME}",
    # 17/May/2015:10:05:03 +0000, 17-May-15 10:05, Sun, 17 May 2015 10:05:03 GMT
    rf"{_WEEKDAY}{_DAY}(?:[-/]|\s+(?:of\s+)?){_MONTH}(?:[-/]|,?\s+){_ANY_YEAR}{_TIME}",
    # May 17, 2015 10:05:03 AM, Sun May 17 2015 10:05:03 GMT+0200 (a name)
    rf"{_WEEKDAY}{_MONTH}[ -]\s*{_DAY}(?:,\s*|[ -]\s*){_YEAR}{_TIME}",
    # Sun May 17 10:05:03.123456 2015, Sun May 17 10:05:03 UTC 2015
    rf"{_WEEKDAY}{_MONTH}\s+{_DAY}\s+{_CLOCK}{_ZONE}\s+{_YEAR}",
    # 2015 May 17 10:05:03, 2015-May-17
    rf"{_YEAR}[- ]{_MONTH}[- ]\s*{_DAY}{_TIME}",
    # without a year: May 17 10:05:03, Sun May 17 10:05:03, 17 May 10:05
    rf"{_WEEKDAY}{_MONTH}\s+{_DAY}{_NEEDED_TIME}",
    rf"{_WEEKDAY}{_DAY}(?:[-/]|\s+){_MONTH}{_NEEDED_TIME}",
    # 05-17 10:05:03.123 (Android), 0517 10:05:03.123456 (glog)
    rf"(?P<month>\d\d)-?(?P<day>\d\d) {_CLOCK}{_ZONE}",
    # 150517 100503, 150517 10:05:03 (two digits of the year)
    r"(?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d)[ T](?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)"
    r"(?:[.,](?P<fraction>\d+))?",
    rf"(?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d) +{_CLOCK}{_ZONE}",
    # 2015-137T10:05:03, a day of the year
    rf"{_YEAR}-(?P<yearday>\d{{3}}){_TIME}",
)
FORMS: Final = [re.compile(text, re.ASCII | re.IGNORECASE) for text in _TEXTS]
# 05/17/2015, 17-05-2015, 15/05/17: the order is ambiguous
_NUMERIC = re.compile(
    rf"(?P<a>\d{{1,4}})(?P<dash>[-/])(?P<b>\d{{1,2}})(?P=dash)(?P<c>\d{{4}}|\d\d){_TIME}",
    re.ASCII | re.IGNORECASE,
)
_TIME_ALONE = re.compile(rf"{_CLOCK}{_ZONE}", re.ASCII | re.IGNORECASE)
_PLACES: Final = {Order.DMY: "cba", Order.MDY: "cab", Order.YMD: "abc"}  # of year, month, day


def parse_form(text: str, form: re.Pattern[str]) -> Moment | None:
    """A date, or date and time, in one of FORMS, which fix the order of its parts."""
    found = form.fullmatch(text)
    return None if found is None else _moment(found.groupdict())


def parse_numeric(text: str, order: Order) -> Moment | None:
    """A numeric date in a given order, with or without a time of day."""
    found = _NUMERIC.fullmatch(text)
    if found is None:
        return None
    parts = found.groupdict()
    for part, group in zip(("year", "month", "day"), _PLACES[order], strict=True):
        parts[part] = parts[group]
    if len(parts["month"] or "") > 2 or len(parts["day"] or "") > 2 or len(parts["year"] or "") < 2:
        return None
    moment = _moment(parts)
    if moment is None or not (1 <= (moment.month or 0) <= 12 and 1 <= (moment.day or 0) <= 31):
        return None
    return moment


def possible_orders(text: str) -> Iterator[Order]:
    """The orders in which the text is a date; none if it is no such date."""
    return (order for order in Order if parse_numeric(text, order) is not None)


def parse_time_alone(text: str) -> Moment | None:
    """A time of day without a date."""
    found = _TIME_ALONE.fullmatch(text)
    return None if found is None else _moment(found.groupdict())


def full_year(text: str) -> int:
    """A year; of two digits it is 1969 to 2068."""
    year = int(text)
    if len(text) > 2:
        return year
    return year + (1900 if year >= _CENTURY_TURN else 2000)


def nanoseconds(fraction: str | None) -> int:
    """Nanoseconds of a second's fraction digits; digits after the ninth are cut off."""
    return int(fraction[:9].ljust(9, "0")) if fraction else 0


def full_hour(hour: int, half: str | None) -> int | None:
    """The hour of a clock with or without am and pm."""
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        return None
    return hour % 12 + (12 if half in "pP" else 0)


def _moment(parts: dict[str, str | None]) -> Moment | None:
    get = parts.get
    name, year_text = get("name"), get("year")
    month = MONTHS.get(name.lower()) if name else _int(get("month"))
    if name and month is None:
        return None
    year = full_year(year_text) if year_text else None
    day = _int(get("day"))
    if get("yearday") and year is not None:
        found = of_year(year, int(get("yearday") or 0))
        if found is None:
            return None
        month, day = found
    hour = full_hour(int(get("hour") or 0), get("half"))
    if hour is None:
        return None
    moment = Moment(
        year, month, day, hour, int(get("minute") or 0), int(get("second") or 0),
        nanoseconds(get("fraction")),
    )  # fmt: skip
    return with_zone(moment, get("zone"))


def _int(text: str | None) -> int | None:
    return int(text) if text else None


def of_year(year: int, yearday: int) -> tuple[int, int] | None:
    """Month and day of a day of the year, None if the year has no such day."""
    if not 1 <= yearday <= 366 or year < 1:
        return None
    found = date(year, 1, 1) + timedelta(days=yearday - 1)
    return (found.month, found.day) if found.year == year else None


def with_zone(moment: Moment, zone: str | None) -> Moment | None:
    """The moment in the zone that a text named; None for a zone that is not known."""
    if not zone:
        return moment
    offset = offset_s(zone)
    if offset is not None:
        return moment._replace(offset_s=offset)
    try:
        return moment._replace(zone=named_zone(zone))
    except UnknownZone:
        return None
