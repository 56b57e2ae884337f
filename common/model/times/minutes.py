"""Remembers the minutes that were read, so that a log's next line costs two look-ups.

A text is cut at its seconds: what stands before them (the minute), the seconds with their
fraction, and what follows them (the zone). Of a minute that was read once only the seconds are
added. What is cut so is read exactly as the whole text would be.
"""

import re
from collections.abc import Callable
from typing import Final

from common.model.times.calendar import SECOND_NS

_SECONDS = re.compile(r".*[0-9]:[0-9]{2}:([0-9]{2})(?:[.,][0-9]+)?(?![0-9])", re.DOTALL)
_CLOCK = re.compile(r"([0-5][0-9])(?:([.,])([0-9]+))?")
_MINUTES_MAX: Final = 4_096
_CLOCKS_MAX: Final = 65_536  # seconds with milliseconds, once each
_CLOCK_CHARS: Final = 6  # 59.999: finer ones hardly come twice


class Minutes:
    """Reads texts by `read_whole`, which is called once for each minute."""

    def __init__(self, read_whole: Callable[[str], int | None]) -> None:
        self._read_whole = read_whole
        self._at = 0  # where the seconds begin in the text that was read last
        self._tail = ""  # what followed them
        self._minutes: dict[tuple[str, str], int] = {}
        self._clocks: dict[str, tuple[str, int]] = {}

    def forget(self) -> None:
        """Clear the cache, since the way of reading has changed."""
        self._minutes.clear()

    def read(self, text: str) -> int | None:
        """Unix nanoseconds, None for what cannot be read."""
        at, tail = self._at, self._tail
        if at and text.endswith(tail):
            seconds = text[at : len(text) - len(tail)]
            clock = self._clocks.get(seconds) or self._read_clock(seconds)
            if clock is not None:
                minute = self._minutes.get((text[:at], clock[0]))
                if minute is not None:
                    return minute + clock[1]
        return self._read_new(text)

    def _read_new(self, text: str) -> int | None:
        found = _SECONDS.match(text)
        if found is None:
            return self._read_whole(text)
        at, end = found.start(1), found.end()
        minute, seconds, tail = text[:at], text[at:end], text[end:]
        clock = self._read_clock(seconds)
        if clock is None:  # a leap second, or no second
            return self._read_whole(text)
        separator, nanos = clock
        zero = f"{separator}0" if separator else ""
        begin = self._read_whole(f"{minute}00{zero}{tail}")
        # a minute may begin in the past and end in the future: another year for its last seconds
        last = self._read_whole(f"{minute}59{zero}{tail}")
        if begin is None or last is None or last - begin != 59 * SECOND_NS:
            return self._read_whole(text)
        if (at, tail) != (self._at, self._tail):
            self._at, self._tail = at, tail
            self._minutes.clear()
        if len(self._minutes) >= _MINUTES_MAX:
            self._minutes.clear()
        self._minutes[minute, separator] = begin
        return begin + nanos

    def _read_clock(self, seconds: str) -> tuple[str, int] | None:
        """The separator of the fraction and the nanoseconds since the minute began."""
        found = _CLOCK.fullmatch(seconds)
        if found is None:
            return None
        fraction = found[3] or "0"
        clock = found[2] or "", int(found[1]) * SECOND_NS + int(fraction[:9].ljust(9, "0"))
        if len(seconds) <= _CLOCK_CHARS:
            if len(self._clocks) >= _CLOCKS_MAX:
                self._clocks.clear()
            self._clocks[seconds] = clock
        return clock
