"""Lets Python sleep under libfaketime: Python imports this first.

Python sleeps until a point of the monotonic clock, and libfaketime 0.9.10 takes that point for one
of the wall clock, even where it is told to leave the monotonic clock alone: every sleep fails.
"""

import select
import time


def _sleep(seconds: float) -> None:
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    select.select((), (), (), seconds)


time.sleep = _sleep
