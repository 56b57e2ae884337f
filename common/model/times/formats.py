"""Time formats that a person gives: strptime's directives, and a few that other tools have.

Unlike `datetime.strptime` a format may leave out the year or the date (the newest that is not in
the future is meant, not 1900), `%f` takes nine digits and more, `%z` takes every offset, and names
of months are English whatever the machine's language is.
"""

import re
from collections.abc import Callable
from typing import Final

from common.model.times.calendar import Moment
from common.model.times.forms import (
    MONTHS,
    full_hour,
    full_year,
    nanoseconds,
    of_year,
    with_zone,
)
from common.model.times.numbers import UNITS, parse_epoch

_DIRECTIVES: Final = {
    "Y": r"(?P<Y>\d{4})",
    "y": r"(?P<y>\d\d)",
    "m": r"(?P<m>\d\d?)",
    "d": r"(?P<d> ?\d\d?)",
    "H": r"(?P<H> ?\d\d?)",
    "I": r"(?P<I> ?\d\d?)",
    "M": r"(?P<M>\d\d?)",
    "S": r"(?P<S>\d\d?)",
    "f": r"(?P<f>\d+)",
    "p": r"(?P<p>[ap])\.?m\.?",
    "b": r"(?P<b>[a-z]{3,9})\.?",
    "a": r"[a-z]{3,9}\.?",
    "z": r"(?P<z>z|(?:utc|gmt)?[+-]\d\d?(?::?\d\d){0,2}|utc|gmt)",
    "Z": r"(?P<z>[a-z]+(?:[/_+-][a-z0-9]+)*)",
    "j": r"(?P<j>\d{1,3})",
    "s": r"(?P<s>-?\d+)",
    "%": "%",
    "n": r"\s+",
    "t": r"\s+",
}
_SAME: Final = {"B": "b", "h": "b", "A": "a", "e": "d", "k": "H", "l": "I", "N": "f", "L": "f"} | {
    "P": "p"
}
_LONG: Final = {
    "T": "%H:%M:%S",
    "R": "%H:%M",
    "D": "%m/%d/%y",
    "F": "%Y-%m-%d",
    "r": "%I:%M:%S %p",
    "c": "%a %b %d %H:%M:%S %Y",
    "x": "%m/%d/%y",
    "X": "%H:%M:%S",
}
_DIRECTIVE = re.compile(r"%([-_0^#]?)([3-9]?)(.)", re.DOTALL)
NAMES: Final = (*UNITS, "rfc3339", "clf")


class BadTimeFormat(ValueError):
    """The format is invalid; the text describes valid ones."""


def compile_format(time_format: str) -> Callable[[str], Moment | int | None]:
    """A reader of times in this format; it gives a Moment, or unix nanoseconds for `%s`.

    Raises BadTimeFormat for what is no format.
    """
    if "%" not in time_format:
        raise BadTimeFormat(
            f"unknown time format {time_format!r}: one of {', '.join(NAMES)}, or a strptime format "
            f"such as '%d.%m.%Y %H:%M:%S'{_looks_like_java(time_format)}"
        )
    pattern = _pattern(time_format)

    def read(text: str) -> Moment | int | None:
        found = pattern.fullmatch(text)
        return None if found is None else _read(found.groupdict())

    return read


def _pattern(time_format: str) -> re.Pattern[str]:
    for short, long in _LONG.items():
        time_format = re.sub(rf"(?<!%)((?:%%)*)%{short}", rf"\1{long}", time_format)
    parts: list[str] = []
    seen: set[str] = set()
    at = 0
    for found in _DIRECTIVE.finditer(time_format):
        parts.append(_literal(time_format[at : found.start()]))
        letter = _SAME.get(found[3], found[3])
        if letter not in _DIRECTIVES:
            raise BadTimeFormat(
                f"time format {time_format!r}: %{found[3]} is not known; known are "
                + " ".join(f"%{name}" for name in sorted({*_DIRECTIVES, *_SAME, *_LONG}))
            )
        group = {"Z": "z"}.get(letter, letter)
        if group in seen and group not in "a%nt":
            raise BadTimeFormat(f"time format {time_format!r} has %{found[3]} twice")
        seen.add(group)
        parts.append(_DIRECTIVES[letter])
        at = found.end()
    rest = time_format[at:]
    if rest.endswith("%"):
        raise BadTimeFormat(f"time format {time_format!r} ends with a lone %")
    parts.append(_literal(rest))
    _check(time_format, seen)
    return re.compile("".join(parts), re.ASCII | re.IGNORECASE)


def _check(time_format: str, seen: set[str]) -> None:
    if not seen & set("YymdbjHIMSs"):
        raise BadTimeFormat(f"time format {time_format!r} names no part of a time")
    has_month, has_day = bool(seen & set("mbj")), bool(seen & set("dj"))
    if "s" not in seen and has_day and not has_month:
        raise BadTimeFormat(f"time format {time_format!r} has a day, but no month (%m or %b)")
    if "I" in seen and "p" not in seen:
        raise BadTimeFormat(f"time format {time_format!r} has %I, but no %p: use %H, or add %p")


def _literal(text: str) -> str:
    """A blank matches any number of blanks, as in C."""
    return re.sub(r"(?:\\\s|\s)+", r"\\s+", re.escape(text))


def _looks_like_java(text: str) -> str:
    if re.search(r"yy|MM|dd|HH|mm|ss", text):
        return " (yyyy is %Y, MM %m, dd %d, HH %H, mm %M, ss %S, SSS %f)"
    return ""


def _read(parts: dict[str, str | None]) -> Moment | int | None:
    get = parts.get

    def number(name: str) -> int | None:
        text = get(name)
        return int(text) if text else None

    if seconds := get("s"):
        fraction = get("f")
        return parse_epoch(f"{seconds}.{fraction}" if fraction else seconds, 10**9)
    name, year_text = get("b"), get("Y") or get("y")
    month = MONTHS.get(name.lower()) if name else number("m")
    if name and month is None:
        return None
    year = full_year(year_text) if year_text else None
    day = number("d")
    if yearday := number("j"):
        found = None if year is None else of_year(year, yearday)
        if found is None:
            return None
        month, day = found
    if month == 0 or day == 0:
        return None
    hour: int | None = number("H")
    if get("I") is not None:
        hour = full_hour(number("I") or 0, get("p"))
        if hour is None:
            return None
    moment = Moment(
        year, month, day, hour or 0, number("M") or 0, number("S") or 0, nanoseconds(get("f"))
    )
    return with_zone(moment, get("z"))
