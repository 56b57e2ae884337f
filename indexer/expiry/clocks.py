"""The clocks of one process: its own, those of other machines, and the trusted time (I13).

One instance for all partitions. Readings of other clocks are kept against monotonic time, so a leap
of this machine's clock shows at once, not at the next reading.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from common import atomic_files, limits
from common.clock import Clock
from common.errors import BellwetherError
from common.logs import log_event
from common.model.clock_reading import ClockReading
from indexer.expiry.trusted_time import Evidence, TrustedTime
from snapshot.documents.checksummed import DOCUMENT_FORMAT, decode_checksummed, encode_checksummed

_SAVE_NS = 60 * 10**9
logger = logging.getLogger(__name__)


class _Saved(msgspec.Struct):
    trusted_ns: int
    format: int = DOCUMENT_FORMAT


@dataclass(frozen=True, slots=True)
class _Kept:
    """A reading of another clock, and its monotonic time."""

    reading: ClockReading
    read_ns: int


class Clocks:
    """Computes the time by which events may expire. Used from one event loop, except `save`."""

    def __init__(self, clock: Clock, path: Path, *, servers_elsewhere: bool = True) -> None:
        """Blocks briefly: reads the file.

        servers_elsewhere: whether servers at addresses of other machines have clocks of their own
        (containers of one machine do not).
        """
        self._clock = clock
        self._path = path
        self._servers_elsewhere = servers_elsewhere
        self._readings: dict[str, _Kept] = {}
        self._started_ns = clock.monotonic_ns()
        self._saved_ns = self._started_ns - _SAVE_NS
        self._file_ns = self._load()
        self.trusted = TrustedTime(self._file_ns, self._started_ns)
        if self.trusted.is_known:
            self.update(None)  # partitions judge what has expired before their first housekeeping

    def _load(self) -> int | None:
        try:
            saved = decode_checksummed(self._path.read_bytes(), _Saved, self._path.name)
        except FileNotFoundError:
            return None
        except (OSError, BellwetherError) as error:
            log_event(logger, logging.WARNING, "trusted time cannot be read", why=str(error))
            return None
        return saved.trusted_ns

    def add_readings(self, readings: Sequence[ClockReading]) -> None:
        """Add readings that were just made."""
        for one in readings:
            self._readings[one.name] = _Kept(one, self._clock.monotonic_ns())

    def update(self, evidence: Evidence | None, confirmed_ns: int = 0) -> None:
        """Advance the trusted time. evidence: newest stored time of the partition being checked."""
        wall_ns, steady_ns = self._clock.now_ns(), self._clock.monotonic_ns()
        if steady_ns - self._started_ns < limits.CLOCK_FRESH_NS or not self.trusted.is_known:
            self.trusted.begin(evidence, wall_ns)
        self.trusted.update(wall_ns, steady_ns, agreed=self.agreed, confirmed_ns=confirmed_ns)

    @property
    def now_ns(self) -> int:
        """The time by which events may expire."""
        return self.trusted.now_ns if self.trusted.is_known else self._clock.now_ns()

    def disagreeing(self) -> dict[str, int]:
        """Clocks that differ from this machine's, and how much later they are (ns)."""
        return {
            name: ahead_ns
            for name, kept in self._fresh().items()
            if abs(ahead_ns := kept.reading.ahead_ns(self._clock))
            > limits.CLOCK_SKEW_NS + kept.reading.error_ns
        }

    @property
    def agreed(self) -> bool:
        """Whether a clock of another machine agrees with this one, and none differs."""
        elsewhere = any(kept.reading.elsewhere for kept in self._fresh().values())
        return self._servers_elsewhere and elsewhere and not self.disagreeing()

    def _fresh(self) -> dict[str, _Kept]:
        since_ns = self._clock.monotonic_ns() - limits.CLOCK_FRESH_NS
        self._readings = {n: kept for n, kept in self._readings.items() if kept.read_ns >= since_ns}
        return self._readings

    def alarms(self) -> dict[str, str]:
        """Alarms about clocks, with what to do."""
        found: dict[str, str] = {}
        if others := self.disagreeing():
            skews = ", ".join(
                f"{name} is {abs(ns) / 1e9:,.0f} s {'ahead' if ns > 0 else 'behind'}"
                for name, ns in sorted(others.items())
            )
            found["clock_disagrees"] = (
                f"clocks differ: {skews} of this machine's; nothing expires until they agree: "
                "set the wrong one, and keep all with NTP"
            )
        leapt_ns = self.trusted.leapt_ns
        if abs(leapt_ns) > limits.CLOCK_STEP_NS:
            found["clock_leapt"] = (
                f"this machine's clock was moved by {days(leapt_ns)} while this indexer ran; "
                "nothing expires on that word alone: set it right, and keep it with NTP"
            )
        return found

    def save(self) -> None:
        """Write the trusted time to the file if a save is due. Blocks.

        It is due once a minute, and when the time has moved by a minute: while it catches up with
        the clock it passes many minutes in one, and what expired by it must not seem too early
        after the next start.
        """
        steady_ns, trusted_ns = self._clock.monotonic_ns(), self.trusted.saved_ns
        if trusted_ns is None:
            return
        moved_ns = abs(trusted_ns - (self._file_ns or 0))
        if steady_ns - self._saved_ns < _SAVE_NS and moved_ns < _SAVE_NS:
            return
        self._saved_ns = steady_ns
        try:
            atomic_files.make_folder(self._path.parent)
            atomic_files.replace(self._path, encode_checksummed(_Saved(trusted_ns)))
            self._file_ns = trusted_ns
        except OSError as error:
            log_event(logger, logging.WARNING, "trusted time not saved", why=str(error))


def days(ns: int) -> str:
    """A span of time as text."""
    word = "back" if ns < 0 else "ahead"
    return f"{abs(ns) / (24 * 3600 * 10**9):,.1f} days {word}"
