"""The indexer's internal routes: status, cut, tail. `query.share.serve.route` answers shares."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from aiohttp import web

from common import limits
from common.clock import Clock
from common.errors import (
    BadRequest,
    BellwetherError,
    LogUnavailable,
    TooManyRequests,
    Unavailable,
)
from common.log import Log
from common.logs import log_event
from common.model.record import Marker, marker_record
from common.process.alarms.board import AlarmBoard
from common.process.error_body import busy_response
from common.process.fair.queue import NoRoom
from common.process.versions import decode_request
from common.process.web import Handler, error_response, has_hung_up
from indexer.partition.partition import Partition
from indexer.partition.prefetch import Prefetcher
from indexer.partition.status import Writers, describe
from indexer.seal.partition_reader import is_published, last_manifest
from indexer.shred import Shredder
from indexer.tail.registry import TailRegistry
from indexer.tail.tail import TailSubscription
from query.wire.tail import TailFilter, TailRequest
from segment.parquet.selected import SelectedEncoders

logger = logging.getLogger(__name__)
_CUT_TIMEOUT_NS = 60 * 10**9


class Endpoints:
    """Handlers over the partitions of this indexer."""

    def __init__(
        self,
        partitions: Mapping[int, Partition],
        tails: TailRegistry,
        log: Log,
        clock: Clock,
        shredder: Shredder,
        encoders: SelectedEncoders,
        prefetcher: Prefetcher,
        claims: Callable[[], dict[str, object]],
        alarms: AlarmBoard,
        unrepaired: Callable[[int], dict[str, str]],
        formats: Callable[[], dict[str, object]],
        compaction: Callable[[int], dict[str, object]],
        summaries: Callable[[], dict[str, object]],
    ) -> None:
        self._partitions = partitions
        self._tails = tails
        self._log = log
        self._clock = clock
        self._shredder = shredder
        self._encoders = encoders
        self._prefetcher = prefetcher
        self._claims = claims
        self._alarms = alarms
        self._unrepaired = unrepaired
        self._formats = formats
        self._compaction = compaction
        self._summaries = summaries

    def add_routes(self, app: web.Application) -> None:
        """Add the routes of this module."""
        app.router.add_get("/internal/status", with_json_errors(self.status))
        app.router.add_post("/internal/cut", with_json_errors(self.cut))
        app.router.add_get("/internal/tail", with_json_errors(self.tail))
        app.router.add_post("/internal/tail", with_json_errors(self.tail))

    async def status(self, _: web.Request) -> web.StreamResponse:
        """The state of every partition held."""
        writers = Writers(self._shredder.name, self._encoders.now.name)
        now_ns = self._clock.now_ns()
        found = {
            str(n): describe(p, writers, self._unrepaired(n), now_ns)
            | {"compaction": self._compaction(n)}
            for n, p in sorted(self._partitions.items())
        }
        body = {"partitions": found, "warming": self._prefetcher.describe()}
        body["claims"] = self._claims()
        body["formats"] = self._formats()
        body["summaries"] = self._summaries()
        body["alarms"] = self._alarms.describe()
        return web.json_response(body)

    async def cut(self, request: web.Request) -> web.StreamResponse:
        """Append a marker, which cuts, to every partition held; ?wait=1 waits for publishing."""
        wait = request.query.get("wait") == "1"
        deadline_ns = self._clock.monotonic_ns() + _CUT_TIMEOUT_NS
        held = sorted(self._partitions.items())
        outcomes = await asyncio.gather(
            *(self._cut_one(partition, wait, deadline_ns) for _, partition in held)
        )
        found = {str(number): one for (number, _), one in zip(held, outcomes, strict=True)}
        return web.json_response({"partitions": found})

    async def _cut_one(
        self, partition: Partition, wait: bool, deadline_ns: int
    ) -> dict[str, object]:
        """Cut one partition: the offset of its marker, whether it is published, and if not, why."""
        marker = marker_record(Marker(hour=None, reason="on demand"))
        outcome: dict[str, object] = {
            "marker": None,
            "published": False,
            "manifest": None,
            "why": "",
        }
        try:
            offset = (await self._log.append(partition.number, marker)).position.offset
        except LogUnavailable as error:
            return outcome | {"why": f"the marker cannot be appended: {error}"}
        outcome["marker"] = offset
        if not wait:
            return outcome
        if await partition.wait_until(lambda: is_published(partition, offset + 1), deadline_ns):
            newest = last_manifest(partition)
            return outcome | {"published": True, "manifest": None if newest is None else newest.key}
        alarms = "; ".join(self._alarms.of(partition.number).values())
        held = "" if partition.pipeline is None else partition.pipeline.held_because
        why = partition.stopped_reason or held or alarms or "not indexed or not published in time"
        return outcome | {"why": why}

    async def tail(self, request: web.Request) -> web.StreamResponse:
        """Events of a dataset as they are indexed, a JSON object a line. POST: with conditions."""
        try:
            tail = self._tails.open(*await _read_subscription(request))
        except NoRoom as error:
            return busy_response(_too_many_tails(own=error.own))
        try:
            response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
            await response.prepare(request)
            while not has_hung_up(request):
                try:
                    async with asyncio.timeout(self._tails.bounds.hang_up_check_s):
                        await tail.wait()
                except TimeoutError:  # a quiet dataset: check whether the reader has left
                    continue
                try:
                    if lines := await tail.take():
                        await response.write(lines)
                except BellwetherError as error:  # the reader opens another one
                    log_event(logger, logging.WARNING, "tail ended", why=str(error))
                    break
                except ConnectionError:  # the reader has just left: not an error
                    break
                await asyncio.sleep(tail.pause_s)
            return response
        finally:
            self._tails.close(tail)


def _too_many_tails(*, own: bool) -> BellwetherError:
    if own:
        text = "too many tails of this environment or key are open here; try again later"
        return TooManyRequests(text, limits.TAIL_RETRY_S)
    return Unavailable("too many tails are open here; try again later", limits.TAIL_RETRY_S)


async def _read_subscription(request: web.Request) -> tuple[TailSubscription, TailFilter]:
    """The subscription and filter of a request for a tail. Raises BadRequest."""
    if request.method == "GET":
        return _subscription_of(request), TailFilter()
    body = decode_request(await request.read(), TailRequest)
    numbers = None if body.partitions is None else frozenset(body.partitions)
    subscription = TailSubscription(
        body.dataset, body.after_ns, numbers, body.batches, env=body.env, key=body.key
    )
    return subscription, body.choice


def _subscription_of(request: web.Request) -> TailSubscription:
    """The subscription in the parameters of a request. Raises BadRequest."""
    query = request.query
    try:
        after_ns = int(query["after_ns"]) if "after_ns" in query else None
        partitions = query.get("partitions", "")
        numbers = frozenset(map(int, partitions.split(","))) if partitions else None
    except ValueError as error:
        raise BadRequest("after_ns and partitions are whole numbers") from error
    if not query.get("dataset"):
        raise BadRequest("name the dataset: ?dataset=<id>")
    batches = query.get("batches") == "1"
    reader = (query.get("env", ""), query.get("key", ""))
    return TailSubscription(query["dataset"], after_ns, numbers, batches, *reader)


def with_json_errors(handler: Handler) -> Handler:
    """The handler with errors as JSON responses."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except BellwetherError as error:
            return error_response(error)

    return answer
