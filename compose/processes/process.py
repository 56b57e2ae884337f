"""A process of the cluster: start, stop, kill, pause, resume. No process outlives its launcher.

Every process joins the process group of one *keeper*, a shell that waits for the end of a pipe
which the launcher alone holds. When the launcher ends, however it ends, the keeper kills the whole
group. A process joins the group before it runs its program, so it can never be left over.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_KEEPER = ("/bin/sh", "-c", "trap '' INT TERM HUP; read -r _; kill -KILL 0")
_LOG_BYTES_MAX = 64 * 1024 * 1024  # a server's log; one older file is kept beside it
_STEP_S = 0.03


class StartFailed(Exception):
    """A server did not become ready; the text has the end of its log."""


class Keeper:
    """The process group of a launcher."""

    def __init__(self) -> None:
        reading, self._writing = os.pipe()
        try:
            self._shell = subprocess.Popen(
                _KEEPER,
                stdin=reading,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                process_group=0,
            )
        finally:
            os.close(reading)

    @property
    def group(self) -> int:
        """The group that processes join."""
        return self._shell.pid

    def close(self) -> None:
        """Kill the remaining processes of the group."""
        if self._writing >= 0:
            os.close(self._writing)
            self._writing = -1
            self._shell.wait()


class Process:
    """One process that can be restarted. Its output is appended to `log_path`."""

    def __init__(self, name: str, log_path: Path, keeper: Keeper) -> None:
        self.name = name
        self.log_path = log_path
        self._keeper = keeper
        self._popen: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self.paused = False

    def start(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        """Start it; an older run must have ended."""
        if self.alive:
            raise RuntimeError(f"{self.name} runs already")
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        if self.log_path.exists() and self.log_path.stat().st_size > _LOG_BYTES_MAX:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))
        with self.log_path.open("ab") as log:
            self._log_start = log.tell()
            self._popen = subprocess.Popen(
                list(command),
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=self._keeper.group,
            )
        self.paused = False

    @property
    def pid(self) -> int:
        """Its process id, 0 when it does not run."""
        return self._popen.pid if self._popen is not None and self.alive else 0

    @property
    def alive(self) -> bool:
        """Whether it runs (a paused one does)."""
        return self._popen is not None and self._popen.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How the last run ended; None while it runs or before it was started."""
        return None if self._popen is None else self._popen.poll()

    def log_since_start(self) -> str:
        """The output since the last start."""
        try:
            with self.log_path.open("rb") as log:
                log.seek(self._log_start)
                return log.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""

    def log_tail(self, lines: int = 30) -> str:
        """The last lines of the output since the last start."""
        return "\n".join(self.log_since_start().splitlines()[-lines:])

    def kill(self) -> None:
        """Send SIGKILL, and wait until the process has ended."""
        self._send(signal.SIGKILL)
        if self._popen is not None:
            self._popen.wait()
        self.paused = False

    def pause(self) -> None:
        """Send SIGSTOP. From its return on the process keeps connections but does not respond."""
        self._send(signal.SIGSTOP)
        if self._popen is not None and self.alive and hasattr(os, "WNOWAIT"):
            # A busy machine stops it a little later. WNOWAIT leaves its status for later waits.
            os.waitid(os.P_PID, self._popen.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        self.paused = self.alive

    def resume(self) -> None:
        """SIGCONT."""
        self._send(signal.SIGCONT)
        self.paused = False

    def ask_to_stop(self) -> None:
        """Send SIGTERM; a paused process is resumed first."""
        self._send(signal.SIGTERM)
        self.resume()

    def stop(self, seconds: float) -> bool:
        """Send SIGTERM and wait; SIGKILL after `seconds`. True if the process ended by itself."""
        self.ask_to_stop()
        if self._popen is None:
            return True
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        return True

    def wait_ready(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until `ready()`. Raises StartFailed when it ends before, or takes longer."""
        deadline_s = time.monotonic() + seconds
        while not ready():
            if not self.alive:
                raise StartFailed(
                    f"{self.name} ended with code {self.exit_code}:\n{self.log_tail()}"
                )
            if time.monotonic() > deadline_s:
                raise StartFailed(
                    f"{self.name} is not ready after {seconds:.0f} s:\n{self.log_tail()}"
                )
            time.sleep(_STEP_S)

    def _send(self, number: signal.Signals) -> None:
        if self._popen is not None and self._popen.poll() is None:
            self._popen.send_signal(number)
