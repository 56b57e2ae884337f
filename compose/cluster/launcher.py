"""`python -m compose up`: the whole cluster on this machine, until Ctrl-C.

One launcher per folder. Roles that end are started again; everything ends with the launcher.
"""

import fcntl
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO

from compose.cluster.cluster import ALL, Cluster
from compose.cluster.commands import answer
from compose.cluster.control import ControlSocket, Reply, Request
from compose.cluster.parts import list_parts
from compose.install import InstallFailed
from compose.processes.host import Host
from compose.processes.ports import NoFreePort
from compose.processes.process import StartFailed
from compose.servers.secret_files import write_secret
from compose.topology import Topology

EXIT_HELD, EXIT_BAD_START = 3, 5
LOCK = "launcher.lock"  # in the cluster's folder; locked while any process of it runs
_EVENT = '{"service":"web","status":200,"duration_ms":12.5}'
_SPEC = '{"query":{"calculations":[{"op":"COUNT"}]},"disable_series":true,"wait_s":10}'


class Launcher:
    """Runs one cluster. `direct`: clients connect to the servers without the proxy."""

    def __init__(self, folder: Path, topology: Topology, host: Host, *, direct: bool) -> None:
        self._folder = folder.resolve()
        self._topology = topology
        self._host = host
        self._program = host.command
        self._parts = [part for part in ALL if part != "proxy" or not direct]
        self._ending = threading.Event()
        self._control: ControlSocket | None = None
        self._signals = 0
        self._starting = True
        self._begin_s = time.monotonic()

    def run(self) -> int:
        """Start, serve until a signal or `stop`, and stop; returns the exit code."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        with held(self._folder / LOCK) as lock:
            if lock is None:
                _say(f"{self._folder} is in use by another launcher: `{self._program} status`")
                return EXIT_HELD
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, self._on_signal)
            cluster = Cluster(self._folder, self._parts, self._topology, self._host, _say)
            try:
                return self._serve(cluster)
            except (InstallFailed, StartFailed, NoFreePort) as error:
                _say(str(error))
                return EXIT_BAD_START
            except _Interrupted:
                return 130
            finally:
                self._starting = False
                self._ending.set()
                _say("stopping: shepherds, query roles, indexers, servers")
                cluster.stop()
                if self._control is not None:  # until now it reported what is still running
                    self._control.close()
                _say("stopped")

    def _serve(self, cluster: Cluster) -> int:
        cluster.roles.event = _say
        for part in self._parts:
            cluster.start_server(part)
            _say(f"{part} is ready")
        for line in cluster.init().splitlines():
            _say(f"  {line}")
        cluster.start_roles()
        cluster.roles.wait_ready()
        _write_environment(cluster)
        self._starting = False
        self._control = ControlSocket(self._folder, lambda request: self._answer(cluster, request))
        self._welcome(cluster)
        while not self._signals:
            self._ending.wait(0.2)
            if self._ending.is_set():
                break
        return 0

    def _answer(self, cluster: Cluster, request: Request) -> Reply:
        if request.command == "stop":
            self._ending.set()
            return Reply(True, ["stopping"])
        if request.command == "left":
            return Reply(True, [part.name for part in list_parts(cluster) if part.process.alive])
        if self._ending.is_set():
            return Reply(False, ["the cluster is stopping"])
        return answer(cluster, request)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
        if self._signals > 2:  # third signal: exit now; the keeper kills all processes
            os._exit(130)
        if self._starting:
            self._starting = False
            raise _Interrupted

    def _welcome(self, cluster: Cluster) -> None:
        key = f'"X-Honeycomb-Team: $(cat {_shown(self._folder / "secrets" / "key")})"'
        urls = [role.public_url for role in cluster.roles.of("shepherd")]
        _say(f"ready in {time.monotonic() - self._begin_s:.0f} s; Ctrl-C stops")
        for url in urls:
            _say(f"  address  {url}")
        _say(f"  key      in {_shown(self._folder / 'secrets' / 'key')}")
        _say(f"  logs     in {_shown(self._folder / 'logs')}")
        _say("send an event:")
        _say(f"  curl -s {urls[0]}/1/events/hello -H {key} -d {shlex.quote(_EVENT)}")
        _say("ask:")
        _say(f"  curl -s {urls[-1]}/1/query_results/hello -H {key} -d {shlex.quote(_SPEC)}")
        _say("operate, from another terminal:")
        where = _shown(self._folder)
        _say(f"  {self._program} status --data {where}")
        _say(f"  set -a; . {where}/cluster.env; set +a; {sys.executable} -m bellwether status")


class _Interrupted(Exception):
    """Ctrl-C while starting."""


def _write_environment(cluster: Cluster) -> None:
    """The settings for operators' commands of Bellwether, to be read by a shell.

    They contain no address: commands find a running shepherd through the locks.
    """
    operator = cluster.folder / "operator"
    operator.mkdir(exist_ok=True)
    settings = {
        **cluster.roles.environment(),
        "BELLWETHER_NODE_DATA": str(operator),
        "BELLWETHER_KEY": cluster.key,
    }
    lines = [f"{name}={shlex.quote(value)}" for name, value in sorted(settings.items())]
    write_secret(cluster.folder / "cluster.env", "\n".join(lines))


@contextmanager
def held(path: Path) -> Iterator[IO[str] | None]:
    """The lock of a folder; None while another process holds it. It ends with the process."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield lock


def _shown(path: Path) -> str:
    relative = os.path.relpath(path)
    return shlex.quote(relative if not relative.startswith("..") else str(path))


def _say(text: str) -> None:
    print(text, flush=True)
