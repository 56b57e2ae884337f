"""Our own endpoints under `/bw/1/`: status, cuts, and the tail of a dataset."""

import asyncio
import logging

import aiohttp
import msgspec
from aiohttp import web

from common import limits
from common.auth import KeyCache
from common.error_text import describe_error
from common.errors import LogUnavailable, Unavailable
from common.log import Log
from common.log.watch import LogWatch
from common.logs import say
from common.members import Member
from common.web import has_hung_up
from query.access import authorize, dataset_of
from query.holders import Holders
from query.indexer_calls import IndexerCalls
from query.shepherd_calls import placements
from query.tail_copies import FirstCopies, Shown

_ROLES = ("shepherd", "indexer", "query")
_TAIL_QUEUE_LINES = 1_000  # lines held for a slow reader; then the indexers are read slower
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5)
_logger = logging.getLogger(__name__)


class OperateRoutes:
    """Handlers. Status and cut need the right to operate, the tail the right to query."""

    def __init__(
        self,
        keys: KeyCache,
        holders: Holders,
        calls: IndexerCalls,
        log: Log,
        watch: LogWatch,
        stop: asyncio.Event,
    ) -> None:
        self._keys = keys
        self._holders = holders
        self._calls = calls
        self._log = log
        self._watch = watch
        self._stop = stop

    def add_to(self, app: web.Application) -> None:
        """Mount the routes."""
        app.router.add_get("/bw/1/status", self.status)
        app.router.add_post("/bw/1/cut", self.cut)
        app.router.add_get("/bw/1/tail/{dataset}", self.tail)

    async def status(self, request: web.Request) -> web.Response:
        """Roles that run, each partition of the log, each indexer's and shepherd's own status."""
        await authorize(self._keys, request, "operate")
        members = await self._holders.roles(_ROLES)
        holders = await self._holders.by_partition()
        numbers = range(self._watch.partitions)
        told = [member for member in members if member.role == "shepherd"]
        log, indexers, shepherds = await asyncio.gather(  # of what is stuck none waits for another
            asyncio.gather(*(self._partition(p, holders.get(p, [])) for p in numbers)),
            self._calls.status(),
            placements(self._calls.http, self._calls.headers, told),
        )
        body = {
            "roles": [msgspec.to_builtins(member) for member in members],
            "log": log,
            "indexers": indexers,
            "shepherds": shepherds,
        }
        return web.json_response(body)

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
            say(_logger, logging.WARNING, "log silent", partition=partition, error=str(error))
            return shown | {"error": str(error), "start": 0, "end": 0, "size_bytes": 0}
        return shown | {"start": bounds.start, "end": bounds.end, "size_bytes": size_bytes}

    async def cut(self, request: web.Request) -> web.Response:
        """Cut every partition now; answers when the segments are published."""
        await authorize(self._keys, request, "operate")
        answers = await self._calls.cut()
        return web.json_response({"partitions": self._watch.partitions, "indexers": answers})

    async def tail(self, request: web.Request) -> web.StreamResponse:
        """Events as they are indexed, one JSON object per line, until the caller hangs up."""
        key = await authorize(self._keys, request, "queries")
        dataset = dataset_of(key, request)
        after = request.query.get("after_ns", "")
        if after and not after.lstrip("-").isdigit():
            after = ""
        chosen = await self._one_holder_each()
        if not chosen:
            raise Unavailable("no indexer can be followed now")
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        lines: asyncio.Queue[bytes | None] = asyncio.Queue(_TAIL_QUEUE_LINES)
        copies = FirstCopies()
        readers = [
            asyncio.create_task(self._follow(member, partitions, dataset, after, copies, lines))
            for member, partitions in chosen
        ]
        readers.append(asyncio.create_task(self._until_moved(chosen, lines)))
        try:
            while not self._stop.is_set():
                try:
                    async with asyncio.timeout(limits.TAIL_LOOK_S):
                        line = await lines.get()
                except TimeoutError:  # a quiet dataset: a reader that left would not be noticed
                    if has_hung_up(request):
                        break
                    continue
                if line is None:  # an indexer left: who reads asks again, and follows its twin
                    break
                await response.write(line)
        except ConnectionError:
            say(_logger, logging.DEBUG, "tail reader left")
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)
        return response

    async def _one_holder_each(self) -> list[tuple[Member, list[int]]]:
        """One indexer for every partition, so that no event comes twice."""
        holders = await self._holders.by_partition()
        chosen: dict[str, tuple[Member, list[int]]] = {}
        for partition, held in sorted(holders.items()):
            if held:
                chosen.setdefault(held[0].url, (held[0], []))[1].append(partition)
        return [chosen[url] for url in sorted(chosen)]

    async def _until_moved(
        self, chosen: list[tuple[Member, list[int]]], lines: "asyncio.Queue[bytes | None]"
    ) -> None:
        """Ends the tail when other indexers than these are to be followed."""
        while True:
            await asyncio.sleep(limits.TAIL_LOOK_S)
            if _names(await self._one_holder_each()) != _names(chosen):
                await lines.put(None)
                return

    async def _follow(
        self,
        member: Member,
        partitions: list[int],
        dataset: str,
        after: str,
        copies: FirstCopies,
        lines: "asyncio.Queue[bytes | None]",
    ) -> None:
        numbers = ",".join(map(str, partitions))
        params = {"dataset": dataset, "partitions": numbers, "batches": "1"}
        params |= {"after_ns": after} if after else {}
        shown = Shown(copies)
        try:
            async with self._calls.http.get(
                f"{member.url}/internal/tail",
                params=params,
                headers=self._calls.headers,
                timeout=_NO_TIMEOUT,
                read_bufsize=limits.EVENT_BYTES_MAX,  # half of the longest line that it takes
            ) as source:
                source.raise_for_status()
                async for line in source.content:
                    if shown.take(line):
                        await lines.put(line)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            why = describe_error(error)
            say(_logger, logging.WARNING, "tail ended", indexer=member.instance, error=why)
        await lines.put(None)  # not when cancelled: nobody takes it then, and a full queue waits


def _names(chosen: list[tuple[Member, list[int]]]) -> list[tuple[str, list[int]]]:
    """Who is followed where; a member's readiness does not matter."""
    return [(member.url, partitions) for member, partitions in chosen]
