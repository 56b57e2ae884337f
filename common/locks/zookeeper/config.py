"""Settings of the locks in ZooKeeper."""

import re
from dataclasses import dataclass

from common.settings import setting

_ROOT = re.compile(r"(/[A-Za-z0-9._-]+)+")
_SESSION_MS_MIN = 1_000  # with less, a short pause of a process would lose it its claims
_SESSION_MS_MAX = 40_000  # the longest session that a server grants by default


@dataclass(frozen=True, slots=True)
class ZookeeperConfig:
    """Locks in ZooKeeper."""

    servers: str = setting("", "Every member of the ensemble, as host:port,host:port,...")
    root: str = setting("/bellwether", "Node that everything is kept below.")
    session_ms: int = setting(4_000, "A process that is silent for so long loses its claims.")
    username: str = setting("", "User of the digest scheme; its nodes are then its own.")
    password: str = setting("", "Password of the user.", secret=True)
    tls: bool = setting(False, "Whether to connect with TLS.")
    ca: str = setting("", "PEM file of the authority to trust (with tls).")
    cert: str = setting("", "PEM file of the certificate to show (with tls).")
    key: str = setting("", "PEM file of that certificate's private key.")

    def __post_init__(self) -> None:
        if not _ROOT.fullmatch(self.root):
            raise ValueError("root must be a path of a node such as /bellwether")
        if not _SESSION_MS_MIN <= self.session_ms <= _SESSION_MS_MAX:
            raise ValueError(f"session_ms must be between {_SESSION_MS_MIN} and {_SESSION_MS_MAX}")
        for member in members_of(self):
            host, _, port = member.rpartition(":")
            if not host or not port.isdigit() or not 0 < int(port) < 65_536:
                raise ValueError(f"servers: {member!r} is not host:port")
        if bool(self.username) != bool(self.password):
            raise ValueError("username and password are given both or not at all")
        if ":" in self.username:
            raise ValueError("username must not hold ':'")
        if bool(self.cert) != bool(self.key):
            raise ValueError("cert and key are given both or not at all")
        if (self.ca or self.cert) and not self.tls:
            raise ValueError("ca, cert and key need tls = true")


def members_of(config: ZookeeperConfig) -> list[str]:
    """The members in the settings, as host:port."""
    return [part.strip() for part in config.servers.split(",") if part.strip()]
