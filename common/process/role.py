"""The context with which every role starts: backends, clock, zone, addresses, stop event."""

import asyncio
import os
import random
from dataclasses import dataclass, field
from pathlib import Path

from common import limits
from common.clock import Clock, SystemClock
from common.locks import Locks
from common.log import Log
from common.metadata import Metadata
from common.objects import ObjectStore
from common.process.alarms.board import AlarmBoard
from common.process.machine.memory import GivingBack
from common.process.members import Member
from common.process.telemetry import Telemetry
from common.process.versions import OWN
from common.version import VERSION


@dataclass(frozen=True, slots=True)
class Backends:
    """The four backends, one instance each per process; `bellwether.wiring` opens them."""

    log: Log
    objects: ObjectStore
    metadata: Metadata
    locks: Locks


@dataclass(frozen=True, slots=True)
class RoleContext:
    """One role process.

    instance: unique name of this process.
    zone: where it runs.
    host, port: its internal HTTP listener (port 0: the system chooses).
    folder: this role's own disk, empty on a new machine.
    stop: set on SIGTERM; the role then finishes what is in flight and returns.
    internal_token: required by internal endpoints and sent between roles.
    slot: tells apart processes of one role in one zone; the same after a restart.
    advertise_host: the host by which others reach it (empty: `host`).
    giving_back: parts of the role that cache memory register here, so that it can be released.
    alarms: where the role raises alarms.
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
    slot: str = "0"
    advertise_host: str = ""
    datasets_max: int = limits.DATASETS_MAX_DEFAULT
    giving_back: GivingBack = field(default_factory=GivingBack)
    alarms: AlarmBoard = field(default_factory=lambda: AlarmBoard(SystemClock()))

    def member(self, port: int) -> Member:
        """This process as it is announced to others, listening on this port."""
        host = self.advertise_host or self.host
        host = f"[{host}]" if ":" in host else host
        return Member(
            role=self.role,
            instance=self.instance,
            url=f"http://{host}:{port}",
            zone=self.zone,
            pid=os.getpid(),
            started_ns=self.clock.now_ns(),
            version=VERSION,
            slot=self.slot,
            understands=OWN,
        )
