"""Finds an event's own time: named by the user, beside the data, or in a field called so.

A field that is called a time and cannot be read refuses the event, with what to do: an event that
is silently stored at its arrival cannot be found again among those of its time.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from bellwether.send.event import Members, Parsed
from bellwether.send.prepare.flatten import members
from common.model.times.api import INT64_MAX, INT64_MIN, format_rfc3339, was_never_set
from common.model.times.forms import Order
from common.model.times.reader import TimeReader, is_date, is_time_of_day
from common.model.times.zones import read_zone
from common.scan.json_tokens import TokenKind

# In the order of the search. Those of the second list also name other things, so
# that one which cannot be read is passed over.
_NAMES = (
    "time", "timestamp", "@timestamp", "ts", "datetime", "date_time", "event_time", "eventtime",
    "_time", "@t", "log_time", "logtime", "asctime", "time_local", "time_iso8601", "timestamp_ms",
    "timestamp_us", "timestamp_ns", "time_ms", "time_us", "time_ns", "ts_ms", "ts_us", "ts_ns",
    "timemillis", "time_unix_nano", "timeunixnano", "__realtime_timestamp",
    "timecreated", "timegenerated", "time generated", "date and time", "date/time", "date time",
)  # fmt: skip
_LOOSE_NAMES = (
    "date", "start_time", "starttime", "created_at", "createdat", "occurred_at", "created", "epoch",
    "unixtime", "unix_time", "t", "instant",
)  # fmt: skip
_RANKS = {name: rank for rank, name in enumerate((*_NAMES, *_LOOSE_NAMES))}
_MS_NS = 10**6
_SECOND_NS = 10**9
_MONGO = "$date"  # {"ts": {"$date": ...}}: a date of MongoDB's, in its logs and exports
# A moment in two numbers: protobuf, Log4j, Firestore
_SECONDS_AND_NANOS = (
    ("seconds", "nanos"), ("epochSecond", "nanoOfSecond"), ("_seconds", "_nanoseconds"),
)  # fmt: skip
_DATE_NAMES = ("date", "day", "log_date", "logdate", "date_local")
_TIME_NAMES = ("time", "time_of_day", "log_time", "logtime", "time_local")


class NoTime(ValueError):
    """The event has no time that can be read; the text has the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class TimeChoices:
    """The user's options for times.

    fields: the field that holds the time, or two that hold date and time of day. zone: where times
    without a zone were written. at_arrival: an event whose time cannot be read is stored at its
    arrival. Raises ValueError for a format or zone that is none.
    """

    fields: tuple[str, ...] = ()
    time_format: str | None = None
    zone: str | None = None
    at_arrival: bool = False

    def __post_init__(self) -> None:
        self.reader(0)

    def reader(self, now_ns: int, order: Order | None = None) -> TimeReader:
        """A reader of times as they were chosen."""
        zone = None if self.zone is None else read_zone(self.zone)
        return TimeReader(now_ns, zone, self.time_format, order)


class OwnTime(NamedTuple):
    """time_ns: None to store the event at its arrival; source: where the time was."""

    time_ns: int | None
    source: str


_ARRIVAL = OwnTime(None, "")


def _own(time_ns: int, source: str) -> OwnTime:
    """To the store, 1970-01-01T00:00:00Z is a time that was never set."""
    return OwnTime(time_ns, source) if time_ns else _ARRIVAL


class TimeFinder:
    """Finds the time of each event of one load. now_ns: for times without a year; order: of numeric
    dates, as it was learnt before.
    """

    def __init__(self, choices: TimeChoices, now_ns: int, order: Order | None = None) -> None:
        self._choices = choices
        self._reader = choices.reader(now_ns, order)
        self._names: tuple[str, ...] = ()  # the last event's names, and what was found in them
        self._candidates: tuple[tuple[str, ...], ...] = ()

    @property
    def order(self) -> Order | None:
        """In which order numeric dates are written, as far as that was learnt."""
        return self._reader.order

    def learn(self, sample: Iterable[tuple[Parsed, Members]]) -> None:
        """See from the first events in which order their numeric dates are written."""
        written: list[str] = []
        is_line = False
        for item, values in sample:
            if self._choices.fields or item.time is None:
                fields = [self._choices.fields] if self._choices.fields else self._found_in(values)
                texts = (_joined(values, names, b"") for names in fields)
                written += [text for text in texts if text]
            else:
                is_line = is_line or item.members is not None
                written.append(str(item.time))
        self._reader.learn(written, short_year_first=is_line)

    def find(self, item: Parsed, values: Members) -> OwnTime:
        """The event's time. Raises NoTime."""
        try:
            if self._choices.fields:
                return self._named(self._choices.fields, item, values)
            if item.time is not None:
                return self._beside(item)
            return self._called_so(item, values)
        except NoTime:
            if self._choices.at_arrival:
                return _ARRIVAL
            raise

    def _named(self, names: tuple[str, ...], item: Parsed, values: Members) -> OwnTime:
        text = _joined(values, names, item.data)
        if text is None or is_absent(text):
            missing = next((name for name in names if name not in values), names[0])
            raise NoTime(
                f"the time field {missing!r} is missing: --arrival-time stores such events at "
                "their arrival"
            )
        return _own(self._read(text, "+".join(names)), "+".join(names))

    def _beside(self, item: Parsed) -> OwnTime:
        text = str(item.time)
        if is_absent(text):
            return _ARRIVAL
        source = "the envelope" if item.members is None else "the line"
        return _own(self._read(text, source), source)

    def _called_so(self, item: Parsed, values: Members) -> OwnTime:
        unread: tuple[str, str] | None = None
        for names in self._found_in(values):
            text = _joined(values, names, item.data)
            if text is None or is_absent(text):
                continue
            found = self._reader.read_found(text)
            if found is not None:
                return _own(found, "+".join(names))
            if unread is None and names[0].lower() in _NAMES:
                unread = names[0], text
        if unread is not None:
            raise NoTime(f"{unread[0]}: {self._reader.why_not(unread[1])}: {_REMEDY}")
        return _ARRIVAL

    def _read(self, text: str, source: str) -> int:
        found = self._reader.read(text)
        if found is None:
            raise NoTime(f"{source}: {self._reader.why_not(text)}: {_REMEDY}")
        return found

    def _found_in(self, values: Members) -> tuple[tuple[str, ...], ...]:
        """The fields, or pairs of a date and a time of day, that may hold the time, in order."""
        names = tuple(values)
        if names == self._names:  # the rows of a table, and most documents
            pair = next((found for found in self._candidates if len(found) == 2), None)
            if pair is None or _is_pair(values, pair):
                return self._candidates
        self._names, self._candidates = names, tuple(_candidates(values))
        return self._candidates


