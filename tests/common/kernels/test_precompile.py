"""The folder of compiled code: made once, trusted only while it is what was written."""

import subprocess
import sys
from pathlib import Path

import pytest

from common.kernels.precompile import is_whole, versioned
from tests.common.kernels import tiny

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
_COMPILE = (
    "import os, sys; os.nice = lambda steps: 0; "  # the test waits for it
    "from common.kernels.precompile import compile_into; "
    "compile_into(sys.argv[1], 'tests.common.kernels.tiny_loader')"
)

# In a process of its own: the check whether a folder is writable is made to fail, since
# permissions do not keep out the superuser, as whom tests may run.
_LOAD_READ_ONLY = """
import sys, tempfile
from pathlib import Path

def refuse(*arguments, **options):
    raise PermissionError("read-only")

tempfile.TemporaryFile = refuse
from tests.common.kernels import tiny_loader
tiny_loader.compile_all(Path(sys.argv[1]))
"""


def start(folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", _COMPILE, str(folder)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def compile_tiny(folder: Path) -> None:
    process = start(folder)
    _, errors = process.communicate()
    assert process.returncode == 0, errors


def misses(folder: Path) -> list[int]:
    """Of each call of `compile_all`: 1 where it compiled, 0 where it found its code."""
    return [int(line) for line in folder.with_suffix(".log").read_text().split()]


def code_file(folder: Path, suffix: str) -> Path:
    (found,) = versioned(folder, (tiny,)).rglob(f"*{suffix}")
    return found


def test_processes_that_compile_at_once_compile_once(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    processes = [start(folder) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    for process in processes:
        process.communicate()
    assert misses(folder) == [1]
    assert is_whole(versioned(folder, (tiny,)))
    compile_tiny(folder)
    assert misses(folder) == [1]


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [(".nbc", "changed"), (".nbc", "gone"), (".nbi", "cut"), ("compiled.json", "empty")],
)
def test_a_damaged_file_is_found_and_made_anew(tmp_path: Path, suffix: str, damage: str) -> None:
    folder = tmp_path / "cache"
    compile_tiny(folder)
    path = code_file(folder, suffix)
    whole = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "changed":
        middle = len(whole) // 2
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 0x55]) + whole[middle + 1 :])
    else:
        path.write_bytes(whole[: len(whole) // 2 if damage == "cut" else 0])
    assert not is_whole(versioned(folder, (tiny,)))
    compile_tiny(folder)
    assert is_whole(versioned(folder, (tiny,)))
    if suffix != "compiled.json":
        assert misses(folder)[-1] == 1


def test_a_killed_compilation_leaves_nothing_that_counts_as_whole(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    process = start(folder)
    process.kill()
    process.communicate()
    assert not is_whole(versioned(folder, (tiny,)))
    compile_tiny(folder)
    assert is_whole(versioned(folder, (tiny,)))


def test_a_whole_folder_is_only_read(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    compile_tiny(folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    compile_tiny(folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_code_is_loaded_from_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    compile_tiny(folder)
    command = [sys.executable, "-c", _LOAD_READ_ONLY, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert misses(folder) == [1, 0]
    assert is_whole(versioned(folder, (tiny,)))
