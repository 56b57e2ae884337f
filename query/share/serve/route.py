"""`POST /internal/share`: the route with which an indexer answers for its partitions.

Concurrent and queued shares are bounded (I11) and take fair turns between environments and keys
(I14). A share stops, or leaves the queue, when its time is up or its caller disconnects. A
partition that is not held here is missing from the coverage of the answer.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from functools import partial
from typing import NamedTuple

import pyarrow as pa
from aiohttp import web

from common import limits
from common.errors import BadRequest, BellwetherError, TooLarge, Unavailable
from common.metrics import shares_running
from common.process.error_body import busy_response
from common.process.fair.queue import FairLimits
from common.process.fair.requester import Requester
from common.process.fair.slots import FairSlots
from common.process.machine.niceness import be_nice
from common.process.web import error_response, has_hung_up
from common.tasks import cancel_and_wait
from query.plan.calculated import named_fields, stored_filters
from query.plan.check_plan import check_keys, check_request
from query.plan.parts.conditions import Filter
from query.plan.parts.spans import DEFAULT_NAMES, SpanDataset, SpanNames
from query.plan.plan import Plan, ShareRequest, plan_searches
from query.share.compute.answer import CONTENT_TYPE, encode_answer, of_version
from query.share.compute.computation import Computation
from query.share.compute.database import Databases
from query.share.compute.errors import ShareCancelled
from query.share.compute.too_heavy import too_many_bytes
from query.share.pruning.footer_facts import FooterFacts
from query.share.pruning.trace_filters import TextLookup
from query.share.serve.bodies import ShareBodies, until_started
from query.share.sources.small_segments import SmallSegments
from query.share.spans.conditions import pruning_filters
from query.share.states.concurrency import earlier_plan
from query.share.states.version_1 import plan_with_typed_groups
from query.share.view.view import (
    DatasetView,
    EndsWanted,
    PartitionNotHeld,
    PartitionViews,
    ViewRequest,
)
from query.wire.keys import decode_body
from segment.parquet.selected import SelectedEncoders

Body = bytes | bytearray
_TIME_MIN_NS = -(2**63)


class ShareEndpoint:
    """The handler with its limits. Call `close` after the server has stopped.

    databases: as many as `running_max`, which `close` closes.
    encoders: whose hashes of texts are used.
    """

    def __init__(
        self,
        views: PartitionViews,
        databases: Databases,
        encoders: SelectedEncoders,
        *,
        running_max: int = 4,
        waiting_max: int = 32,
        env_running_max: int = 4,
    ) -> None:
        self._views = views
        self._databases = databases
        self._encoders = encoders
        self._small = SmallSegments()
        self._facts = FooterFacts()
        room = running_max + waiting_max
        kept_free = min(limits.SHARES_KEPT_FREE, running_max - 1)
        # An admitted share may first wait long for a position, which must not block others.
        inside = FairLimits(
            room,
            0,
            env_per_free=limits.SHARES_ENV_PER_FREE,
            key_per_free=limits.SHARES_KEY_PER_FREE,
        )
        self._inside = FairSlots(inside, "queries on this indexer")
        for_keys = min(limits.KEY_KEPT_FREE, running_max - kept_free - 1)
        slots = FairLimits(running_max, room, kept_free, for_keys, running_env_max=env_running_max)
        self._slots = FairSlots(slots, "queries")
        self._bodies = ShareBodies(room)
        # Databases are opened in these threads, and DuckDB's own have their priority.
        self._threads = ThreadPoolExecutor(
            running_max, "share", initializer=partial(be_nice, limits.SHARE_NICENESS)
        )

    def close(self) -> None:
        """Release threads and databases without waiting for running shares."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._databases.close()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request for a share."""
        try:
            async with self._bodies.read(request) as data:
                return await self._handle(request, data)
        except ShareCancelled:
            return error_response(Unavailable("the share took longer than its time allows"))
        except (BadRequest, TooLarge) as error:
            return error_response(error)
        except BellwetherError as error:
            return busy_response(error)

    async def _handle(self, request: web.Request, data: Body) -> web.StreamResponse:
        wanted, keys = decode_body(data)
        check_request(wanted)
        check_keys(wanted, [table.column_names for table in keys])
        try:
            place = self._inside.hold(*_asker(wanted.plan))
        except BellwetherError as error:
            return busy_response(error)
        try:
            answer = await self._answer(wanted, lambda: has_hung_up(request), keys)
        except BellwetherError as error:
            return error_response(error)
        finally:
            place.leave()
        return web.Response(body=answer, content_type=CONTENT_TYPE)

    async def _answer(
        self, wanted: ShareRequest, abandoned: Callable[[], bool], keys: Sequence[pa.Table]
    ) -> Body:
        plan = plan_with_typed_groups(wanted.plan) if wanted.version == 1 else wanted.plan
        deadline = asyncio.get_running_loop().time() + plan.timeout_ms / 1000
        async with AsyncExitStack() as leases:
            datasets = _datasets(plan)
            entering = (
                self._enter(leases, plan, partition, one)
                for partition in wanted.partitions
                for one in datasets
            )
            views = _whole_partitions(len(datasets), await _all(entering, abandoned))
            place = self._slots.hold(*_asker(plan))
            try:
                await until_started(place, deadline, abandoned)
                shares_running.set(self._slots.running)
                computation = Computation(
                    plan, views, self._databases, self._small, self._facts, wanted.version,
                    self._encoders.now.hashes, keys,
                )  # fmt: skip
                return await self._compute(computation, wanted.version, deadline, abandoned)
            finally:
                place.leave()
                shares_running.set(self._slots.running)

    async def _enter(
        self,
        leases: AsyncExitStack,
        plan: Plan,
        partition: int,
        dataset: "_Dataset",
    ) -> DatasetView | None:
        """A view; None: the partition is not held."""
        earlier = plan if plan.open_spans is None else earlier_plan(plan)
        margin_ns = 0 if plan.instances is None else plan.instances.margin_ns
        wanted = ViewRequest(
            _TIME_MIN_NS if plan.reads_ends else earlier.start_ns - margin_ns,
            plan.end_ns + margin_ns,
            plan.log,
            plan.at_least.get(partition),
            plan.wait_ms,
            frozenset(named_fields(plan)),
            dataset.filters,
            plan.any_filter and plan.spans is None,
            _asker(plan),
            dataset.lookup,
            bool(plan_searches(plan)),
            EndsWanted(earlier.start_ns, dataset.durations) if plan.reads_ends else None,
            () if plan.reads_ends or plan.spans is not None else dataset.durations,
        )
        try:
            return await leases.enter_async_context(
                self._views.lease(partition, dataset.id, wanted)
            )
        except PartitionNotHeld:
            return None

    async def _compute(
        self,
        computation: Computation,
        version: int,
        deadline: float,
        abandoned: Callable[[], bool],
    ) -> Body:
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._threads, _run, computation, version)
        try:
            while not running.done():
                await asyncio.wait({running}, timeout=limits.HANG_UP_CHECK_S)
                if loop.time() > deadline or abandoned():
                    computation.cancel()
            return running.result()
        except asyncio.CancelledError:
            while not running.done():
                computation.cancel()
                await asyncio.wait({running}, timeout=limits.HANG_UP_CHECK_S)
            raise
        finally:
            # its error has this frame: with a cycle, states would stay until garbage is collected
            del running


