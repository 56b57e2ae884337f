"""`/bw/1/status` and `/bw/1/cut`, for operators."""

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
        indexers: IndexerClient,
        log: Log,
        watch: LogWatch,
    ) -> None:
        self._keys = keys
        self._replicas = replicas
        self._indexers = indexers
        self._log = log
        self._watch = watch

    def add_to(self, app: web.Application) -> None:
        """Mount the routes."""
        app.router.add_get("/bw/1/status", self.status)
        app.router.add_post("/bw/1/cut", self.cut)

    async def status(self, request: web.Request) -> web.Response:
        """Running roles, partitions of the log, and the status of each indexer and shepherd."""
        await authorize(self._keys, request, "operate")
        known = await self._replicas.known_roles()
        members = known.members
        try:
            by_partition = await self._replicas.by_partition()
        except Unavailable:  # the locks were never read since the start: `known` has the error
            by_partition = {}
        numbers = range(self._watch.partitions)
        shepherds_known = [member for member in members if member.role == "shepherd"]
        log, indexers, shepherds = await asyncio.gather(  # in parallel: none delays another
            asyncio.gather(*(self._partition(p, by_partition.get(p, [])) for p in numbers)),
            self._indexers_status(),
            placements(self._indexers.http, self._indexers.headers, shepherds_known),
        )
        body = {
            "locks": {"error": known.error, "age_s": known.age_s},
            "roles": [msgspec.to_builtins(member) for member in members],
            "log": log,
            "indexers": indexers,
            "shepherds": shepherds,
        }
        return web.json_response(body)

    async def _indexers_status(self) -> list[dict[str, Any]]:
        try:
            return await self._indexers.status()
        except Unavailable:
            return []

    async def _partition(self, partition: int, indexers: list[Member]) -> dict[str, object]:
        """A partition of the log, or the error that the log answered with."""
        shown: dict[str, object] = {
            "partition": partition,
            "indexers": [member.instance for member in indexers],
        }
        try:
            bounds = await self._log.bounds(partition)
            size_bytes = await self._log.size_bytes(partition)
        except LogUnavailable as error:
            log_event(_logger, logging.WARNING, "log silent", partition=partition, error=str(error))
            return shown | {"error": str(error), "start": 0, "end": 0, "size_bytes": 0}
        return shown | {"start": bounds.start, "end": bounds.end, "size_bytes": size_bytes}

    async def cut(self, request: web.Request) -> web.Response:
        """Cut every partition now; answer when the segments are published."""
        await authorize(self._keys, request, "operate")
        answers = await self._indexers.cut()
        return web.json_response({"partitions": self._watch.partitions, "indexers": answers})
