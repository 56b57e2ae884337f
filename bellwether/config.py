"""The front door's own sections of the configuration; every room declares its own."""

from dataclasses import dataclass
from pathlib import Path

from common.settings import setting

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """What every process of one machine shares."""

    data: Path = setting(Path("data"), "Folder that holds everything Bellwether keeps.")
    zone: str = setting("a", "Zone this process runs in; twins of a partition never share one.")
    internal_host: str = setting(
        "127.0.0.1", "Address where roles listen for each other; keep it off public networks."
    )
    log_level: str = setting("INFO", f"How much is logged: one of {', '.join(LOG_LEVELS)}.")
    telemetry: bool = setting(
        True, "Whether Bellwether writes events about itself to its own `bellwether` dataset."
    )
    stop_timeout_s: float = setting(
        30.0, "Seconds a role may take to finish what is in flight before it is ended."
    )

    def __post_init__(self) -> None:
        if self.log_level.upper() not in LOG_LEVELS:
            raise ValueError(f"log_level must be one of {', '.join(LOG_LEVELS)}")
        if not self.zone or "/" in self.zone:
            raise ValueError("zone must be a word without '/'")
        if self.stop_timeout_s <= 0:
            raise ValueError("stop_timeout_s must be more than 0")


@dataclass(frozen=True, slots=True)
class LogConfig:
    """The embedded log."""

    partitions: int = setting(4, "Partitions of a new log; an existing log keeps its own count.")

    def __post_init__(self) -> None:
        if not 1 <= self.partitions <= 1024:
            raise ValueError("partitions must be between 1 and 1024")


@dataclass(frozen=True, slots=True)
class UpConfig:
    """What `bellwether up` creates on the first start, and which roles it runs."""

    key: str = setting("", "API key to use instead of a generated one.", secret=True)
    twins: bool = setting(False, "Run two indexers of every partition, as if in two zones.")
    team: str = setting("Default", "Name of the first team.")
    environment: str = setting("Default", "Name of the first environment.")

    def __post_init__(self) -> None:
        if self.key and not (8 <= len(self.key) <= 128 and self.key.isascii()):
            raise ValueError("key must have 8 to 128 ASCII characters")
        if self.key and any(c.isspace() for c in self.key):
            raise ValueError("key must not hold white space")
