"""The process keeps the pages it has freed."""

import platform
import subprocess
import sys

import pytest

_PROGRAM = """
import pyarrow as pa
from indexer.memory import keep_freed_pages
print(keep_freed_pages(), pa.default_memory_pool().backend_name)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_arrow_and_the_c_library_keep_freed_pages() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, check=True)
    assert done.stdout.split() == [b"True", b"system"]
