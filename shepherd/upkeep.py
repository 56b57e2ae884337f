"""The background work of a shepherd: periodic tasks in one task group."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType

from common.process.announce import Announcement
from common.process.role import RoleContext
from common.process.telemetry import TelemetryQueue
from common.tasks import cancel_and_wait, run_every, run_together
from shepherd.wiring import Parts

_INTERVAL_S = 1.0


class Upkeep:
    """The background tasks of the role, which run until the block is left.

    A required task ends only by a bug. The other tasks then continue while the role drains, so that
    requests in flight are not lost; after that `raise_failure` raises the error.
    """

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._required: list[asyncio.Task[Exception | None]] = []
        self._optional: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Upkeep":
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for task in (*self._required, *self._optional):
            task.cancel()
        # An exception of the block is raised as it is, not in a group.
        await self._group.__aexit__(None, None, None)

    def require(self, work: Coroutine[None, None, None]) -> None:
        """Run `work`; the role stops when it fails."""
        self._required.append(self._group.create_task(_outcome(work)))

    def add(self, *works: Coroutine[None, None, None]) -> None:
        """Run these; a failure is logged, and the role continues without that task."""
        self._optional.append(self._group.create_task(run_together(*works)))

    async def wait_for_stop(self, stop: asyncio.Event) -> None:
        """Return when `stop` is set or a required task has failed."""
        stopped = self._group.create_task(stop.wait())
        try:
            await asyncio.wait({stopped, *self._required}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()

    async def end_optional(self) -> None:
        """Cancel the tasks of `add`, and wait for their end."""
        await cancel_and_wait(self._optional)

    def raise_failure(self) -> None:
        """Raise the error of the first required task that failed, so that the role fails loudly."""
        for task in self._required:
            if task.done() and not task.cancelled() and (error := task.result()) is not None:
                raise error


def start_upkeep(
    upkeep: Upkeep,
    parts: Parts,
    context: RoleContext,
    announcement: Announcement,
) -> None:
    """Start all background work of the role."""
    for work in (
        parts.proxy.refresh,
        parts.datasets.register_pending,
        parts.datasets.confirm_used,
        parts.readiness.refresh,
        _update_alarms(parts, context),
    ):
        upkeep.require(run_every(_INTERVAL_S, work))
    upkeep.require(parts.prober.run())
    upkeep.require(run_every(_INTERVAL_S, _emit_telemetry(parts, context)))
    upkeep.add(announcement.keep(), *(protocol.prepare() for protocol in parts.protocols))


async def _outcome(work: Coroutine[None, None, None]) -> Exception | None:
    """The exception of `work` as a value: raised in a group it would cancel the other tasks."""
    try:
        await work
    except Exception as error:  # noqa: BLE001 - raised when the role has drained
        return error
    return None


def _update_alarms(parts: Parts, context: RoleContext) -> Callable[[], None]:
    def update() -> None:
        context.alarms.set("pushes_back", parts.selector.health.backpressure or None)
        context.alarms.set("metadata_replaced", parts.keys.metadata_replaced)
        context.alarms.set("connections_refused", parts.connection_limits.alarm_text())

    return update


def _emit_telemetry(parts: Parts, context: RoleContext) -> Callable[[], Awaitable[object]]:
    async def emit() -> None:
        parts.summary.flush()
        queue = context.telemetry
        if isinstance(queue, TelemetryQueue) and (body := queue.take()):
            await parts.own_events.store(body)

    return emit
