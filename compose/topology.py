"""The topology of a cluster: declared once, for the plain-process launcher and for compose.yaml.

Keeps I6: indexers run in zones, and every partition is held in `copies` different zones. Both
forms take servers, roles and server settings from here, so they cannot drift apart.
"""

from dataclasses import dataclass, field

TOPIC = "bellwether"
BUCKET = "bellwether"
DATABASE = "bellwether"
ZOOKEEPER_ROOT = "/bellwether"
SERVERS = ("zookeeper", "mariadb", "s3", "kafka")  # in the order in which they are started
ROLES = ("indexer", "query", "shepherd")  # in the order in which they are started
STOP_ORDER = ("shepherd", "query", "indexer")  # readers of the log stop last, after its writers


@dataclass(frozen=True, slots=True)
class KafkaTuning:
    """Settings that bound the effect of a broker's failure, and the resources of a broker.

    session_ms: a broker that is silent for this long is fenced; until then every write that
    needs it waits. The server's own default is 9,000.
    replica_lag_ms: a follower that lags this long leaves the in-sync set.
    imbalance_check_s: how often leaders are given back to a broker that has returned (default 300).
    """

    heap_mb: int = 288
    session_ms: int = 2_000
    heartbeat_ms: int = 500
    replica_lag_ms: int = 5_000
    imbalance_check_s: int = 5
    retention_hours: int = 72
    segment_bytes: int = 64 * 1024 * 1024
    message_bytes_max: int = 4 * 1024 * 1024  # above our largest record, so none is refused

    def __post_init__(self) -> None:
        if self.heartbeat_ms * 2 > self.session_ms:
            raise ValueError("heartbeat_ms must be at most half of session_ms")


@dataclass(frozen=True, slots=True)
class ZookeeperTuning:
    """tick_ms: ms; the shortest session is two ticks.
    heap_mb: MB of each member's heap.
    """

    heap_mb: int = 96
    tick_ms: int = 500


@dataclass(frozen=True, slots=True)
class MariadbTuning:
    """Memory for pages and connections at once."""

    buffer_mb: int = 64
    connections_max: int = 200


@dataclass(frozen=True, slots=True, order=True)
class RoleInstance:
    """One role process: `index` counts from 0 within its role and zone."""

    role: str
    zone: str
    index: int = 0

    @property
    def name(self) -> str:
        """The process's name in commands, logs and compose.yaml."""
        return f"{self.role}-{self.zone}{self.index or ''}"


@dataclass(frozen=True, slots=True)
class Topology:
    """Servers and roles. Each of `shepherds` and `queries` is the number over all zones."""

    zones: tuple[str, ...] = ("a", "b", "c")
    brokers: int = 3
    zookeepers: int = 3
    indexers_per_zone: int = 1
    shepherds: int = 3
    queries: int = 2
    partitions: int = 12
    replication: int = 3
    min_insync: int = 2
    copies: int = 2
    kafka: KafkaTuning = field(default_factory=KafkaTuning)
    zookeeper: ZookeeperTuning = field(default_factory=ZookeeperTuning)
    mariadb: MariadbTuning = field(default_factory=MariadbTuning)

    def __post_init__(self) -> None:
        if not self.zones or len(set(self.zones)) != len(self.zones):
            raise ValueError("zones must be named once each, and there must be one")
        if any(not zone.isalnum() for zone in self.zones):
            raise ValueError("a zone's name must consist of letters and digits")
        if self.replication > self.brokers:
            raise ValueError("replication cannot be more than the number of brokers")
        if self.min_insync >= self.replication > 1:
            raise ValueError("min_insync must be less than replication, or no broker may fail")
        counts = (self.brokers, self.zookeepers, self.indexers_per_zone, self.shepherds)
        if min(*counts, self.queries, self.partitions) < 1:
            raise ValueError("there must be at least one of every server and role")

    @property
    def copies_possible(self) -> int:
        """The number of zones that hold a partition: `copies`, or all if there are fewer."""
        return min(self.copies, len(self.zones))

    def rack(self, broker: int) -> str:
        """The zone of a broker, which counts from 1."""
        return self.zones[(broker - 1) % len(self.zones)]

    def instances(self) -> tuple[RoleInstance, ...]:
        """Every role process, in the order in which they are started."""
        indexers = [
            RoleInstance("indexer", zone, index)
            for index in range(self.indexers_per_zone)
            for zone in self.zones
        ]
        return (*indexers, *self._spread("query", self.queries), *self._shepherds())

    def _shepherds(self) -> tuple[RoleInstance, ...]:
        return self._spread("shepherd", self.shepherds)

    def _spread(self, role: str, count: int) -> tuple[RoleInstance, ...]:
        """`count` processes of a role, over the zones in turn."""
        zones = self.zones
        return tuple(
            RoleInstance(role, zones[n % len(zones)], n // len(zones)) for n in range(count)
        )
