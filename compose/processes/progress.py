"""Runs a package manager, which takes minutes, and reports its progress.

The output is kept for errors. Every few seconds the newest line that names a package is reported,
with the time so far. Addresses are not reported: a mirror's address may contain a password.
"""

import re
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

TELL_EVERY_S = 5.0
_OUTPUT_BYTES_MAX = 4 * 1024 * 1024  # of each stream; a package manager writes far less
_NAMED = (
    re.compile(r"Download(?:ed|ing) from \S+: \S*?([^/\s]+)(?:\s|$)"),  # Maven
    re.compile(r"go: downloading (\S+ \S+)"),
    re.compile(r"Get:\d+ \S+ \S+ \S+ (\S+) \S+ \S+ \["),  # apt-get: source suite arch NAME
    re.compile(r"(?:Unpacking|Setting up) (\S+)"),
)


def named_in(line: str) -> str:
    """The package or file that a line of a package manager is about; empty if it names none."""
    for pattern in _NAMED:
        if (match := pattern.search(line)) is not None:
            return match.group(1)
    return ""


class _Stream:
    """One output stream of a process: stored, and searched for package names."""

    def __init__(self, stream: IO[str]) -> None:
        self._lines: list[str] = []
        self._size = 0
        self.named = 0
        self.newest = ""
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            if self._size < _OUTPUT_BYTES_MAX:
                self._lines.append(line)
                self._size += len(line)
            if name := named_in(line):
                self.named += 1
                self.newest = name

    def whole(self) -> str:
        self._thread.join()
        return "".join(self._lines)


def run_telling(
    command: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    tell: Callable[[str], None],
    every_s: float = TELL_EVERY_S,
) -> "subprocess.CompletedProcess[str]":
    """Run to the end; `tell` is called every few seconds with a line of progress."""
    began_s = time.monotonic()
    with subprocess.Popen(
        list(command), cwd=folder, env=dict(environ), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
    ) as process:  # fmt: skip
        if process.stdout is None or process.stderr is None:
            raise AssertionError("both were asked for as pipes")
        streams = [_Stream(process.stdout), _Stream(process.stderr)]
        while True:
            try:
                code = process.wait(every_s)
                break
            except subprocess.TimeoutExpired:
                tell(_line(time.monotonic() - began_s, streams))
        out, error = (stream.whole() for stream in streams)
    return subprocess.CompletedProcess(list(command), code, out, error)


def _line(seconds: float, streams: Sequence[_Stream]) -> str:
    named = sum(stream.named for stream in streams)
    newest = next((stream.newest for stream in streams if stream.newest), "")
    what = f", {named} files and packages so far, now {newest}" if newest else ""
    return f"{seconds:.0f} s{what}"
