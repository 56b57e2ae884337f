"""Times after SINCE, UNTIL and BETWEEN.

Words (yesterday, monday, 2h ago, now-1d, 12:30) are parsed here, dates and unix times by
`common.model.times`. A time without a zone is in the caller's zone; a time of day alone is the last
one before now. Ranges are whole seconds: a start is rounded down, an end up.
"""

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, NamedTuple

from common.model.times.zones import UnknownZone, named_zone
from query.text.durations import UNITS, YEAR_MAX, YEAR_MIN, read_duration, unclear_months
from query.tokens.near import near_words

_SECOND_NS: Final = 10**9
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_WORDS: Final = {"today": 0, "midnight": 0, "yesterday": 1, "tomorrow": -1}
_TIME_OF_DAY = re.compile(
    r"([0-9]{1,2})(?::([0-9]{2}))?(?::([0-9]{2})(?:[.,][0-9]+)?)?\s*([ap]m)?", re.ASCII
)
_NOW = re.compile(r"now\(?\)?\s*(?:([+-])\s*(.+))?", re.DOTALL)
_YEAR = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?", re.ASCII)
_UNCLEAR = re.compile(r"[0-9]{1,2}([/.-])[0-9]{1,2}\1[0-9]{2,4}\b", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_EPOCH_DIGITS_MIN: Final = 8  # a smaller number is more likely a slip than a time in 1970
_ALL_WORDS: Final = (
    *("NOW", "TODAY", "YESTERDAY", "TOMORROW", "MIDNIGHT", "NOON", "AGO"),
    *(day.upper() for day in _DAYS),
    *(unit.upper() for unit in UNITS if len(unit) > 2),
)
HINT: Final = (
    "write 2h, 2 days ago, yesterday, monday, 12:30, 2026-01-31, 2026-01-31T12:00:00Z or unix time"
)


class InvalidTime(ValueError):
    """A text that cannot be read as a time. hint: what to write instead."""

    def __init__(self, why: str = "expected a time", hint: str = HINT) -> None:
        super().__init__(why)
        self.hint = hint


class ReferenceTime(NamedTuple):
    """The present time, and the zone for times without a zone."""

    now_ns: int
    zone: tzinfo = UTC

    @property
    def now_s(self) -> int:
        """Unix seconds."""
        return self.now_ns // _SECOND_NS

    @property
    def local(self) -> datetime:
        """The present date and time in the zone."""
        return datetime.fromtimestamp(self.now_s, UTC).astimezone(self.zone)


def read_moment(text: str, present: ReferenceTime, *, round_up: bool = False) -> int:
    """Unix seconds of the time in the text. Raises InvalidTime."""
    text = " ".join(text.split())
    if hint := unclear_months(text):
        raise InvalidTime("M may be minutes or months", hint)
    try:
        found = _in_words(text.lower(), present)
        if found is not None:
            return found
        time_ns = _absolute(text, present)
    except (OverflowError, ValueError) as error:
        if isinstance(error, InvalidTime):
            raise
        raise InvalidTime(f"this is outside the years {YEAR_MIN} to {YEAR_MAX}") from None
    if time_ns is None:
        words = [w for w in re.findall(r"[a-z]+", text.lower()) if w.upper() not in _ALL_WORDS]
        near = next((n for w in words for n in near_words(w, _ALL_WORDS)), None)
        raise InvalidTime(hint=f"did you mean {near.lower()}?" if near else HINT)
    return -(-time_ns // _SECOND_NS) if round_up else time_ns // _SECOND_NS


def _in_words(text: str, present: ReferenceTime) -> int | None:
    now = _NOW.fullmatch(text)
    if now is not None:
        return present.now_s if now[1] is None else _from_now(now[2], now[1], present)
    ago = text.removesuffix(" ago").removeprefix("-").strip()
    if not _DIGITS.fullmatch(ago):
        length = read_duration(ago)
        if length is not None:
            if ago.isalpha() and ago == text:
                raise InvalidTime(hint=f"did you mean 1 {ago} ago, or LAST 1 {ago}?")
            return length.before(present.now_s, present.zone)
    return _of_a_day(text, present)


def _from_now(rest: str, sign: str, present: ReferenceTime) -> int:
    length = read_duration(rest)
    if length is None:
        raise InvalidTime(hint="write now-2h")
    if sign == "-":
        return length.before(present.now_s, present.zone)
    return present.now_s + int(length.seconds)


def _of_a_day(text: str, present: ReferenceTime) -> int | None:
    """yesterday, monday, last monday at 12:30, 9am, noon."""
    first, _, rest = text.removeprefix("last ").partition(" ")
    today = present.local.date()
    weekday = next((i for i, day in enumerate(_DAYS) if first in (day, day[:3])), None)
    if weekday is not None:
        back = (today.weekday() - weekday) % 7
        if text.startswith("last ") and back == 0:
            back = 7
        day = today - timedelta(days=back)
    elif first in _DAY_WORDS:
        day = today - timedelta(days=_DAY_WORDS[first])
    else:
        clock = _time_of_day(text)
        if clock is None:
            return None
        found = _at(today, clock, present.zone)
        if found > present.now_s:  # the last one before now
            found = _at(today - timedelta(days=1), clock, present.zone)
        return found
    clock = _time_of_day(rest.removeprefix("at ")) if rest else time()
    return None if clock is None else _at(day, clock, present.zone)


def _at(day: date, clock: time, zone: tzinfo) -> int:
    return int(datetime.combine(day, clock, zone).timestamp())


def _time_of_day(text: str) -> time | None:
    """12:30, 12:30:05, 9am, 2:30 pm, noon, midnight; None for any other text."""
    if text in ("noon", "midnight"):
        return time(12 if text == "noon" else 0)
    found = _TIME_OF_DAY.fullmatch(text.removeprefix("at "))
    if found is None or (found[2] is None and found[4] is None):
        return None
    hour, minute, second = (int(part or 0) for part in found.group(1, 2, 3))
    if found[4] is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found[4] == "pm" else 0)
    return time(hour, minute, second) if hour < 24 and minute < 60 and second < 60 else None


def _absolute(text: str, present: ReferenceTime) -> int | None:
    year = _YEAR.fullmatch(text)
    if year is not None and YEAR_MIN <= int(year[1]) <= YEAR_MAX:
        month = int(year[2] or 1)
        if not 1 <= month <= 12:
            return None
        return _at(date(int(year[1]), month, 1), time(), present.zone) * _SECOND_NS
    number = text.removeprefix("-")
    if _DIGITS.fullmatch(number) and len(number) < _EPOCH_DIGITS_MIN and int(number):
        raise InvalidTime(
            "this would be a moment of 1970",
            f"write a length with its unit ({number}m, {number}h, {number}d), or a date",
        )
    if _UNCLEAR.match(text) and _in_file_format(text, present.now_ns, present.zone) is None:
        raise InvalidTime(
            "which number is the day, and which the month?", "write year-month-day: 2026-01-31"
        )
    zone, rest = present.zone, text
    before, _, last = text.rpartition(" ")
    if before and ("/" in last or last.isalpha()):  # 2026-01-31 12:00 Europe/Berlin
        with suppress(UnknownZone):  # an abbreviation, or part of a form: May 5 2015
            zone, rest = named_zone(last), before
    return _in_file_format(rest, present.now_ns, zone)


def _in_file_format(text: str, now_ns: int, zone: tzinfo) -> int | None:
    """Unix ns of a time in one of the formats of data files; None for any other text."""
    from common.model.times.reader import (
        TimeReader,  # slow to import, and few queries have a date
    )

    return TimeReader(now_ns, zone).read(text)
