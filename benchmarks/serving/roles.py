"""Real role processes in a folder of their own, started one by one.

They are the processes that `bellwether up` starts, with its settings; each stage starts only those
whose work it measures. They end when this process ends, however it ends.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from bellwether.config.secrets import read_key
from bellwether.supervisor.child import ask_ready, child_environment
from benchmarks.serving.client import Address
from benchmarks.serving.shepherd_client import ShepherdClient
from common.locks.files import FileLocks
from common.process.members import Member, list_members

_READY_S = 90.0
_COMPILED_S = 600.0  # of a busy machine, where nothing is in the cache yet
_STOP_S = 40.0
_STEP_S = 0.02
_METRICS_STEP_S = 0.1  # rendering them takes milliseconds of the role's CPU time
_METRICS_TIMEOUT_S = 10.0
_ORDER = ("shepherd", "query", "indexer")  # of stopping: as `up` does
_SAID_CHARS = 800
_COMPILED = ("shepherd", "indexer")
_KERNEL = re.compile(r"^bellwether_kernel_active{.*} (.*)$", re.MULTILINE)


class Roles:
    """Role processes that share one data folder. kernels: folder of compiled code, kept.

    Python's own bytecode is kept beside it, as an installer leaves it beside the sources: without
    it each start takes a CPU second more.
    """

    def __init__(self, folder: Path, kernels: Path, settings: Mapping[str, str]) -> None:
        self.data = folder / "data"
        self._logs = folder / "logs"
        self._port = free_port()
        self._settings = {
            "BELLWETHER_NODE_DATA": str(self.data),
            "BELLWETHER_NODE_TELEMETRY": "false",
            "BELLWETHER_SHEPHERD_PORT": str(self._port),
            "BELLWETHER_INDEXER_COPIES": "1",
            "BELLWETHER_INDEXER_KERNEL_CACHE": str(kernels),
            "BELLWETHER_SHEPHERD_KERNEL_CACHE": str(kernels),
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": str(kernels.parent / "bytecode"),
            **settings,
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._roles_fd, self._own_fd = os.pipe()
        self._logs.mkdir(parents=True)
        self._run("init")

    @property
    def address(self) -> Address:
        """Where the shepherd listens."""
        return "127.0.0.1", self._port

    @property
    def shepherd(self) -> ShepherdClient:
        """For requests with the first key, which may do everything."""
        return ShepherdClient(self.address, read_key(self.data) or "")

    def start(self, *roles: str) -> None:
        """Start these and wait until they are ready."""
        for role in roles:
            with (self._logs / f"{role}.log").open("ab") as said:
                self._processes[role] = subprocess.Popen(
                    [*_program(), role, "--parent-fd", str(self._roles_fd)],
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=subprocess.STDOUT,
                    pass_fds=(self._roles_fd,),
                )
        for role in roles:
            self.wait(lambda role=role: self._is_ready(role), f"{role} to be ready")  # type: ignore[misc]  # mypy wants no default in a lambda that it checks against Callable

    def pids(self) -> dict[str, int]:
        """Process ids of what runs, by role."""
        return {role: process.pid for role, process in self._processes.items()}

    def internal_url(self, role: str) -> str:
        """Where a role listens for other roles and for monitoring."""
        member = self._member(role)
        if member is None:
            raise RuntimeError(f"{role} is not announced")
        return member.url

    def stop(self, *roles: str) -> None:
        """End these (all, if none is named) as an operator would."""
        for role in sorted(roles or self._processes, key=_ORDER.index):
            process = self._processes.pop(role)
            process.send_signal(signal.SIGTERM)
            try:
                code = process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise RuntimeError(f"{role} did not stop: {self._output(role)}") from None
            if code:
                raise RuntimeError(f"{role} ended with {code}: {self._output(role)}")

    def close(self) -> None:
        """End everything at once."""
        for process in self._processes.values():
            process.kill()
            process.wait()
        self._processes.clear()
        os.close(self._own_fd)
        os.close(self._roles_fd)

    def wait(
        self,
        test: Callable[[], bool],
        what: str,
        seconds: float = _READY_S,
        step_s: float = _STEP_S,
    ) -> None:
        """Wait for a condition. Raises RuntimeError when it takes too long or a role ends."""
        until = time.monotonic() + seconds
        while not test():
            for role, process in self._processes.items():
                if process.poll() is not None:
                    raise RuntimeError(f"{role} ended with {process.poll()}: {self._output(role)}")
            if time.monotonic() > until:
                raise RuntimeError(f"waited {seconds:.0f} s for {what}")
            time.sleep(step_s)

    def partitions(self) -> list[dict[str, Any]]:
        """What the indexer says of each partition."""
        status = self.shepherd.request("GET", "/bw/1/status")["indexers"]
        return [one for each in status for one in each["status"]["partitions"].values()]

    def wait_kernels(self) -> None:
        """Wait until the compiled code of every role that has some serves."""
        compiled = [role for role in self._processes if role in _COMPILED]

        def serve() -> bool:
            members = [self._member(role) for role in compiled]
            return all(one is not None and _is_compiled(one) for one in members)

        self.wait(serve, "compiled code to serve", _COMPILED_S, _METRICS_STEP_S)

    def _is_ready(self, role: str) -> bool:
        member = self._member(role)
        return member is not None and ask_ready(member.url) is None

    def _member(self, role: str) -> Member | None:
        """The process of a role as it announces itself."""
        with closing(FileLocks(self.data / "locks")) as locks:
            found: list[Member] = list_members(locks, role)
        pid = self._processes[role].pid
        return next((one for one in found if one.pid == pid), None)

    def _run(self, command: str) -> None:
        done = subprocess.run(
            [*_program(), command], env=self._environment(), capture_output=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"bellwether {command}: {done.stderr.decode()[-_SAID_CHARS:]}")

    def _environment(self) -> dict[str, str]:
        return child_environment(os.environ, {}, self._settings)

    def _output(self, role: str) -> str:
        return (self._logs / f"{role}.log").read_text("utf-8", "replace")[-_SAID_CHARS:]


def wait_compiled(data: Path) -> None:
    """Wait until all compiled code serves in every process over this data folder that has some.

    Of the shepherd that is the decoders of each protocol, too. Raises TimeoutError.
    """
    until = time.monotonic() + _COMPILED_S
    while not _all_compiled(data):
        if time.monotonic() > until:
            raise TimeoutError(f"not everything is compiled after {_COMPILED_S:.0f} s")
        time.sleep(_METRICS_STEP_S)


def _all_compiled(data: Path) -> bool:
    with closing(FileLocks(data / "locks")) as locks:
        members = [one for role in _COMPILED for one in list_members(locks, role)]
    return all(map(_is_compiled, members))


def _is_compiled(member: Member) -> bool:
    return set(_KERNEL.findall(_metrics(member))) == {"1.0"}


def _metrics(member: Member) -> str:
    with urlopen(f"{member.url}/metrics", timeout=_METRICS_TIMEOUT_S) as answer:
        text: str = answer.read().decode()
        return text


def _program() -> list[str]:
    return [sys.executable, "-m", "bellwether"]


def free_port() -> int:
    """A port of the loopback address that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
