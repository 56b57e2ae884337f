"""Settings of the metadata in MySQL or MariaDB."""

import re
from dataclasses import dataclass

from common.settings import setting

_DATABASE = re.compile(r"[A-Za-z0-9_]{1,64}")


@dataclass(frozen=True, slots=True)
class MysqlConfig:
    """Metadata in MySQL or MariaDB."""

    host: str = setting("", "Host of the database server.")
    port: int = setting(3306, "Port of the database server.")
    socket: str = setting("", "Unix socket to use instead of host and port.")
    user: str = setting("bellwether", "User to log in as.")
    password: str = setting("", "Password of the user.", secret=True)
    database: str = setting("bellwether", "Database; `bellwether init` creates it.")
    ca: str = setting("", "PEM file of the authority to trust; with it the connection is TLS.")
    timeout_ms: int = setting(2_000, "Longest wait for the server, connecting included.")
    connections: int = setting(6, "Connections kept by one process.")

    def __post_init__(self) -> None:
        if not _DATABASE.fullmatch(self.database):
            raise ValueError("database must be 1 to 64 of A-Z, a-z, 0-9 and '_'")
        if not 1 <= self.port <= 65_535:
            raise ValueError("port must be between 1 and 65535")
        if self.timeout_ms <= 0:
            raise ValueError("timeout_ms must be more than 0")
        if self.connections < 1:
            raise ValueError("connections must be at least 1")

    @property
    def address(self) -> str:
        """Where the server is, for messages."""
        return self.socket or f"{self.host}:{self.port}"
