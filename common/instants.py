"""Times as people and programs read them: RFC 3339 in UTC, exact to the nanosecond."""

from datetime import UTC, datetime
from typing import Final

_SECOND_NS: Final = 10**9


def rfc3339(ns: int) -> str:
    """`2026-01-31T12:00:00.25Z`; as many digits of the second as it needs, in threes."""
    seconds, fraction = divmod(ns, _SECOND_NS)
    text = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
    if fraction:
        digits = f"{fraction:09d}"
        text += "." + (
            digits[:3] if fraction % 10**6 == 0 else digits[:6] if fraction % 10**3 == 0 else digits
        )
    return f"{text}Z"
