"""Threads of low priority: lower than their process, whatever it has; others keep theirs."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import os, threading
from common.process.machine.niceness import be_nice
os.nice({process})
def of_thread():
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
def work():
    be_nice(5)
    found.append(of_thread())
    inner = threading.Thread(target=lambda: found.append(of_thread()))
    inner.start()
    inner.join()
found = [of_thread()]
outer = threading.Thread(target=work)
outer.start()
outer.join()
print(*(one - found[0] for one in found), of_thread() - found[0], found[0])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="priorities of threads are Linux's")
@pytest.mark.parametrize("process", [0, 16, 19])
def test_a_thread_and_those_it_starts_come_after_their_process(process: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(process=process)],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    *steps, own = map(int, done.stdout.split())
    lower = min(5, 19 - own)
    assert steps == [0, lower, lower, 0]
