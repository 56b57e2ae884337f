"""Every implementation of the four backend interfaces. All suites run for each one in this file.

`place` is a folder of the test's own: a server-based implementation takes a namespace from it.
Functions, not instances, because the suites open a backend in several processes.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from common.clock import SystemClock
from common.locks import Locks
from common.locks.files import FileLocks
from common.log import Log
from common.log.embedded.log import EmbeddedLog
from common.metadata import Metadata
from common.metadata.sqlite import SqliteMetadata
from common.objects import ObjectStore
from common.objects.directory import DirectoryObjects
from tests.conformance import cluster, kafka

PARTITIONS = 3
SMALL_STEP_BYTES = 256 * 1024  # so that a test rolls over many steps of retention
SMALL_QUEUE_BYTES = 300_000


@dataclass(frozen=True, slots=True)
class LogKind:
    """How to make a log; the small one has small retention steps and a small append buffer.

    forget: lets the log lose what is before an offset, in its own steps; returns the new start.
    server: fixture of the server that it needs. own_disk: whether it fills a disk of its own.
    """

    make: Callable[[Path, int], Log]
    make_small: Callable[[Path, int], Log]
    forget: Callable[[Log, int, int], Awaitable[int]]
    server: str = ""
    own_disk: bool = False


LOGS = {
    "embedded": LogKind(
        make=lambda place, partitions: EmbeddedLog(place, partitions, SystemClock()),
        make_small=lambda place, partitions: EmbeddedLog(
            place,
            partitions,
            SystemClock(),
            file_bytes_max=SMALL_STEP_BYTES,
            queue_bytes_max=SMALL_QUEUE_BYTES,
        ),
        forget=lambda log, partition, offset: log.drop_before(partition, offset),
        own_disk=True,
    ),
    "kafka": LogKind(
        make=kafka.make,
        make_small=lambda place, partitions: kafka.make_small(place, partitions, SMALL_QUEUE_BYTES),
        forget=kafka.forget,
        server="kafka_server",
    ),
}
OBJECTS: dict[str, Callable[[Path], ObjectStore]] = {
    "directory": DirectoryObjects,
    "s3": cluster.s3_objects,
}
METADATA: dict[str, Callable[[Path], Metadata]] = {
    "sqlite": lambda place: SqliteMetadata(place / "metadata.db"),
    "mysql": cluster.mysql_metadata,
}
LOCKS: dict[str, Callable[[Path], Locks]] = {
    "files": FileLocks,
    "zookeeper": cluster.zookeeper_locks,
}
# what runs on a server, and the fixture that starts it
SERVERS = {"s3": "s3_server", "mysql": "mariadb_server", "zookeeper": "zookeeper_server"}
LOCK_SESSIONS_S = {"files": 0.0, "zookeeper": 30.0}  # until a killed holder is surely gone
