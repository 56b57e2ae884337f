"""Our own endpoints under `/bw/1/`: status and cuts (`query.tail.route` has the tail)."""

import asyncio
import logging
from typing import Any

import msgspec
from aiohttp import web

from common.errors import LogUnavailable, Unavailable
from common.log import Log
from common.log.watch import LogWatch
from common.logs import log_event
from common.process.auth import KeyCache
from common.process.members import Member
from query.http.access import authorize
from query.scatter.indexer_client import IndexerClient
from query.scatter.replicas import Replicas
from query.scatter.shepherd_client import placements

_logger = logging.getLogger(__name__)


class OperationsRoutes:
    """Handlers; both need the right to operate."""

    def __init__(
        self,
        keys: KeyCache,
        replicas: Replicas,
        calls: IndexerClient,
        log: Log,
        watch: LogWatch,
    ) -> None:
        self._keys = keys
        self._replicas = replicas
        self._calls = calls
        self._log = log
        self._watch = watch

    def add_to(self, app: web.Application) -> None:
        """Mount the routes."""
        app.router.add_get("/bw/1/status", self.status)
        app.router.add_post("/bw/1/cut", self.cut)

    async def status(self, request: web.Request) -> web.Response:
        """Roles that run, each partition of the log, each indexer's and shepherd's own status."""
        await authorize(self._keys, request, "operate")
        known = await self._replicas.known_roles()
        members = known.members
        try:
            holders = await self._replicas.by_partition()
        except Unavailable:  # never read since this role started: said by `known`
            holders = {}
        numbers = range(self._watch.partitions)
        told = [member for member in members if member.role == "shepherd"]
        log, indexers, shepherds = await asyncio.gather(  # of what is stuck none waits for another
            asyncio.gather(*(self._partition(p, holders.get(p, [])) for p in numbers)),
            self._indexers(),
            placements(self._calls.http, self._calls.headers, told),
        )
        body = {
            "locks": {"error": known.error, "age_s": known.age_s},
            "roles": [msgspec.to_builtins(member) for member in members],
            "log": log,
            "indexers": indexers,
            "shepherds": shepherds,
        }
        return web.json_response(body)

    async def _indexers(self) -> list[dict[str, Any]]:
        try:
            return await self._calls.status()
        except Unavailable:
            return []

    async def _partition(self, partition: int, holders: list[Member]) -> dict[str, object]:
        """One partition of the log; when it does not answer that is what there is to say."""
        shown: dict[str, object] = {
            "partition": partition,
            "indexers": [member.instance for member in holders],
        }
        try:
            bounds = await self._log.bounds(partition)
            size_bytes = await self._log.size_bytes(partition)
        except LogUnavailable as error:
            log_event(_logger, logging.WARNING, "log silent", partition=partition, error=str(error))
            return shown | {"error": str(error), "start": 0, "end": 0, "size_bytes": 0}
        return shown | {"start": bounds.start, "end": bounds.end, "size_bytes": size_bytes}

    async def cut(self, request: web.Request) -> web.Response:
        """Cut every partition now; answers when the segments are published."""
        await authorize(self._keys, request, "operate")
        answers = await self._calls.cut()
        return web.json_response({"partitions": self._watch.partitions, "indexers": answers})
