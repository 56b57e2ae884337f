"""The one reader of times as files hold them: what the API takes, and everything else.

An ambiguous text is never guessed: 05/06/2015 is refused until another value of the same field, or
a given format, shows which part is the month.
"""

import re
from collections.abc import Iterable
from datetime import UTC, tzinfo
from typing import Final

from common.model.times.api import BadTime
from common.model.times.api import parse_time as parse_api_time
from common.model.times.calendar import CLOCK_AHEAD_S, Moment, Now, resolve
from common.model.times.formats import compile_format
from common.model.times.forms import (
    CHARS_MAX,
    FORMS,
    Order,
    parse_form,
    parse_numeric,
    parse_time_alone,
    possible_orders,
)
from common.model.times.minutes import Minutes
from common.model.times.numbers import UNITS, date_of_digits, parse_epoch

# Without a zone the writer's clock may show this much more than UTC: the easternmost zone
ZONE_AHEAD_S: Final = 14 * 3600
# A number in a field that merely has the name of a time is one from 1973 on, else it is a count
_FOUND_DIGITS_MIN: Final = 9
# Ticks of 100 ns since 1601 (Windows) and since the year 1 (.NET), of the years 2001 to 2040: as
# nanoseconds they would be of the first months of 1974 and 1990
_TICKS: Final = (
    range(126_227_808 * 10**9, 138_849_984 * 10**9),
    range(631_139_040 * 10**9, 643_761_216 * 10**9),
)
_JSON_DATE: Final = "/Date("  # how .NET's JSON writes unix milliseconds
_WHOLE = re.compile(r"[+-]?([0-9]+)(?:\.[0-9]*)?")


class TimeReader:
    """Reads times to unix nanoseconds.

    now_ns: the present (unix ns), for times without a year.
    zone: the zone of times without one (None: UTC, and the newest date may be in the future by as
    much as zones differ).
    time_format: a name (epoch_s, epoch_ms, epoch_us, epoch_ns, rfc3339, clf) or a strptime format;
    without it every known form is read.
    order: of numeric dates, as learnt before; `learn` replaces it.

    Raises BadTimeFormat.
    """

    def __init__(
        self,
        now_ns: int,
        zone: tzinfo | None = None,
        time_format: str | None = None,
        order: Order | None = None,
    ) -> None:
        ahead_s = ZONE_AHEAD_S if zone is None else CLOCK_AHEAD_S
        self._now = Now(now_ns, zone or UTC, ahead_s)
        self.order = order
        self._form = FORMS[0]  # the one that was read last: a file has one form
        self._unit = UNITS.get(time_format or "")
        is_named = self._unit is not None or time_format in (None, "rfc3339", "iso8601", "clf")
        self._given = None if is_named or time_format is None else compile_format(time_format)
        self._minutes = Minutes(self._read)

    def read(self, text: str) -> int | None:
        """Unix nanoseconds; None if the text is no time, or an ambiguous one."""
        return self._minutes.read(text.strip()) if len(text) <= CHARS_MAX else None

    def read_found(self, text: str) -> int | None:
        """As `read`, for a field that is not declared a time: small numbers are not times, nor are
        those that may be ticks of another epoch, unless their unit was given.
        """
        number = None if ":" in text else _WHOLE.fullmatch(text.strip())
        if number is not None and date_of_digits(number[1]) is None:
            if len(number[1]) < _FOUND_DIGITS_MIN:
                return None
            if self._unit is None and self._given is None and _are_ticks(number[1]):
                return None
        return self.read(text)

    def learn(self, texts: Iterable[str], *, short_year_first: bool = False) -> None:
        """Infer from values of one field in which order its numeric dates are written.

        short_year_first: where two digits of a year may also stand last, they stand first, as
        loggers write them (15/06/09 10:05:03).
        """
        orders = set(Order)
        for text in texts:
            found = set(possible_orders(text.strip())) if len(text) <= CHARS_MAX else set()
            if found and orders & found:
                orders &= found
        if short_year_first and Order.YMD in orders:
            orders = {Order.YMD}
        if len(orders) == 1 and orders != {self.order}:
            self.order = orders.pop()
            self._minutes.forget()

    def why_not(self, text: str) -> str:
        """Why a text was not read, and what to do."""
        shown = repr(text[:60])
        if self._given is not None or self._unit is not None:
            return f"{shown} is not a time in the given format"
        if len(text) <= CHARS_MAX and len(list(possible_orders(text.strip()))) > 1:
            return (
                f"{shown} may be read in several orders of day, month and year: say which, "
                "for instance --time-format '%d/%m/%Y %H:%M:%S'"
            )
        number = _WHOLE.fullmatch(text.strip())
        if number is not None and _are_ticks(number[1]):
            return f"{shown} may be nanoseconds (--time-format epoch_ns) or ticks of another clock"
        return f"{shown} is not a time that can be read"

    def _read(self, text: str) -> int | None:
        if self._unit is not None:
            return parse_epoch(text, self._unit)
        if self._given is not None:
            found = self._given(text)
            return resolve(found, self._now) if isinstance(found, Moment) else found
        if (moment := parse_form(text, self._form)) is not None:
            return resolve(moment, self._now)
        if (moment := date_of_digits(text)) is not None:
            return resolve(moment, self._now)
        try:
            return parse_api_time(text)
        except BadTime:
            pass
        if text.startswith(_JSON_DATE) and text.endswith(")/"):
            return parse_epoch(re.split(r"[+)]", text[len(_JSON_DATE) :])[0], UNITS["epoch_ms"])
        if (number := parse_epoch(text)) is not None:
            return number
        for form in FORMS:
            if (moment := parse_form(text, form)) is not None:
                self._form = form
                return resolve(moment, self._now)
        moment = self._numeric(text)
        return None if moment is None else resolve(moment, self._now)

    def _numeric(self, text: str) -> Moment | None:
        if self.order is not None:
            return parse_numeric(text, self.order)
        orders = list(possible_orders(text))
        return parse_numeric(text, orders[0]) if len(orders) == 1 else None


def _are_ticks(digits: str) -> bool:
    return len(digits) == 18 and any(int(digits) in span for span in _TICKS)


def is_time_of_day(text: str) -> bool:
    """Whether the text is a time of day without a date (which another field may have)."""
    return len(text) <= CHARS_MAX and parse_time_alone(text.strip()) is not None


def is_date(text: str) -> bool:
    """Whether the text is a date without a time of day."""
    text = text.strip()
    if len(text) > CHARS_MAX or ":" in text:
        return False
    return (
        date_of_digits(text) is not None
        or any(parse_form(text, form) for form in FORMS)
        or any(possible_orders(text))
    )
