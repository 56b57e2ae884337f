"""When an event ends: its time and its duration, by its dataset's definition.

An event without a duration ends when it starts, as does one whose duration is negative.
"""

from typing import Final

NS_PER_MS: Final = 1_000_000
LAST_NS: Final = 2**63 - 1  # a duration that leads beyond the last time there is ends there


def end_sql(time: str, duration_ms: str) -> str:
    """SQL BIGINT: the end, in unix ns. duration_ms: SQL DOUBLE or NULL."""
    length = f"least(greatest({duration_ms}, 0) * {NS_PER_MS}, {float(LAST_NS - 1024)!r})::BIGINT"
    return f"({time} + coalesce(least({length}, {LAST_NS} - greatest({time}, 0)), 0))"
