"""Real servers and roles on this machine, for the launcher, for tests and for benchmarks.

    with Cluster(folder, parts=("kafka", "proxy")) as cluster:
        cluster.kafka.brokers[0].pause()
        cluster.proxy["kafka-2"].black_hole()

Everything listens on loopback, keeps its data below `folder`, and ends with this process.
"""

import os
import random
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from bellwether.supervisor.child import child_environment
from common.metadata import KeyKind
from common.process.auth import generate_key
from compose.cluster.roles import Roles
from compose.install import Say, ensure
from compose.processes.host import Host
from compose.processes.ports import Ports
from compose.processes.process import Keeper, StartFailed
from compose.servers.base import Site
from compose.servers.kafka import Kafka
from compose.servers.mariadb import Mariadb
from compose.servers.proxy import Proxy
from compose.servers.s3 import S3
from compose.servers.secret_files import kept_secret
from compose.servers.zookeeper import Zookeeper
from compose.settings import server_environment
from compose.topology import SERVERS, Topology

ALL = ("proxy", *SERVERS)
OTHER_LOOPBACK = "127.0.0.2"
COMMAND_S = 600.0  # of an operator's command, on a machine with other work
T = TypeVar("T")


class NotAPart(Exception):
    """The cluster was made without the requested server."""


