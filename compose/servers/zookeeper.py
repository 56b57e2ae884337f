"""ZooKeeper: an ensemble on loopback."""

import socket
import time
from pathlib import Path

from compose.processes.ports import LOOPBACK
from compose.processes.process import Process
from compose.servers.base import STOP_S, Site
from compose.topology import Topology, ZookeeperTuning

READY_S = 300.0
_MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain"


def member_settings(tuning: ZookeeperTuning) -> dict[str, str]:
    """zoo.cfg apart from folders and addresses."""
    return {
        "tickTime": str(tuning.tick_ms),
        "initLimit": "20",
        "syncLimit": "10",
        "minSessionTimeout": str(2 * tuning.tick_ms),
        "maxSessionTimeout": "60000",
        "admin.enableServer": "false",
        "4lw.commands.whitelist": "srvr,ruok,mntr",
        "standaloneEnabled": "false",
        "autopurge.purgeInterval": "1",
        "autopurge.snapRetainCount": "3",
        "preAllocSize": "1024",
        "snapCount": "10000",
    }


class ZookeeperMember:
    """One member, numbered from 1."""

    def __init__(self, number: int, site: Site, tuning: ZookeeperTuning, jars: Path) -> None:
        self.number = number
        self.name = f"zookeeper-{number}"
        self.process: Process = site.process(self.name)
        self.proxied_port = 0
        self._site = site
        self._tuning = tuning
        self._jars = jars

    @property
    def port(self) -> int:
        """The member's own port for clients."""
        return self._site.ports.get(f"{self.name}.client")

    @property
    def address(self) -> str:
        """The address for clients: the proxy's, if there is one."""
        return f"{LOOPBACK}:{self.proxied_port or self.port}"

    @property
    def peer(self) -> str:
        """The member's address for other members."""
        ports = self._site.ports
        quorum, election = ports.get(f"{self.name}.quorum"), ports.get(f"{self.name}.election")
        return f"{LOOPBACK}:{quorum}:{election}"

    def configure(self, peers: dict[int, str]) -> None:
        """Write its files."""
        folder = self._site.data_folder(self.name)
        data = folder / "data"
        data.mkdir(exist_ok=True)
        (data / "myid").write_text(f"{self.number}\n")
        settings = member_settings(self._tuning) | {
            "dataDir": str(data),
            "clientPort": str(self.port),
            "clientPortAddress": LOOPBACK,
            **{f"server.{number}": peer for number, peer in peers.items()},
        }
        lines = [f"{name}={value}\n" for name, value in settings.items()]
        (folder / "zoo.cfg").write_text("".join(lines))

    def start(self) -> None:
        """Start the process; `mode` is not empty once it serves."""
        folder = self._site.data_folder(self.name)
        command = [
            self._site.host.find("java") or "java",
            "-Xms32m", f"-Xmx{self._tuning.heap_mb}m", "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true",
            "-Dzookeeper.extendedTypesEnabled=true", "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp", f"{self._jars}/*", _MAIN, str(folder / "zoo.cfg"),
        ]  # fmt: skip
        self.process.start(command, self._site.host.server_environment(), folder)

    def mode(self) -> str:
        """`leader` or `follower` while it serves, else empty."""
        try:
            with socket.create_connection((LOOPBACK, self.port), 1.0) as connection:
                connection.settimeout(1.0)
                connection.sendall(b"srvr")
                reply = b""
                while block := connection.recv(4096):
                    reply += block
        except OSError:
            return ""
        lines = reply.decode("utf-8", "replace").splitlines()
        return next((ln.partition(": ")[2] for ln in lines if ln.startswith("Mode: ")), "")

    def wait_ready(self) -> None:
        """Wait until it serves."""
        self.process.wait_ready(lambda: bool(self.mode()), READY_S)

    def kill(self) -> None:
        self.process.kill()

    def pause(self) -> None:
        self.process.pause()

    def resume(self) -> None:
        self.process.resume()


class Zookeeper:
    """The ensemble. `servers`: every member's address for clients."""

    def __init__(self, site: Site, topology: Topology, jars: Path) -> None:
        self._site = site
        self.members = [
            ZookeeperMember(number, site, topology.zookeeper, jars)
            for number in range(1, topology.zookeepers + 1)
        ]

    @property
    def servers(self) -> str:
        """host:port of every member, separated by commas."""
        return ",".join(member.address for member in self.members)

    def start(self) -> None:
        """Start every member and wait until all serve."""
        self._site.start_with_free_ports("zookeeper-", self._start)

    def _start(self) -> None:
        self.kill()
        peers = {member.number: member.peer for member in self.members}
        for member in self.members:
            member.configure(peers)
            member.start()
        for member in self.members:
            member.wait_ready()
            member.proxied_port = self._site.link(member.name, member.port)

    def leader(self) -> ZookeeperMember | None:
        """The member that leads now."""
        return next((m for m in self.members if m.mode() in ("leader", "standalone")), None)

    def stop(self) -> None:
        """Stop every member."""
        for member in self.members:
            member.process.ask_to_stop()
        deadline_s = time.monotonic() + STOP_S
        for member in self.members:
            member.process.stop(max(0.1, deadline_s - time.monotonic()))

    def kill(self) -> None:
        """SIGKILL every member."""
        for member in self.members:
            member.kill()
