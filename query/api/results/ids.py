"""Ids of results: 28 hex digits that tell the day, the query role that ran the query, and chance.

So a result is asked of one role, and lies under one key, without any list of results.
"""

import hashlib
import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

PREFIX: Final = "results/"
DAY_NS: Final = 86_400 * 10**9
_ID: Final = re.compile(r"([0-9a-f]{4})([0-9a-f]{8})([0-9a-f]{16})", re.ASCII)


class ResultId(NamedTuple):
    """An id in its parts.

    day: number of days since 1970 (UTC) when its query began.
    role: eight hex digits of the role's instance (`role_digits`).
    random: 16 hex digits.
    """

    day: int
    role: str
    random: str

    def __str__(self) -> str:
        return f"{self.day:04x}{self.role}{self.random}"

    def key(self, env: str) -> str:
        """Where the object store has it, of an environment."""
        return f"{day_prefix(env, self.day)}{self.role}{self.random}"


def new_id(now_ns: int, instance: str, random: int) -> ResultId:
    """An id. now_ns: unix ns. random: 64 bits."""
    return ResultId(now_ns // DAY_NS, role_digits(instance), f"{random:016x}")


def parse_id(text: str) -> ResultId | None:
    """The parts of an id; None if it is none."""
    found = _ID.fullmatch(text)
    return None if found is None else ResultId(int(found[1], 16), found[2], found[3])


def role_digits(instance: str) -> str:
    """How ids name a query role. Two roles may share their digits: then both are asked."""
    return hashlib.sha256(instance.encode()).hexdigest()[:8]


def day_prefix(env: str, day: int) -> str:
    """The beginning of the keys of an environment's results of a day."""
    date = datetime.fromtimestamp(day * 86_400, UTC)
    return f"{PREFIX}{env}/{date:%Y-%m-%d}/"


def day_of(key: str) -> tuple[str, int] | None:
    """(environment, day) of an object's key; None if it is no result's."""
    parts = key.removeprefix(PREFIX).split("/")
    if not key.startswith(PREFIX) or len(parts) != 3:
        return None
    try:
        date = datetime.strptime(parts[1], "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return parts[0], int(date.timestamp()) // 86_400
