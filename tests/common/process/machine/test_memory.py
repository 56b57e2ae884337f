"""The process keeps the pages it has freed."""

import platform
import subprocess
import sys

import pytest

from common import limits
from common.process.machine.memory import GivingBack, resident_bytes

_PROGRAM = """
import pyarrow as pa
from common.process.machine.memory import keep_freed_pages
print(keep_freed_pages(), pa.default_memory_pool().backend_name)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these settings")
def test_arrow_and_the_c_library_keep_freed_pages() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, check=True)
    assert done.stdout.split() == [b"True", b"system"]


def test_memory_is_given_back_when_it_has_grown_and_now_and_then() -> None:
    real = [100 * 2**20]
    trimmed: list[int] = []
    parts: list[int] = []

    def trim() -> None:
        trimmed.append(real[0])
        real[0] = min(real[0], 300 * 2**20)

    giving = GivingBack(lambda: real[0], trim)
    giving.add(lambda: parts.append(1))
    giving.look()
    real[0] = 150 * 2**20
    giving.look()
    assert trimmed == [100 * 2**20]  # it has not grown by much
    real[0] = 900 * 2**20
    giving.look()
    assert trimmed[1:] == [900 * 2**20]
    for _ in range(limits.GIVE_BACK_LOOKS):
        giving.look()
    assert trimmed[2:] == [300 * 2**20]  # what was in use before may be free by now
    assert len(parts) == 3 + limits.GIVE_BACK_LOOKS


def test_memory_of_this_process_is_known_and_can_be_given_back() -> None:
    before = resident_bytes()
    assert before is None or before > 2**20
    GivingBack().look()