_REMEDY = (
    "say how it is written (--time-format), which field it is in (--time-field), or store such "
    "events at their arrival (--arrival-time)"
)


# What stands in a time's place where there is none: databases, pandas, Python, spreadsheets
_NO_TIME = frozenset(("null", "none", "nil", "nat", "nan", "n/a", "na", "\\n", "-"))
_FIRST_ABSENT = "1nN\\"  # how such texts begin, if they begin with more than a digit 0 or a sign
# Year 1 as .NET prints it (01/01/0001 00:00:00), dates of zeros, and numbers that are zero
_ZERO = re.compile(
    r"0?1([/.])0?1\1(?:0001)(?: (?:12:00:00 AM|0?0:00:00))?|0000-00-00.{0,20}|[0.-]+"
    r"|/Date\((?:-62135596800000|0)(?:[+-]\d{4})?\)/"
)


def is_absent(text: str) -> bool:
    """Whether a text in place of a time means that there is none: empty, a word like `null`, zero,
    or the year 1, which is how Go and .NET write a time that was never set.
    """
    first = text[:1]
    if first > "0" and (first not in _FIRST_ABSENT or (first == "1" and text[1:2] not in "./")):
        return False  # nearly all, decided quickly
    text = text.strip()
    return (
        text.lower() in _NO_TIME
        or was_never_set(text)
        or text.startswith("0001-01-01")
        or _ZERO.fullmatch(text) is not None
    )


def _candidates(values: Members) -> Iterator[tuple[str, ...]]:
    lower: dict[str, str] = {}
    for name in values:
        lower.setdefault(name.lower().removesuffix(f".{_MONGO}"), name)
    days = [lower[name] for name in _DATE_NAMES if name in lower]
    clocks = [lower[name] for name in _TIME_NAMES if name in lower]
    yield from ((day, at) for day in days for at in clocks if _is_pair(values, (day, at)))
    known = sorted((_RANKS[low], name) for low, name in lower.items() if low in _RANKS)
    yield from ((name,) for _, name in known)


def _is_pair(values: Members, names: tuple[str, ...]) -> bool:
    day, clock = (values.get(name) for name in names)
    return (
        isinstance(clock, str)
        and isinstance(day, str | int)
        and is_time_of_day(clock)
        and is_date(str(day))
    )


def _joined(values: Members, names: tuple[str, ...], data: bytes) -> str | None:
    """The text of a field, or of two with a blank between them; None if one is absent."""
    if len(names) == 1:
        return _text(values, names[0], data)
    texts = [_text(values, name, data) for name in names]
    return None if None in texts else " ".join(text for text in texts if text)


def _text(values: Members, name: str, data: bytes) -> str | None:
    """A value as it is written. A double would have lost the nanoseconds of a long number."""
    value = values.get(name)
    if value is None:
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return _in_object(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return _exact(name, value, data) if data else repr(value)
    return orjson.dumps(value).decode()  # a number as it is written, or what is no time


def _in_object(value: dict[str, object]) -> str:
    """The time that an object is known to stand for, else its text, which is none."""
    date = value.get(_MONGO)
    if isinstance(date, dict):
        date = date.get("$numberLong")
    if isinstance(date, str) and not date.lstrip("-").isdecimal():
        return date
    if isinstance(date, str | int) and INT64_MIN <= int(date) * _MS_NS <= INT64_MAX:
        return format_rfc3339(int(date) * _MS_NS)
    for seconds_name, nanos_name in _SECONDS_AND_NANOS:
        seconds, nanos = value.get(seconds_name), value.get(nanos_name, 0)
        if str(seconds).isdecimal() and isinstance(nanos, int) and 0 <= nanos < _SECOND_NS:
            return f"{seconds}.{nanos:09d}"
    return orjson.dumps(value).decode()


def _exact(name: str, value: float, data: bytes) -> str:
    pattern = re.escape(orjson.dumps(name)) + rb"\s*:\s*(-?[0-9][0-9.eE+-]*)"
    found = re.findall(pattern, data)
    if len(found) == 1 and float(found[0]) == value:
        return str(found[0], "ascii")
    for member, kind, text in members(data, 0):  # also where a name comes twice or is escaped
        if member == name and kind is TokenKind.NUMBER and float(text) == value:
            return text.decode()
    return repr(value)