def _run(computation: Computation, version: int) -> Body:
    """The answer as a request of this version expects it."""
    data = encode_answer(of_version(computation.run(), version, computation.breakdowns))
    if len(data) > limits.SHARE_BYTES_MAX:
        raise too_many_bytes(limits.SHARE_BYTES_MAX)
    return data


class _Dataset(NamedTuple):
    """A dataset that a plan reads, and by what its segments are skipped."""

    id: str
    filters: tuple[Filter, ...]
    lookup: TextLookup | None = None
    durations: tuple[str, ...] = DEFAULT_NAMES.duration_ms


def _datasets(plan: Plan) -> list[_Dataset]:
    if plan.spans is None:
        every = plan.datasets or (SpanDataset(plan.dataset),)
        return [
            _Dataset(one.id, stored_filters(plan), durations=one.names.duration_ms) for one in every
        ]
    ids = plan.spans.trace_ids
    lookups: dict[SpanNames, TextLookup] = {}
    if ids is not None:
        names = {one.names for one in plan.spans.datasets}
        lookups = {some: TextLookup.of(some.trace_id, ids) for some in names}
    return [
        _Dataset(one.id, pruning_filters(plan, one), lookups.get(one.names), one.names.duration_ms)
        for one in plan.spans.datasets
    ]


def _whole_partitions(datasets: int, views: Iterable[DatasetView | None]) -> list[DatasetView]:
    """The views of the partitions that were held while each dataset's view was taken."""
    found = [view for view in views if view is not None]
    number = Counter(view.partition for view in found)
    return [view for view in found if number[view.partition] == datasets]


def _asker(plan: Plan) -> Requester:
    """Whose turns it takes; a dataset's own if an older query role names no environment."""
    return Requester(plan.env or plan.dataset, plan.key)


async def _all(
    entering: Iterable[Coroutine[None, None, DatasetView | None]], abandoned: Callable[[], bool]
) -> list[DatasetView | None]:
    """The views, which may wait long for a position. Raises ShareCancelled."""
    tasks = [asyncio.create_task(one) for one in entering]
    left, first = set(tasks), asyncio.FIRST_EXCEPTION
    try:
        while left:
            done, left = await asyncio.wait(left, timeout=limits.HANG_UP_CHECK_S, return_when=first)
            for one in done:
                one.result()
            if left and abandoned():
                raise ShareCancelled
        return [task.result() for task in tasks]
    finally:
        await cancel_and_wait(tasks)
