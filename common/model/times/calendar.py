"""From a date, a time of day and a zone to unix nanoseconds, also where the date has no year.

Everything here is exact integer arithmetic; a date without a year is the newest one that is not in
the future.
"""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final, NamedTuple

from common.model.times.api import INT64_MAX, INT64_MIN

SECOND_NS: Final = 10**9
DAY_S: Final = 86_400
EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
# 29 February comes at least once in eight years (1896 to 1904 was the longest wait)
_YEARS_BACK: Final = 8
# The largest error of a writer's clock; without it the current time could be read as last year's
CLOCK_AHEAD_S: Final = 600


class Moment(NamedTuple):
    """The parts of a date and time in a text. A part that the text does not have is None.

    second: 60 is a leap second.
    offset_s: seconds east of UTC.
    zone: a named zone instead of an offset.
    """

    year: int | None
    month: int | None
    day: int | None
    hour: int = 0
    minute: int = 0
    second: int = 0
    nanos: int = 0
    offset_s: int | None = None
    zone: tzinfo | None = None


class Now(NamedTuple):
    """The context for reading a text without zone or year.

    time_ns: the present, unix ns.
    zone: the zone of times without one.
    ahead_s: seconds after the present up to which such a time counts as past.
    """

    time_ns: int
    zone: tzinfo = UTC
    ahead_s: int = 0


def resolve(moment: Moment, now: Now) -> int | None:
    """Unix nanoseconds; None for what is no date, no time of day, or beyond 64 bits."""
    if moment.hour > 23 or moment.minute > 59 or moment.second > 60:
        return None
    if moment.year is not None:
        return _at(moment, moment.year, moment.month or 1, moment.day or 1, now.zone)
    latest_ns = now.time_ns + now.ahead_s * SECOND_NS
    zone = moment.zone or now.zone
    today = datetime.fromtimestamp(now.time_ns // SECOND_NS, zone).date()
    if moment.month is None:  # a time of day alone: another zone cannot be told from another day
        latest_ns = now.time_ns + min(now.ahead_s, CLOCK_AHEAD_S) * SECOND_NS
        for back in range(-1, 3):
            day = today - timedelta(days=back)
            found = _at(moment, day.year, day.month, day.day, now.zone)
            if found is not None and found <= latest_ns:
                return found
        return None
    for year in range(today.year + 1, today.year - _YEARS_BACK - 1, -1):
        found = _at(moment, year, moment.month, moment.day or 1, now.zone)
        if found is not None and found <= latest_ns:
            return found
    return None


def _at(moment: Moment, year: int, month: int, day: int, zone: tzinfo) -> int | None:
    try:
        days = date(year, month, day).toordinal() - EPOCH_DAY
    except ValueError:
        return None
    seconds = days * DAY_S + moment.hour * 3600 + moment.minute * 60 + moment.second
    if moment.offset_s is not None:
        seconds -= moment.offset_s
    else:
        seconds -= _offset_s(year, month, day, moment, moment.zone or zone)
    found = seconds * SECOND_NS + moment.nanos
    return found if INT64_MIN <= found <= INT64_MAX else None


def _offset_s(year: int, month: int, day: int, moment: Moment, zone: tzinfo) -> int:
    """Of a wall time that comes twice the first counts; one that is skipped goes on by the
    offset before the change.
    """
    if zone is UTC:
        return 0
    try:
        local = datetime(year, month, day, moment.hour, moment.minute, tzinfo=zone)
        offset = local.utcoffset()
    except (ValueError, OverflowError):  # the years 1 and 9999 have no neighbours
        return 0
    return 0 if offset is None else int(offset.total_seconds())
