"""Settings of the log on Kafka."""

from dataclasses import dataclass

from common.settings import setting

SECURITY = ("plaintext", "ssl", "sasl_plaintext", "sasl_ssl")
SASL_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@dataclass(frozen=True, slots=True)
class KafkaConfig:
    """Where the log is, how it is reached, and what `bellwether init` creates."""

    servers: str = setting("127.0.0.1:9092", "First brokers to ask, as host:port, with commas.")
    topic: str = setting("bellwether", "Topic that is the log.")
    partitions: int = setting(12, "Partitions of a new topic; an existing topic keeps its own.")
    replication: int = setting(3, "Copies of every record; one broker each.")
    min_insync: int = setting(2, "Copies that must exist before a record is acknowledged.")
    retention_hours: int = setting(
        72, "How long the topic keeps records: how long indexers may be away without loss."
    )
    timeout_ms: int = setting(
        2500, "How long to wait for one answer of a broker before its connection is given up."
    )
    partition_bytes_max: int = setting(
        16 * 1024 * 1024, "Bytes of records on their way to one partition; then it is overloaded."
    )
    total_bytes_max: int = setting(
        64 * 1024 * 1024, "Bytes of records on their way in one process; then it is overloaded."
    )
    security: str = setting("plaintext", f"How brokers are reached: one of {', '.join(SECURITY)}.")
    ca: str = setting("", "File with the certificates that brokers must be signed by (PEM).")
    cert: str = setting("", "File with our certificate, where brokers ask for one (PEM).")
    key: str = setting("", "File with the key of our certificate (PEM).")
    sasl_mechanism: str = setting(
        "SCRAM-SHA-512", f"How we log in: one of {', '.join(SASL_MECHANISMS)}."
    )
    sasl_username: str = setting("", "User to log in as.")
    sasl_password: str = setting("", "Password of that user.", secret=True)

    def __post_init__(self) -> None:
        self.addresses()
        if not 0 < len(self.topic) <= 249 or not set(self.topic) <= _TOPIC_CHARS:
            raise ValueError("topic must be letters, digits, '.', '_' or '-', at most 249")
        if not 1 <= self.partitions <= 10_000:
            raise ValueError("partitions must be between 1 and 10000")
        if not 1 <= self.min_insync <= self.replication:
            raise ValueError("min_insync must be between 1 and replication")
        if self.retention_hours < 1:
            raise ValueError("retention_hours must be 1 or more")
        if not 100 <= self.timeout_ms <= 60_000:
            raise ValueError("timeout_ms must be between 100 and 60000")
        if not 0 < self.partition_bytes_max <= self.total_bytes_max:
            raise ValueError("partition_bytes_max must be more than 0, up to total_bytes_max")
        if self.security not in SECURITY:
            raise ValueError(f"security must be one of {', '.join(SECURITY)}")
        if self.security.startswith("sasl"):
            if self.sasl_mechanism not in SASL_MECHANISMS:
                raise ValueError(f"sasl_mechanism must be one of {', '.join(SASL_MECHANISMS)}")
            if not self.sasl_username or not self.sasl_password:
                raise ValueError("sasl_username and sasl_password must be set")
        if bool(self.cert) != bool(self.key):
            raise ValueError("cert and key belong together")

    def addresses(self) -> tuple[tuple[str, int], ...]:
        """The first brokers as (host, port). Raises ValueError."""
        found = []
        for part in filter(None, (p.strip() for p in self.servers.split(","))):
            host, _, port = part.rpartition(":")
            if not host or not port.isdigit() or not 0 < int(port) < 65_536:
                raise ValueError(f"servers: {part!r} is not host:port")
            found.append((host.strip("[]"), int(port)))
        if not found:
            raise ValueError("servers must name at least one broker as host:port")
        return tuple(found)


_TOPIC_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