class Cluster:
    """Servers and roles. Methods block; call them from a thread where an event loop runs.

    parts: which servers to start, of `ALL`; with `proxy` every client link goes through it.
    Servers that are not started with the cluster are started by `start_server`.
    """

    def __init__(
        self,
        folder: Path,
        parts: Iterable[str] = ALL,
        topology: Topology | None = None,
        host: Host | None = None,
        say: Say = print,
    ) -> None:
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.topology = topology or Topology()
        self.host = host or Host.here()
        self._say = say
        self._wanted = [part for part in ALL if part in set(parts)]
        unknown = set(parts) - set(ALL)
        if unknown:
            raise NotAPart(f"there is no server {', '.join(sorted(unknown))}")
        ports = Ports(self.folder / "ports.json", random.Random())
        self._site = Site(self.folder, self.host, ports, Keeper(), self._link)
        self._proxy: Proxy | None = None
        self._zookeeper: Zookeeper | None = None
        self._mariadb: Mariadb | None = None
        self._s3: S3 | None = None
        self._kafka: Kafka | None = None
        self.roles = Roles(self._site, self.topology, self.environment)

    @property
    def proxy(self) -> Proxy:
        return _there(self._proxy, "proxy")

    @property
    def zookeeper(self) -> Zookeeper:
        return _there(self._zookeeper, "zookeeper")

    @property
    def mariadb(self) -> Mariadb:
        return _there(self._mariadb, "mariadb")

    @property
    def s3(self) -> S3:
        return _there(self._s3, "s3")

    @property
    def kafka(self) -> Kafka:
        return _there(self._kafka, "kafka")

    @property
    def internal_token(self) -> str:
        """The token by which roles of this cluster authenticate to each other."""
        return kept_secret(
            self.folder / "secrets" / "internal-token", lambda: secrets.token_hex(32)
        )

    @property
    def running(self) -> tuple[str, ...]:
        """The servers that have been started."""
        return tuple(part for part in ALL if getattr(self, f"_{part}") is not None)

    def start(self) -> None:
        """Install and start the wanted servers. Raises InstallFailed or StartFailed."""
        for part in self._wanted:
            self.start_server(part)

    def start_server(self, part: str) -> None:
        """Install and start one server, unless it runs. Raises InstallFailed or StartFailed."""
        if part not in self._wanted:
            self._wanted.append(part)
        starters: dict[str, Callable[[Path], None]] = {
            "proxy": self._start_proxy,
            "zookeeper": self._start_zookeeper,
            "mariadb": self._start_mariadb,
            "s3": self._start_s3,
            "kafka": self._start_kafka,
        }
        if part not in starters:
            raise NotAPart(f"there is no server {part}")
        if getattr(self, f"_{part}") is None:
            starters[part](ensure(self.host, part, self._say))

    def _start_proxy(self, package: Path) -> None:
        proxy = Proxy(self._site, package / "bin" / "server")
        proxy.start()
        self._proxy = proxy

    def _start_zookeeper(self, package: Path) -> None:
        server = Zookeeper(self._site, self.topology, package / "libs")
        server.start()
        self._zookeeper = server

    def _start_mariadb(self, package: Path) -> None:
        server = Mariadb(self._site, self.topology)
        server.start()
        self._mariadb = server

    def _start_s3(self, package: Path) -> None:
        server = S3(self._site, package / "bin" / "versitygw")
        server.start()
        self._s3 = server

    def _start_kafka(self, package: Path) -> None:
        server = Kafka(self._site, self.topology, package / "libs")
        server.start()
        self._kafka = server

    def _link(self, name: str, port: int) -> int:
        """The proxied port in front of a server's, 0 without a proxy."""
        return 0 if self._proxy is None else self._proxy.add(name, port).port

    def environment(self) -> dict[str, str]:
        """The settings of Bellwether for the servers that run here."""
        found = server_environment(
            self.topology, self._kafka, self._zookeeper, self._mariadb, self._s3
        )
        return {**found, "BELLWETHER_NODE_INTERNAL_TOKEN": self.internal_token}

    @property
    def key(self) -> str:
        """The first API key, with every right; kept in `secrets/key`."""
        path = self.folder / "secrets" / "key"
        return kept_secret(path, lambda: generate_key(KeyKind.CONFIGURATION, os.urandom))

    def init(self) -> str:
        """Create and check topic, bucket, database, team and key with `bellwether init`.

        Returns what it printed. Raises StartFailed.
        """
        done = self.run("init", environ={"BELLWETHER_UP_KEY": self.key})
        if done.returncode:
            raise StartFailed(f"bellwether init failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def run(
        self, *arguments: str, environ: dict[str, str] | None = None, timeout_s: float = COMMAND_S
    ) -> "subprocess.CompletedProcess[str]":
        """Run an operator's command of Bellwether with the settings of this cluster."""
        process = self.begin(*arguments, environ=environ)
        try:
            out, err = process.communicate(timeout=timeout_s)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def begin(
        self, *arguments: str, environ: dict[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        """Start an operator's command of Bellwether; the caller waits for it, or kills it."""
        data = self.folder / "operator"
        data.mkdir(parents=True, exist_ok=True)
        own = {"BELLWETHER_NODE_DATA": str(data), "COLUMNS": "160", **(environ or {})}
        return subprocess.Popen(
            [sys.executable, "-m", "bellwether", *arguments], cwd=data,
            env=child_environment(self.host.environ, self.roles.environment(), own),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def start_all(self) -> None:
        """Servers, then `bellwether init`, then every role, and wait until all are ready."""
        self.start()
        self.init()
        self.start_roles()
        self.roles.wait_ready()

    def start_roles(self) -> None:
        """Start every role; `roles.wait_ready` waits until they serve.

        With a proxy, other roles reach a role through the link of its name: the proxy listens on
        the role's own port of another address of loopback, and that is what the role announces.
        """
        if self._proxy is not None:
            for role in self.roles:
                port = role.claim_port()
                self._proxy.add(role.name, port, host=OTHER_LOOPBACK, port=port)
                role.extra["BELLWETHER_NODE_ADVERTISE_HOST"] = OTHER_LOOPBACK
        self.roles.start()

    def stop(self) -> None:
        """Stop roles, then servers, then any remaining process."""
        try:
            self.roles.stop_all()
            for server in (self._kafka, self._s3, self._mariadb, self._zookeeper, self._proxy):
                if server is not None:
                    server.stop()
        finally:
            self._site.keeper.close()

    def __enter__(self) -> "Cluster":
        try:
            self.start()
        except BaseException:
            self._site.keeper.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.stop()


def _there(server: T | None, name: str) -> T:
    if server is None:
        raise NotAPart(f"this cluster runs without {name}")
    return server
