"""Makes the wall clock of one indexer wrong, of twins that one `up` starts: Python imports this
first. By the seconds in the file TEST_CLOCK_FILE, in the zone TEST_CLOCK_ZONE alone.
"""

import os
import sys
import time
from pathlib import Path

_time_ns = time.time_ns
_file = Path(os.environ["TEST_CLOCK_FILE"])


def _wrong_time_ns() -> int:
    return _time_ns() + int(_file.read_text()) * 10**9


if "indexer" in sys.orig_argv and os.environ.get("BELLWETHER_NODE_ZONE") == os.environ.get(
    "TEST_CLOCK_ZONE"
):
    time.time_ns = _wrong_time_ns
    time.time = lambda: _wrong_time_ns() / 1e9
