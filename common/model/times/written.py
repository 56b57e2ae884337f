"""Times as people and programs read them: RFC 3339 in UTC, exact to the nanosecond."""

from datetime import UTC, datetime
from typing import Final

_SECOND_NS: Final = 10**9


def rfc3339(ns: int) -> str:
    """`2026-01-31T12:00:00.250Z`; as many digits of the second as it needs, in threes."""
    whole, digits = _split(ns)
    kept = digits[:3] if digits[3:] == "000000" else digits[:6] if digits[6:] == "000" else digits
    return f"{whole}Z" if digits == "000000000" else f"{whole}.{kept}Z"


def rfc3339_s(ns: int) -> str:
    """`2026-01-31T12:00:00Z`: to the second, rounded down."""
    return f"{_split(ns)[0]}Z"


def rfc3339_ns(ns: int) -> str:
    """`2026-01-31T12:00:00.250000000Z`: always nine digits, so that texts sort like times."""
    whole, digits = _split(ns)
    return f"{whole}.{digits}Z"


def _split(ns: int) -> tuple[str, str]:
    """Date and time to the second, and the nine digits of its fraction."""
    seconds, fraction = divmod(ns, _SECOND_NS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}", f"{fraction:09d}"
