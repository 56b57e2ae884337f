"""A real shepherd in this process: real HTTP, the real embedded log, metadata and locks."""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from aiohttp import ClientSession

from common import limits
from common.clock import SystemClock
from common.errors import LogUnavailable
from common.locks.files import FileLocks
from common.log import Appended, Log
from common.log.embedded.log import EmbeddedLog
from common.metadata import Access, ApiKey, KeyKind
from common.metadata.sqlite import SqliteMetadata
from common.model.names import dataset_id
from common.model.record import Kind, Record, decode
from common.model.record_value import decompress_value
from common.objects.directory import DirectoryObjects
from common.process.auth import KEY_HEADER, hash_key
from common.process.http.service import Timing
from common.process.members import list_members
from common.process.role import Backends, RoleContext
from common.process.telemetry import NoTelemetry, Telemetry
from shepherd.config import ShepherdConfig
from shepherd.ingest.protocol import MakeProtocol
from shepherd.server import serve
from shepherd.wiring import PROTOCOLS

KEY = "testkey0testkey0testk1"
TOKEN = "internal-token"


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event as it is in the log."""

    partition: int
    record: Record
    time_ns: int
    rate: int
    data: object


class FaultyLog:
    """The real log with a switch: appends raise `fault` instead, of every record or some."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.fault: LogUnavailable | None = None
        self.hits: Callable[[Record], bool] = lambda record: True

    def __getattr__(self, name: str) -> object:
        return getattr(self._log, name)

    async def append(self, partition: int, record: Record) -> Appended:
        if self.fault and self.hits(record):
            raise self.fault
        return await self._log.append(partition, record)


class Shepherd:
    """A running shepherd: its address, its backends, a client session that carries the key."""

    def __init__(
        self,
        url: str,
        internal: str,
        backends: Backends,
        http: ClientSession,
        stop: asyncio.Event,
    ) -> None:
        self.url = url
        self.internal = internal
        self.backends = backends
        self.http = http
        self.stop = stop

    @property
    def log(self) -> FaultyLog:
        """The log with its fault switch."""
        assert isinstance(self.backends.log, FaultyLog)
        return self.backends.log

    async def post(
        self, path: str, body: object, headers: dict[str, str] | None = None
    ) -> tuple[int, Any, Mapping[str, str]]:
        """Status, decoded JSON (or the bytes) and headers of a POST; str and bytes as they are."""
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        if isinstance(body, str):
            data = body.encode()
        async with self.http.post(f"{self.url}{path}", data=data, headers=headers) as reply:
            raw = await reply.read()
            is_json = reply.content_type == "application/json" and raw
            return reply.status, orjson.loads(raw) if is_json else raw, reply.headers

    def add_key(
        self,
        text: str,
        kind: KeyKind = KeyKind.CONFIGURATION,
        access: Access | None = None,
        environment: str = "Env",
        events_per_s: int = 0,
        events_per_day: int = 0,
    ) -> ApiKey:
        """Create a key in the test's team."""
        metadata = self.backends.metadata
        team = metadata.ensure_team("Team", "team")
        key = ApiKey(
            id=f"id-{text[:20]}",
            hash=hash_key(text),
            kind=kind,
            name="test",
            team=team,
            environment=metadata.ensure_environment(team.id, environment, environment.lower()),
            access=access or Access(),
            events_per_s=events_per_s,
            events_per_day=events_per_day,
        )
        metadata.create_key(key)
        return key

    def dataset(self, slug: str, environment: str = "Env") -> str:
        """The id of a dataset of the test's team."""
        metadata = self.backends.metadata
        team = metadata.ensure_team("Team", "team")
        env = metadata.ensure_environment(team.id, environment, environment.lower())
        return dataset_id(team.id, env.id, slug)

    async def records(self) -> list[tuple[int, Record]]:
        """Every events record in the log, with its partition."""
        found = []
        for partition in range((await self.backends.log.open()).partitions):
            offset = 0
            while messages := await self.backends.log.read(partition, offset, 1 << 20, 0):
                offset = messages[-1].offset + 1
                found += [(partition, decode(message)) for message in messages]
        return [(p, record) for p, record in found if record.kind is Kind.EVENTS]

    async def events(self, dataset: str) -> list[StoredEvent]:
        """A dataset's events in the log (slug in the test's environment)."""
        identity = self.dataset(dataset)
        stored = []
        for partition, record in await self.records():
            if record.dataset == identity:
                for line in decompress_value(record.value).splitlines():
                    event = json.loads(line)  # reads lone surrogates, as clients send
                    stored.append(
                        StoredEvent(partition, record, event["t"], event["r"], event["d"])
                    )
        return stored


@contextlib.asynccontextmanager
async def shepherd(
    folder: Path,
    config: ShepherdConfig | None = None,
    telemetry: Telemetry | None = None,
    log: Log | None = None,
    datasets_max: int = limits.DATASETS_MAX_DEFAULT,
    timing: Timing | None = None,
    protocols: Sequence[MakeProtocol] = PROTOCOLS,
) -> AsyncIterator[Shepherd]:
    """Start a shepherd on free ports; stop it cleanly at the end. The embedded log unless given.

    Without a kernel folder in its settings it does not compile.
    """
    clock = SystemClock()
    for name in ("log", "objects", "locks", "role"):
        (folder / name).mkdir(exist_ok=True)
    metadata = SqliteMetadata(folder / "metadata.db")
    metadata.open()
    backends = Backends(
        log=FaultyLog(log or EmbeddedLog(folder / "log", 4, clock)),  # type: ignore[arg-type]  # by getattr
        objects=DirectoryObjects(folder / "objects"),
        metadata=metadata,
        locks=FileLocks(folder / "locks"),
    )
    await backends.log.open()
    listens: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    context = RoleContext(
        role="shepherd",
        instance="shepherd-1",
        zone="a",
        host="127.0.0.1",
        port=0,
        folder=folder / "role",
        backends=backends,
        clock=clock,
        random=random.Random(1),
        telemetry=telemetry or NoTelemetry(),
        stop=asyncio.Event(),
        internal_token=TOKEN,
        datasets_max=datasets_max,
    )
    config = config or ShepherdConfig(port=0)
    config = replace(config, kernel=bool(config.kernel_cache))
    running = asyncio.create_task(serve(context, config, listens.set_result, timing, protocols))
    await asyncio.wait({running, listens}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        await running
    (member,) = list_members(backends.locks, "shepherd")
    async with ClientSession(headers={KEY_HEADER: KEY}) as http:
        server = Shepherd(listens.result(), member.url, backends, http, context.stop)
        if metadata.find_key(hash_key(KEY)) is None:
            server.add_key(KEY)
        yield server
    context.stop.set()
    await running
    await backends.log.close()
    backends.locks.close()
    metadata.close()
