"""Every process of a cluster under one name, for people who start, stop and break them.

kafka-1 ... zookeeper-1 ... mariadb s3 proxy indexer-a query-a shepherd-a ...
"""

from collections.abc import Callable
from dataclasses import dataclass

from compose.cluster.cluster import Cluster
from compose.cluster.roles import Role, Roles
from compose.processes.process import Process
from compose.servers.kafka import KafkaBroker
from compose.servers.zookeeper import ZookeeperMember


class UnknownPart(Exception):
    """No process or link has this name; the text lists the existing ones."""


@dataclass(frozen=True, slots=True)
class Part:
    """One process. `address`: where clients reach it; `role`: set for Bellwether's own."""

    name: str
    process: Process
    address: str
    start: Callable[[], None]
    problem: Callable[[], str | None]
    role: Role | None = None

    @property
    def state(self) -> str:
        """The process's state in a few words, for a table."""
        if not self.process.alive:
            code = self.process.exit_code
            return "never started" if code is None else f"down (code {code})"
        if self.process.paused:
            return "paused"
        problem = self.problem()
        return "ready" if problem is None else f"not ready: {problem}"

    def kill(self, *, stay_down: bool) -> None:
        """SIGKILL; a role comes back by itself unless it shall stay down."""
        if self.role is not None:
            self.role.kill(stay_down=stay_down)
        else:
            self.process.kill()

    def stop(self) -> None:
        """SIGTERM, and stay down."""
        if self.role is not None:
            self.role.stop()
        else:
            self.process.stop(20.0)


def list_parts(cluster: Cluster) -> list[Part]:
    """Every process, servers first."""
    parts: list[Part] = []
    if "proxy" in cluster.running:
        proxy = cluster.proxy
        parts.append(Part(proxy.name, proxy.process, "", proxy.start, lambda: None))
    if "zookeeper" in cluster.running:
        parts += [_member_part(member) for member in cluster.zookeeper.members]
    if "mariadb" in cluster.running:
        mariadb = cluster.mariadb
        address = f"{mariadb.host}:{mariadb.port}"
        parts.append(Part(mariadb.name, mariadb.process, address, mariadb.start, _fine))
    if "s3" in cluster.running:
        parts.append(Part("s3", cluster.s3.process, cluster.s3.endpoint, cluster.s3.start, _fine))
    if "kafka" in cluster.running:
        parts += [_broker_part(broker) for broker in cluster.kafka.brokers]
    return parts + [_role_part(role, cluster.roles) for role in cluster.roles]


def _member_part(member: ZookeeperMember) -> Part:
    def problem() -> str | None:
        return None if member.mode() else "does not serve"

    return Part(member.name, member.process, member.address, member.start, problem)


def _broker_part(broker: KafkaBroker) -> Part:
    def problem() -> str | None:
        return None if broker.ready else "is not let in yet"

    return Part(broker.name, broker.process, broker.address, broker.start, problem)


def _role_part(role: Role, roles: Roles) -> Part:
    def start() -> None:
        roles.start([role])

    address = role.public_url if role.instance.role == "shepherd" else role.url
    return Part(role.name, role.process, address, start, role.why_not_ready, role)


def find_parts(cluster: Cluster, names: list[str]) -> list[Part]:
    """The parts of these names; `indexer` or `zone:a` stands for all of a kind or zone.

    Raises UnknownPart.
    """
    parts = list_parts(cluster)
    found: list[Part] = []
    for name in names:
        hits = [part for part in parts if _matches(part, name)]
        if not hits:
            known = " ".join(part.name for part in parts)
            raise UnknownPart(f"there is no {name}; there are: {known}, zone:a and so on")
        found += hits
    return found


def _matches(part: Part, name: str) -> bool:
    if name.startswith("zone:"):
        return part.role is not None and part.role.instance.zone == name.removeprefix("zone:")
    return part.name == name or part.name.rsplit("-", 1)[0] == name


def _fine() -> None:
    return None
