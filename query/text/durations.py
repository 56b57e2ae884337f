"""Durations in words: 2h, 1h30m, 1 day, an hour, 2 hours and 30 minutes."""

import re
from datetime import UTC, datetime, tzinfo
from fractions import Fraction
from typing import Final, NamedTuple

_UNIT_S: Final = {
    **dict.fromkeys(("ns", "nanoseconds"), Fraction(1, 10**9)),
    **dict.fromkeys(("us", "µs", "μs", "microseconds"), Fraction(1, 10**6)),
    **dict.fromkeys(("ms", "msec", "millis", "millisecond", "milliseconds"), Fraction(1, 1000)),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), Fraction(1)),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), Fraction(60)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), Fraction(3600)),
    **dict.fromkeys(("d", "day", "days"), Fraction(86_400)),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), Fraction(604_800)),
}
_UNIT_MONTHS: Final = {
    **dict.fromkeys(("mo", "mon", "month", "months"), 1),
    **dict.fromkeys(("quarter", "quarters"), 3),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), 12),
}
UNITS: Final = (*_UNIT_S, *_UNIT_MONTHS)
_PART = re.compile(
    r"\s*(?:and\s+)?([0-9]{1,12}(?:\.[0-9]{1,9})?|\.[0-9]{1,9}|an?\b|one\b|)\s*([a-zµμ]+)", re.ASCII
)
_MINUTE_OR_MONTH = re.compile(r"(?<![0-9A-Za-z.])([0-9]{1,12})\s*M(?![0-9A-Za-z])", re.ASCII)
_CHARS_MAX: Final = 80
YEAR_MIN, YEAR_MAX = 1678, 2261  # their unix nanoseconds fit 64 bits


class Duration(NamedTuple):
    """Seconds, and months of the calendar, which have no fixed length."""

    seconds: Fraction
    months: int = 0

    def seconds_before(self, moment_s: int, zone: tzinfo) -> Fraction:
        """Its length if it ends at this moment. Raises ValueError outside the calendar."""
        if not self.months:
            return self.seconds
        return self.seconds + moment_s - _months_before(moment_s, self.months, zone)

    def before(self, moment_s: int, zone: tzinfo) -> int:
        """Unix seconds of a moment minus this duration. Raises ValueError outside the calendar."""
        return moment_s - int(self.seconds_before(moment_s, zone))


def read_duration(text: str) -> Duration | None:
    """The duration in a text, or None."""
    text = text.strip().lower()
    if not text or len(text) > _CHARS_MAX:
        return None
    seconds, months, at = Fraction(0), 0, 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None or (not found[1] and at > 0):
            return None
        amount = Fraction(1) if not found[1] or found[1][0] in "ao" else Fraction(found[1])
        if found[2] in _UNIT_S:
            seconds += amount * _UNIT_S[found[2]]
        elif found[2] in _UNIT_MONTHS and amount.denominator == 1:
            months += int(amount) * _UNIT_MONTHS[found[2]]
        else:
            return None
        at = found.end()
    return Duration(seconds, months)


def unclear_months(text: str) -> str:
    """A hint for 1M, which may mean a minute or a month; else empty."""
    found = _MINUTE_OR_MONTH.search(text)
    return f"write {found[1]}m for minutes, or {found[1]}mo for months" if found else ""


def _months_before(moment_s: int, months: int, zone: tzinfo) -> int:
    """Same day of the month and time of day; the last day of the month if it is shorter."""
    there = datetime.fromtimestamp(moment_s, UTC).astimezone(zone)
    year, month = divmod(there.year * 12 + there.month - 1 - months, 12)
    if not YEAR_MIN <= year <= YEAR_MAX:
        raise ValueError("out of the calendar")
    for day in range(there.day, 0, -1):
        try:
            return int(there.replace(year=year, month=month + 1, day=day).timestamp())
        except ValueError:
            continue
    raise ValueError("out of the calendar")
