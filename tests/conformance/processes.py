"""Starting worker processes, killing them, and a disk that is too small."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORKER = [sys.executable, "-m", "tests.conformance.worker"]
TIMEOUT_S = 60
_NAMESPACE = ["unshare", "--map-root-user", "--mount"]


@contextmanager
def started(*commands: list[str]) -> Iterator[list["subprocess.Popen[str]"]]:
    """Worker processes, killed at the end if they still run."""
    running = [
        subprocess.Popen([*WORKER, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for command in commands
    ]
    try:
        yield running
    finally:
        for process in running:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


def finish(process: "subprocess.Popen[str]") -> list[list[str]]:
    """Wait for a worker that must exit with 0; its lines, split at blanks."""
    out, _ = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0
    return [line.split() for line in out.splitlines()]


def next_line(process: "subprocess.Popen[str]") -> list[str]:
    """The next line that a worker prints."""
    assert process.stdout
    return process.stdout.readline().split()


def kill(process: "subprocess.Popen[str]") -> list[list[str]]:
    """Send SIGKILL; returns the complete lines that the worker printed before."""
    process.kill()
    assert process.stdout
    rest = process.stdout.read()
    process.wait()
    return [line.split() for line in rest.split("\n")[:-1]]


def on_small_disk(mount_point: Path, size_bytes: int, *command: str) -> dict[str, list[str]]:
    """Run a worker to its end with a tmpfs of this size at the mount point: first word to rest.

    The mount lives in a namespace of the worker's own and goes away with it. Skips the test where
    that is not permitted.
    """
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare(1) to mount a small tmpfs")
    mount = f'mount -t tmpfs -o size={size_bytes} none "$0" || exit 77; exec "$@"'
    ran = subprocess.run(
        [*_NAMESPACE, "sh", "-c", mount, str(mount_point), *WORKER, *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if ran.returncode == 77 or "unshare failed" in ran.stderr:
        pytest.skip("mounting a small tmpfs is not permitted here")
    assert ran.returncode == 0, ran.stderr
    return {line.split()[0]: line.split()[1:] for line in ran.stdout.splitlines()}
