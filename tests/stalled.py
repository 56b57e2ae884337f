"""Pytest on a machine without time for it: `python -m tests.stalled PATH ...`, on POSIX systems.

The process of the tests is stopped for up to half a second again and again, as a busy machine does
with any process. What fails here and not otherwise takes a time for an event, or the order of
connecting for the order of being served; or it is a race in the product.
"""

import os
import random
import signal
import subprocess
import sys
import time
from typing import Final

_RUNS_S: Final = 0.6  # at most, between two stops
_STOPPED_S: Final = 0.5  # at most


def main(arguments: list[str]) -> int:
    """Run pytest with these arguments; returns its code."""
    chance, stops = random.Random(), 0
    tests = subprocess.Popen([sys.executable, "-m", "pytest", *arguments])
    try:
        while tests.poll() is None:
            time.sleep(chance.uniform(0.0, _RUNS_S))
            if tests.poll() is None:
                tests.send_signal(signal.SIGSTOP)
                time.sleep(chance.uniform(0.0, _STOPPED_S))
                tests.send_signal(signal.SIGCONT)
                stops += 1
    except KeyboardInterrupt:
        tests.send_signal(signal.SIGCONT)
        tests.wait()
    print(f"stopped {stops} times")
    return tests.returncode


if __name__ == "__main__":
    if os.name != "posix":
        sys.exit("this system cannot stop a process for a moment")
    sys.exit(main(sys.argv[1:]))
