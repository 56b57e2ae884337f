"""Real processes whose wall clock is wrong, by Debian's libfaketime.

The offset is read from a file each second, so it can leap while a process runs.
Monotonic time stays right, as it does on a machine whose clock is set.
"""

import os
from pathlib import Path

from compose.install import InstallFailed, ensure
from compose.processes.host import Host
from tests.servers import refuse

HOUR_S = 3_600
DAY_S = 24 * HOUR_S
_HERE = Path(__file__).resolve().parent


def library() -> Path:
    """The library that is loaded into a process. Skips the test where it cannot be had."""
    try:
        folder = ensure(Host.here(), "faketime", print)
    except InstallFailed as error:
        refuse(f"not run, for want of libfaketime: {error}")
    (found,) = folder.glob("usr/lib/*/faketime/libfaketimeMT.so.1")
    return found


class WrongClock:
    """The wall clock of the processes that get `environ`; right until it is set."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        folder.mkdir(parents=True, exist_ok=True)
        self.environ = {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # with it waits of a JVM return at once or never
            "NO_FAKE_STAT": "1",
            "PYTHONPATH": os.pathsep.join([str(_HERE / "faketime_sleep"), str(_HERE.parents[1])]),
        }
        self.set(0)

    def set(self, offset_s: int) -> None:
        """From now on the clock is wrong by so many seconds."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{offset_s:+d}\n", "ascii")
        fresh.replace(self._file)
