"""Makes a process's wall clock wrong by TEST_CLOCK_OFFSET_S seconds: Python imports this first.

Put on the module path of one role by a scenario. Monotonic time, which time-outs use, stays right.
"""

import os
import time

_OFFSET_S = int(os.environ["TEST_CLOCK_OFFSET_S"])
_time, _time_ns = time.time, time.time_ns


def _wrong_time() -> float:
    return _time() + _OFFSET_S


def _wrong_time_ns() -> int:
    return _time_ns() + _OFFSET_S * 10**9


time.time = _wrong_time
time.time_ns = _wrong_time_ns
