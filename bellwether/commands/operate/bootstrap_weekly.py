"""A time of the week, as `mon 15:00`, and what was done at it the last time."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from common import atomic_files

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TEXT = re.compile(r"([a-z]{3})[a-z]* +([0-9]{1,2}):([0-9]{2})", re.IGNORECASE)
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class WeeklyTime:
    """A weekday (0: Monday) and a time of day, in this machine's time zone."""

    weekday: int
    hour: int
    minute: int

    def newest(self, now: datetime) -> datetime:
        """The newest such time that is not after `now`, in its zone (naive: the machine's).

        Of a time that comes twice in a night, as summer time ends, it is the first.
        """
        at = now.replace(hour=self.hour, minute=self.minute, second=0, microsecond=0, fold=0)
        at -= timedelta(days=(at.weekday() - self.weekday) % 7)
        return at if at.timestamp() <= now.timestamp() else at - _WEEK


def parse_weekly(text: str) -> WeeklyTime:
    """Read `mon 15:00`. Raises ValueError."""
    match = _TEXT.fullmatch(text.strip())
    day, hour, minute = match.groups() if match else ("", "0", "0")
    if day.lower() not in _DAYS or int(hour) > 23 or int(minute) > 59:
        raise ValueError(f"{text!r} is no time of the week: write it as 'mon 15:00'")
    return WeeklyTime(_DAYS.index(day.lower()), int(hour), int(minute))


class LastRun(msgspec.Struct, frozen=True):
    """When the last one began (unix seconds), by the text of its schedule."""

    schedule: str
    began_s: float


def is_due(at: WeeklyTime, last_s: float, now: datetime) -> bool:
    """Whether none has begun since the newest of these times. last_s: unix seconds."""
    return last_s < at.newest(now).timestamp()


def read_last(path: Path, schedule: str, now_s: float) -> float:
    """When the last one of this schedule began (unix seconds).

    A new schedule counts as done until now: the first one runs when its time comes.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=LastRun)
    except (OSError, msgspec.DecodeError):
        found = LastRun("", 0.0)
    if found.schedule == schedule:
        return found.began_s
    write_last(path, schedule, now_s)
    return now_s


def write_last(path: Path, schedule: str, now_s: float) -> None:
    """Note when one began. Raises OSError."""
    atomic_files.make_folder(path.parent)
    atomic_files.replace(path, msgspec.json.encode(LastRun(schedule, now_s)))
