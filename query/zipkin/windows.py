"""A time range in parts, the newest first: what is asked for is mostly in the last minutes."""

from collections.abc import Iterator
from typing import Final

from query.zipkin.request import TimeRange

_FIRST_NS: Final = 60 * 10**9
_GROWS: Final = 10  # a day is five parts


def newest_windows(range_: TimeRange) -> Iterator[tuple[int, int]]:
    """Start and end of each part, half open, in unix ns; each is longer than the one before."""
    end_ns, width = range_.end_ns, _FIRST_NS
    while end_ns > range_.start_ns:
        start_ns = max(range_.start_ns, end_ns - width)
        yield start_ns, end_ns
        end_ns, width = start_ns, width * _GROWS
