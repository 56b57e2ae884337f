"""What every role is given when it starts: backends, clock, its place, and when to stop."""

import asyncio
import random
from dataclasses import dataclass, field
from pathlib import Path

from common.clock import Clock
from common.locks import Locks
from common.log import Log
from common.metadata import Metadata
from common.objects import ObjectStore
from common.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Backends:
    """The four backends, one instance each per process; opened and closed by the front door."""

    log: Log
    objects: ObjectStore
    metadata: Metadata
    locks: Locks


@dataclass(frozen=True, slots=True)
class RoleContext:
    """One role process.

    instance: unique name of this process; zone: where it runs; host, port: where its internal
    HTTP listens (port 0: the system chooses); folder: this role's own disk, empty on a new machine;
    internal_token: needed by internal endpoints and sent between roles; stop: set on SIGTERM, the
    role then finishes what is in flight and returns.
    """

    role: str
    instance: str
    zone: str
    host: str
    port: int
    folder: Path
    backends: Backends
    clock: Clock
    random: random.Random
    telemetry: Telemetry
    stop: asyncio.Event
    internal_token: str = field(repr=False)
