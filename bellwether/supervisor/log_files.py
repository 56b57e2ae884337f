"""What a role process prints, kept in a file of bounded size: one thread per process.

The process writes into a pipe, so its log survives its crash, and the file is turned over here.
"""

import threading
from collections import deque
from pathlib import Path
from typing import IO

LOG_BYTES_MAX = 16 * 1024 * 1024  # one file; one older file is kept beside it
LAST_LINES = 20  # enough to show the end of a Python traceback


class LogFile:
    """Copies a stream into a file until the stream ends."""

    def __init__(self, stream: IO[bytes], path: Path, bytes_max: int = LOG_BYTES_MAX) -> None:
        self._stream = stream
        self._path = path
        self._bytes_max = bytes_max
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self._thread = threading.Thread(target=self._copy, name=f"log-{path.stem}", daemon=True)
        self._thread.start()

    def last_lines(self, wait_s: float = 1.0) -> list[str]:
        """The last lines, once the stream has ended or `wait_s` have passed."""
        self._thread.join(wait_s)
        return list(self._last)

    def _copy(self) -> None:
        file = self._path.open("ab")
        try:
            for line in self._stream:
                self._last.append(line.decode("utf-8", "replace").rstrip())
                try:
                    file.write(line)
                    file.flush()
                    if file.tell() > self._bytes_max:
                        file.close()
                        self._path.replace(self._path.with_suffix(".log.1"))
                        file = self._path.open("ab")
                except OSError:
                    # a full disk must not stop the role: keep reading, the last lines are kept
                    continue
        finally:
            file.close()
            self._stream.close()
