"""Zones as texts name them: offsets, UTC, abbreviations of mail, names such as Europe/Berlin."""

import re
from datetime import UTC, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_OFFSET = re.compile(r"(?:UTC|GMT)?\s*([+-])(\d\d?)(?::?(\d\d))?(?::?(\d\d))?", re.ASCII)
_UTC: Final = ("Z", "UTC", "GMT", "UT", "UTC0", "ZULU")
# RFC 5322 gives the American ones; the European ones mean one thing each. Others (IST, BST, CST of
# China) mean several, and are not guessed.
_ABBREVIATIONS_H: Final = {
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
    "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2, "EEST": 3,
    "MSK": 3, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip


class UnknownZone(ValueError):
    """There is no such zone."""


def offset_s(text: str) -> int | None:
    """Seconds east of UTC of an offset or abbreviation; None if it is neither."""
    upper = text.upper()
    if upper in _UTC:
        return 0
    if upper in _ABBREVIATIONS_H:
        return _ABBREVIATIONS_H[upper] * 3600
    found = _OFFSET.fullmatch(upper)
    if found is None:
        return None
    sign, hours, minutes, seconds = found.groups()
    if int(hours) > 23 or int(minutes or 0) > 59 or int(seconds or 0) > 59:
        return None
    offset = int(hours) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return -offset if sign == "-" else offset


@lru_cache(maxsize=256)
def named_zone(name: str) -> tzinfo:
    """A zone of the time zone database (`Europe/Berlin`). Raises UnknownZone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownZone(
            f"unknown time zone {name!r}: give a name such as Europe/Berlin, UTC, or an offset "
            "such as +02:00"
        ) from error


def read_zone(text: str) -> tzinfo:
    """What a person gave as a zone: a name, an abbreviation, or an offset. Raises UnknownZone."""
    text = text.strip()
    offset = offset_s(text)
    if offset is not None:
        return UTC if offset == 0 else timezone(timedelta(seconds=offset))
    return named_zone(text)
