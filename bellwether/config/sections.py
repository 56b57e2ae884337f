"""Sections of the configuration that belong to no role; every role declares its own."""

import re
import socket
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from common import limits
from common.settings import setting

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_WILDCARDS = ("0.0.0.0", "::")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class LogKind(StrEnum):
    """Where acknowledged records are."""

    EMBEDDED = "embedded"
    KAFKA = "kafka"


class ObjectsKind(StrEnum):
    """Where segments and manifests are."""

    DIRECTORY = "directory"
    S3 = "s3"


class MetadataKind(StrEnum):
    """Where teams, keys and datasets are."""

    SQLITE = "sqlite"
    MYSQL = "mysql"


class LocksKind(StrEnum):
    """Where members and claims are."""

    FILES = "files"
    ZOOKEEPER = "zookeeper"


@dataclass(frozen=True, slots=True)
class BackendsConfig:
    """Which implementation of each backend is used: of one machine, or of a cluster."""

    log: LogKind = setting(LogKind.EMBEDDED, "embedded (the data folder) or kafka.")
    objects: ObjectsKind = setting(ObjectsKind.DIRECTORY, "directory (the data folder) or s3.")
    metadata: MetadataKind = setting(MetadataKind.SQLITE, "sqlite (the data folder) or mysql.")
    locks: LocksKind = setting(LocksKind.FILES, "files (the data folder) or zookeeper.")

    @property
    def embedded(self) -> bool:
        """Whether all of them are in the data folder."""
        return self == BackendsConfig()


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """What every process of one machine shares."""

    data: Path = setting(Path("data"), "Folder that holds everything Bellwether keeps.")
    zone: str = setting("a", "Zone this process runs in; twins of a partition never share one.")
    internal_host: str = setting(
        "127.0.0.1", "Address where roles listen for each other; keep it off public networks."
    )
    internal_port: int = setting(0, "Port where a role listens for others (0: any free one).")
    advertise_host: str = setting(
        "", "Address where others reach this process (empty: internal_host, or the host's name)."
    )
    slot: str = setting("0", "Tells processes of one role in one zone apart; kept over restarts.")
    internal_token: str = setting(
        "", "Token between roles of several machines (empty: the data folder's).", secret=True
    )
    log_level: str = setting("INFO", f"How much is logged: one of {', '.join(LOG_LEVELS)}.")
    telemetry: bool = setting(
        True, "Whether Bellwether writes events about itself to its own `bellwether` dataset."
    )
    reserve_mb: int = setting(
        64,
        "MB of the disk kept back in the data folder, so that roles start and answer on a full one "
        "(of a small disk a twentieth, at least 8; 0: none).",
    )
    datasets_max: int = setting(
        limits.DATASETS_MAX_DEFAULT,
        "Datasets that an environment may have, for shepherds and query roles alike; events for "
        "one more are refused with 403. Each costs a file in every cut and memory in every role.",
    )
    stop_timeout_s: float = setting(
        30.0, "Seconds a role may take to finish what is in flight before it is ended."
    )

    def __post_init__(self) -> None:
        if self.log_level.upper() not in LOG_LEVELS:
            raise ValueError(f"log_level must be one of {', '.join(LOG_LEVELS)}")
        if not self.zone or "/" in self.zone:
            raise ValueError("zone must be a word without '/'")
        if not 0 <= self.reserve_mb <= 1_000_000:
            raise ValueError("reserve_mb must be between 0 and 1000000")
        if self.datasets_max < 1:
            raise ValueError("datasets_max must be 1 or more")
        if self.stop_timeout_s <= 0:
            raise ValueError("stop_timeout_s must be more than 0")
        if not 0 <= self.internal_port <= 65_535:
            raise ValueError("internal_port must be between 0 and 65535")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", self.slot):
            raise ValueError("slot must be a word of A-Z, a-z, 0-9, '_' and '-'")
        if self.internal_token and not re.fullmatch(r"[!-~]{16,256}", self.internal_token):
            raise ValueError("internal_token must have 16 to 256 visible ASCII characters")

    @property
    def advertised_host(self) -> str:
        """Where others reach this process."""
        wildcard = self.internal_host in _WILDCARDS
        return self.advertise_host or (socket.gethostname() if wildcard else self.internal_host)

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the internal address."""
        return self.internal_host in _LOOPBACK


@dataclass(frozen=True, slots=True)
class LogConfig:
    """The embedded log."""

    partitions: int = setting(4, "Partitions of a new log; an existing log keeps its own count.")

    def __post_init__(self) -> None:
        if not 1 <= self.partitions <= 1024:
            raise ValueError("partitions must be between 1 and 1024")


@dataclass(frozen=True, slots=True)
class UpConfig:
    """What the first start of `up`, or `init`, creates, and which roles `up` runs."""

    key: str = setting("", "API key to use instead of a generated one.", secret=True)
    twins: bool = setting(False, "Run two indexers of every partition, as if in two zones.")
    small: bool = setting(
        False,
        "Run all roles in one process with smaller bounds, for a machine with little memory "
        "(docs/operating.md: what a small machine needs).",
    )
    team: str = setting("Default", "Name of the first team.")
    environment: str = setting("Default", "Name of the first environment.")

    def __post_init__(self) -> None:
        if self.key and not (8 <= len(self.key) <= 128 and self.key.isascii()):
            raise ValueError("key must have 8 to 128 ASCII characters")
        if self.key and any(c.isspace() for c in self.key):
            raise ValueError("key must not hold white space")
