"""Where an event's own time is and how it is written.

Read: RFC 3339 and ISO 8601 (a blank for the T, a comma for the point; without a zone it is UTC),
epochs in s, ms, us or ns (told apart by their digits), access-log dates, or a given format.
Times are unix nanoseconds, exact to the last digit given.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

CANDIDATES = (
    "time", "timestamp", "@timestamp", "ts", "datetime", "date", "event_time", "eventtime",
    "_time", "start_time", "created_at", "t",
)  # fmt: skip
_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9})\d*)?)?"
    r"\s*([Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_CLF = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})", re.ASCII)
_EPOCH = re.compile(r"(-?\d{1,19})(?:\.(\d{1,18}))?", re.ASCII)
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)
_UNIT_BY_DIGITS = {10: 10**9, 13: 10**6, 16: 10**3, 19: 1}
_UNITS = {"epoch_s": 10**9, "epoch_ms": 10**6, "epoch_us": 10**3, "epoch_ns": 1}
_NS_MIN, _NS_MAX = -(2**63), 2**63 - 1
Reader = Callable[[str], int | None]


def parse_time(text: str) -> int | None:
    """Unix nanoseconds of a time in any of the known forms, None if it is in none of them."""
    text = text.strip()
    for read in (parse_iso, parse_clf, parse_epoch):
        found = read(text)
        if found is not None:
            return found
    return None


def parse_iso(text: str) -> int | None:
    """RFC 3339, ISO 8601 with a blank, a date alone."""
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    seconds = int(second or 0)
    leap = seconds == 60  # a leap second is the first instant after it
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0),
            59 if leap else seconds, tzinfo=_zone(zone),
        )  # fmt: skip
    except ValueError:
        return None
    return _in_range(_ns(moment) + leap * 10**9 + int((fraction or "0").ljust(9, "0")))


def parse_clf(text: str) -> int | None:
    """The date of an access log: 17/May/2015:10:05:03 +0000."""
    match = _CLF.fullmatch(text)
    if match is None or match[2] not in _MONTHS:
        return None
    try:
        moment = datetime(
            int(match[3]), _MONTHS[match[2]], int(match[1]),
            int(match[4]), int(match[5]), int(match[6]), tzinfo=_zone(match[7]),
        )  # fmt: skip
    except ValueError:
        return None
    return _ns(moment)


def parse_epoch(text: str, unit_ns: int | None = None) -> int | None:
    """An epoch. Without a unit its whole digits must be 10, 13, 16 or 19 (9 with a fraction)."""
    match = _EPOCH.fullmatch(text)
    if match is None:
        return None
    whole, fraction = match[1], match[2] or ""
    unit = unit_ns or _UNIT_BY_DIGITS.get(len(whole.lstrip("-")))
    if unit is None:
        return None
    part = int(fraction.ljust(18, "0")) * unit // 10**18 if fraction else 0
    return _in_range(int(whole) * unit + (-part if whole.startswith("-") else part))


def reader_for(time_format: str | None) -> Reader:
    """How to read times: a name (epoch_s, epoch_ms, epoch_us, epoch_ns, rfc3339, clf), a strptime
    format, or None for every known form. Raises ValueError for a format that is none of these.
    """
    if time_format is None:
        return parse_time
    if time_format in _UNITS:
        unit = _UNITS[time_format]
        return lambda text: parse_epoch(text.strip(), unit)
    if time_format in ("rfc3339", "iso8601"):
        return lambda text: parse_iso(text.strip())
    if time_format == "clf":
        return lambda text: parse_clf(text.strip())
    if "%" not in time_format:
        raise ValueError(
            f"unknown time format {time_format!r}: one of {', '.join(_UNITS)}, rfc3339, clf, or "
            "a strptime format such as '%d.%m.%Y %H:%M:%S'"
        )

    def read(text: str) -> int | None:
        try:
            moment = datetime.strptime(text.strip(), time_format)
        except ValueError:
            return None
        return _ns(moment if moment.tzinfo else moment.replace(tzinfo=UTC))

    return read


def format_time(time_ns: int) -> str:
    """RFC 3339 in UTC with nine digits."""
    seconds, fraction = divmod(time_ns, 10**9)
    moment = _EPOCH_START + timedelta(seconds=seconds)
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S').zfill(19)}.{fraction:09d}Z"


def _zone(text: str | None) -> timezone:
    if not text or text.upper() in ("Z", "UTC", "GMT"):
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _ns(moment: datetime) -> int:
    since = moment - _EPOCH_START
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000


def _in_range(time_ns: int) -> int | None:
    return time_ns if _NS_MIN <= time_ns <= _NS_MAX else None
