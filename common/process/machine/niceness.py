"""Threads that come after others of the machine when processors are busy."""

import os
import sys
import threading
from typing import Final

_LOWEST: Final = 19


def be_nice(by: int) -> None:
    """Lower the priority of the calling thread, and of threads that it starts, by so many steps.

    Only on Linux: elsewhere a priority is of the whole process. It cannot be taken back. Where the
    process has a low priority already, the thread's is lower still, and never higher.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        now = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(_LOWEST, now + by))
