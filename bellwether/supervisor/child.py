"""One process under `up`: start it, check whether it is ready, restart it with back-off."""

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bellwether.supervisor.log_files import LogFile
from common.back_off import BackOff

_RESTART_FIRST_S, _RESTART_MAX_S = 0.2, 10.0
CALM_S = 30.0  # after a run this long the back-off begins anew
_READY_TIMEOUT_S = 1.0


def restart_back_off() -> BackOff:
    """The waits, in seconds, before a role that ended is started again."""
    return BackOff(_RESTART_FIRST_S, _RESTART_MAX_S)


@dataclass(slots=True)
class Child:
    """A process that is kept running. Times are monotonic seconds.

    command: the `bellwether` command that it runs.
    roles: the roles it runs: one, or all of them.
    label: its name for the operator.
    environment: this process's own settings.
    """

    command: str
    roles: tuple[str, ...]
    label: str
    log_path: Path
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    log: LogFile | None = None
    started_s: float = 0.0
    start_again_s: float = 0.0
    starts: int = 0
    ready: bool = False
    _back_off: BackOff = field(default_factory=restart_back_off, repr=False)

    def start(self, now_s: float, parent_fd: int) -> None:
        """Start the process. `parent_fd` reaches its end when the supervisor ends."""
        command = [sys.executable, "-m", "bellwether", self.command, "--parent-fd", str(parent_fd)]
        self.process = subprocess.Popen(
            command,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(parent_fd,),
            start_new_session=True,  # Ctrl-C reaches `up` alone, which stops roles in order
        )
        if self.process.stdout is None:
            raise AssertionError("the role's output was asked for as a pipe")
        self.log = LogFile(self.process.stdout, self.log_path)
        self.started_s = now_s
        self.starts += 1
        self.ready = False

    def poll(self) -> int | None:
        """The exit code if the process has ended."""
        return None if self.process is None else self.process.poll()

    def ended(self, now_s: float) -> float:
        """The process has ended: returns the seconds until it is started again."""
        if now_s - self.started_s > CALM_S:
            self._back_off.reset()
        wait_s = self._back_off.next()
        self.process = None
        self.ready = False
        self.start_again_s = now_s + wait_s
        return wait_s

    def ask_to_stop(self) -> None:
        """Send SIGTERM."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process at once."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def describe_exit(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def ask_ready(url: str) -> str | None:
    """Request a role's /readyz: None if it is ready, else the reason why not."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port, timeout=_READY_TIMEOUT_S
    )
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return f"does not answer ({type(error).__name__})"
    finally:
        connection.close()
    if answer.status == 200:
        return None
    try:
        return str(json.loads(body)["reason"])
    except (ValueError, KeyError, TypeError):
        return f"answers {answer.status}"


def child_environment(
    environ: Mapping[str, str], settings: Mapping[str, str], own: Mapping[str, str]
) -> dict[str, str]:
    """The environment of a role: ours without our settings, then the resolved ones, then its own.

    Python's module path is kept, so a role runs the same program as its supervisor.
    """
    inherited = {k: v for k, v in environ.items() if not k.startswith("BELLWETHER_")}
    here = str(Path(__file__).resolve().parents[2])
    paths = [here, *filter(None, inherited.get("PYTHONPATH", "").split(os.pathsep))]
    inherited["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    inherited["PYTHONUNBUFFERED"] = "1"
    return {**inherited, **settings, **own}
