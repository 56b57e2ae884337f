"""Results in the object store, where every query role can read them once they are finished.

A result is put there after its answer: a store that is slow or down delays and fails no answer,
other roles only do not find it then. Threads of its own, since a store may hang.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import msgspec

from common import limits
from common.clock import Clock
from common.error_text import describe_error
from common.errors import BellwetherError, DamagedObject, ObjectMissing, Unavailable
from common.logs import log_event
from common.metrics import results_shared_total
from common.objects import ObjectStore
from common.process.fair.queue import FairLimits
from common.process.fair.requester import Requester
from common.process.fair.slots import FairSlots
from common.tasks import cancel_and_wait
from query.api.results.days import ResultDays
from query.api.results.ids import ResultId, parse_id
from query.api.results.memory import StoredResult
from query.api.results.stored import ResultDocument, decode_stored, encode_stored

T = TypeVar("T")
_logger = logging.getLogger(__name__)


class SharedResults:
    """Puts and reads results. Use it from one event loop; `close` it at the end.

    share_bytes: what one environment's results may take; 0: none are put.
    """

    def __init__(self, objects: ObjectStore, clock: Clock, kept_s: int, share_bytes: int) -> None:
        self._objects = objects
        self._clock = clock
        self._days = ResultDays(objects, clock, kept_s, share_bytes)
        self._enabled = share_bytes > 0
        threads = limits.RESULT_STORE_THREADS
        self._threads = ThreadPoolExecutor(2 * threads, "results")
        waiting = limits.RESULTS_WAITING_MAX
        self._puts = FairSlots(FairLimits(threads, waiting, 1, 1), "results")
        self._reads = FairSlots(FairLimits(threads, waiting, 1, 1), "results")
        self._putting: set[asyncio.Task[None]] = set()

    def keep(self, result: StoredResult) -> None:
        """Put a finished result, later. Where too many wait, it is not."""
        wanted = parse_id(result.id)
        if not self._enabled or wanted is None or result.body is None:
            return
        if len(result.body) > limits.RESULT_OBJECT_BYTES_MAX:
            results_shared_total.labels("too large").inc()
            return
        task = asyncio.create_task(self._keep(result, wanted, result.body))
        self._putting.add(task)
        task.add_done_callback(self._putting.discard)

    async def _keep(self, result: StoredResult, wanted: ResultId, body: bytes) -> None:
        try:
            async with self._puts.hold(result.env_id, result.key_id):
                outcome = await self._in_thread(partial(self._put, result, wanted, body))
        except BellwetherError as error:
            outcome = "failed"
            log_event(_logger, logging.WARNING, "a result is not shared", why=describe_error(error))
        results_shared_total.labels(outcome).inc()

    def _put(self, result: StoredResult, wanted: ResultId, body: bytes) -> str:
        """How it ended, as the metric says it. Raises ObjectsUnavailable."""
        document = ResultDocument(
            id=result.id,
            env=result.env_id,
            dataset=result.dataset,
            created_ns=result.created_ns,
            dataset_ns=result.dataset_ns,
            series_form=result.series_form,
            query=msgspec.Raw(result.query),
            body=msgspec.Raw(body),
        )
        encoded = encode_stored(document)
        if not self._days.make_room(result.env_id, len(encoded), wanted.day):
            return "no room"
        self._objects.put_if_absent(wanted.key(result.env_id), encoded)
        return "stored"

    async def find(
        self, wanted: ResultId, dataset: str, requester: Requester
    ) -> StoredResult | None:
        """The result, if the requester's environment has it of this dataset.

        Raises Unavailable, TooManyRequests.
        """
        async with self._reads.hold(requester.env, requester.key):
            try:
                async with asyncio.timeout(limits.RESULT_READ_S):
                    found = await self._in_thread(partial(self._read, wanted, requester.env))
            except TimeoutError:
                raise Unavailable("the object store, which may have the result, is slow") from None
        if found is None or (found.id, found.env) != (str(wanted), requester.env):
            return None
        if found.dataset != dataset:
            return None
        return StoredResult(
            id=found.id,
            env_id=found.env,
            key_id=requester.key,
            dataset=found.dataset,
            query=bytes(found.query),
            created_ns=found.created_ns,
            dataset_ns=found.dataset_ns,
            series_form=found.series_form,
            polled_ns=self._clock.monotonic_ns(),
            body=bytes(found.body),
        )

    def _read(self, wanted: ResultId, env: str) -> ResultDocument | None:
        key = wanted.key(env)
        try:
            info = self._objects.head(key)
            if info is None or info.size_bytes > limits.RESULT_OBJECT_BYTES_MAX:
                return None
            return decode_stored(self._objects.get(key), key)
        except ObjectMissing:
            return None
        except DamagedObject as error:
            log_event(_logger, logging.WARNING, "a result cannot be read", why=str(error))
            return None

    async def refresh(self) -> None:
        """Count what there is, and remove days that are over."""
        if not self._enabled:
            return
        try:
            await self._in_thread(self._days.refresh)
        except BellwetherError as error:
            log_event(
                _logger, logging.WARNING, "results are not counted", why=describe_error(error)
            )

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def close(self) -> None:
        """Wait a moment for what is being put, and end."""
        if self._putting:
            await asyncio.wait(self._putting, timeout=limits.RESULTS_CLOSE_S)
        await cancel_and_wait(list(self._putting))
        self._threads.shutdown(wait=False, cancel_futures=True)
