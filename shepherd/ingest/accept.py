"""The steps of an ingest request that are the same for every ingest protocol (I1, I9, I11).

A protocol authenticates, then opens a `Submission` and calls, in this order: `admit`, `receive`,
`resolve` for each dataset, `decode` where that may take long, and `store`. `store` returns the
outcome of each event, from which the protocol writes the response.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from common import limits, metrics
from common.clock import Clock
from common.errors import (
    BadRequest,
    BellwetherError,
    LogUnavailable,
    NotAllowed,
    Unavailable,
)
from common.metadata import ApiKey
from common.model.position import Position, format_receipt
from common.scan.events import MalformedBody
from common.scan.work_budget import Work
from shepherd.admission.decode_pool import DecodePool
from shepherd.admission.key_limits import KeyLimits
from shepherd.admission.shares import NO_ROOM, Held, Shares
from shepherd.datasets.cache import DatasetCache, Resolved
from shepherd.delivery.backpressure import Backpressure
from shepherd.delivery.batcher import Batcher
from shepherd.http.body import BodyTooLarge, wire_bytes_max
from shepherd.http.request import BATCH_ID, BATCH_ID_NAME, CONTENT_ENCODING, IngestRequest
from shepherd.ingest.decoded_events import (
    Lines,
    Stored,
    Target,
    joined,
    stored_events,
)
from shepherd.ingest.events_by_dataset import (
    Outcome,
    Remedy,
    Run,
    RunOutcome,
    StoredCutter,
    with_remedy,
)
from shepherd.request_summary import RequestDone, RequestSummary, count_mended, count_refused

_SECOND_NS: Final = 10**9
T = TypeVar("T")


class EventRefused(BadRequest):
    """The only event of a request was refused. The refusal is counted under its rule already."""


@dataclass(frozen=True, slots=True)
class AcceptParts:
    """The parts that an ingest request of any protocol uses."""

    datasets: DatasetCache
    batcher: Batcher
    in_flight: Shares  # bytes of bodies and lines
    requests: Shares  # concurrent requests
    backpressure: Backpressure
    key_limits: KeyLimits
    clock: Clock
    summary: RequestSummary
    decode_pool: DecodePool


class Submission(Held):
    """One request with its authenticated key. Use it in a `with` block, once.

    Until the block ends, the submission holds a request slot and the bytes of the body and of its
    lines. At the end of the block the request is counted: with `status`, or with the error that
    ends the block. The submission is also the `Intake` of the request's body.
    """

    __slots__ = (
        "_api_key",
        "_dataset",
        "_events",
        "_has_place",
        "_parts",
        "_ready_ns",
        "_request",
        "_started_ns",
        "bytes_max",
        "status",
    )

    def __init__(
        self, parts: AcceptParts, key: ApiKey, request: IngestRequest, dataset: str
    ) -> None:
        """dataset: the name under which the request is counted."""
        super().__init__(parts.in_flight, key.environment.id, key.id)
        self._parts = parts
        self._api_key = key
        self._request = request
        self._dataset = dataset
        self._started_ns = self._ready_ns = parts.clock.monotonic_ns()
        self._has_place = False
        self._events = 0
        self.bytes_max = 0
        self.status = 200

    def admit(self) -> None:
        """Take a request slot, and check whether the body may be read. Its announced length is not
        held (I14).

        Raises NotAllowed, BodyTooLarge for a body that never fits, Unavailable for one that would
        not fit now.
        """
        parts, key, request = self._parts, self._api_key, self._request
        environment = self._environment
        # A slot among the connections: slow bodies of one key must leave some to other keys.
        parts.requests.add(environment, key.id, 1)
        self._has_place = True
        encoding = request.headers.get(CONTENT_ENCODING, "")
        self.bytes_max = wire_bytes_max(request.route.limits.body_bytes_max, encoding)
        announced = request.length or 0
        if announced > self.bytes_max:
            raise BodyTooLarge(request.route.limits.body_bytes_max)
        parts.backpressure.check(announced, environment)
        if not parts.in_flight.fits(environment, key.id, announced):
            raise Unavailable(NO_ROOM)
        if not key.access.events:
            raise NotAllowed("this API key may not send events")

    def add(self, size: int) -> None:
        """As `Intake.add`."""
        if self.bytes + size > self.bytes_max:
            raise BodyTooLarge(self._request.route.limits.body_bytes_max)
        self.hold(size)

    def receive(self) -> Awaitable[bytes]:
        """An awaitable of the body, still compressed.

        Raises BadRequest for a batch id that cannot be used, TooManyRequests when the key's rate or
        quota is used up, and what reading the body raises.
        """
        _check_batch_id(self._request.headers.get(BATCH_ID))
        self._parts.key_limits.check(self._api_key)
        return self._request.read(self)

    def resolve(self, name: str) -> Awaitable[Resolved]:
        """An awaitable of the dataset of this name. Raises as `DatasetCache.resolve`."""
        return self._parts.datasets.resolve(self._api_key, name)

    def arrival_ns(self) -> int:
        """The current time in unix ns: the time of events without one. Call it once the body and
        its datasets are known, since the deadline to store the events counts from here.
        """
        clock = self._parts.clock
        self._ready_ns = clock.monotonic_ns()
        return clock.now_ns()

    async def resolve_all(self, names: Sequence[str]) -> dict[str, Resolved | BellwetherError]:
        """By name, each dataset of a request, or the error why it cannot be used.

        Raises MalformedBody when there are more than the protocol allows.
        """
        wanted = list(dict.fromkeys(names))
        datasets_max = self._request.route.limits.datasets_max
        if len(wanted) > datasets_max:
            raise MalformedBody(f"more than {datasets_max} datasets")
        found = await asyncio.gather(*map(self._resolve_or_error, wanted))
        return dict(zip(wanted, found, strict=True))

    async def _resolve_or_error(self, name: str) -> Resolved | BellwetherError:
        try:
            return await self._parts.datasets.resolve(self._api_key, name)
        except BellwetherError as error:
            return error

    async def decode(self, size: int, decode: Callable[[Work], T]) -> T:
        """Call `decode` in a thread, in this environment's turn, and return its result.

        size: bytes of the body. Raises as `DecodePool.run`.
        """
        units_max = self._request.route.limits.work_units_max
        return await self._parts.decode_pool.run(self._api_key, size, decode, units_max)

    async def store(
        self, runs: Sequence[Run], *, named: str | None = None, whole: bool = False
    ) -> Outcome:
        """Spend the key's quota, count refused and mended events, and store the others.

        named: an id that follows from the request's content, for protocols whose clients give none;
        an id of the client's own goes first.
        whole: fail as a whole when a retry could store more, as a named batch does.

        One dataset may fail, or be refused, while the events of others are stored: the outcome
        has both. The error is raised instead when nothing is stored but a retry could store it, or
        when the only dataset is refused. A batch that the client named also fails as a whole when
        a retry could store more of it: the client then repeats all of it, and the records that are
        stored already are recognised by their ids, which follow from the client's id, the dataset
        and the order of its events.

        Raises MalformedBody for more events than the protocol allows; Unavailable.
        """
        parts, key = self._parts, self._api_key
        events = 0
        for run in runs:
            events += run.events.events
        events_max = self._request.route.limits.events_max
        if events > events_max:
            raise MalformedBody(f"more than {events_max} events")
        parts.key_limits.spend(key, events)
        for run in runs:
            decoded = run.events
            if decoded.refused or decoded.mended:
                await self._count(run)
            self.hold(len(decoded.lines.text))  # a small body may unpack to much
        client_id = self._request.headers.get(BATCH_ID)
        remedy = Remedy.SAME_ID if client_id is not None else Remedy.SAME_BYTES
        client_id = client_id or named
        if client_id is None:
            remedy = Remedy.NONE
        if len(runs) == 1 and isinstance(runs[0].dataset, Resolved):
            stored = await self._store_lines(runs[0].dataset, runs[0].events.lines, client_id)
            outcomes: Sequence[RunOutcome] = (RunOutcome(runs[0], stored),)
        else:
            outcomes = await self._store_runs(runs, client_id)
        found = self._outcome(outcomes, remedy, whole=whole or client_id is not None)
        self._events = events
        return found

    async def _count(self, run: Run) -> None:
        """Count a run's refused and mended events, in a thread where there are many."""
        summary, key_id, name = self._parts.summary, self._api_key.id, run.name
        if refused := run.events.refused:
            if len(refused) <= limits.ON_LOOP_REFUSED_MAX:
                refusals = count_refused(refused)
            else:
                refusals = await asyncio.to_thread(count_refused, refused)
            for why, events in refusals:
                summary.refused(key_id, name, why.rule, why.error, events)
        if mended := run.events.mended:
            if len(mended) <= limits.ON_LOOP_REFUSED_MAX:
                fields = count_mended(mended)
            else:
                fields = await asyncio.to_thread(count_mended, mended)
            for field, events in fields:
                summary.mended(key_id, name, field, events)

    async def _store_lines(
        self, dataset: Resolved, lines: Lines, client_id: str | None
    ) -> Sequence[Stored]:
        """Store the lines of one dataset. Its id must not occur twice in a request."""
        if not lines.text:
            return ()
        datasets = self._parts.datasets
        if not dataset.is_new:
            stored = await self._put(dataset.target, lines, client_id)
            if type(stored[0].outcome) is Position or stored_events(stored):
                datasets.used(dataset)
            return stored
        try:
            with datasets.room_for(dataset):
                stored = await self._put(dataset.target, lines, client_id)
                if stored_events(stored):
                    await datasets.created(dataset)
        except BellwetherError as error:  # the environment may not have another dataset
            return (Stored(lines.events, error),)
        return stored

    def _put(
        self, target: Target, lines: Lines, client_id: str | None
    ) -> Awaitable[Sequence[Stored]]:
        batcher = self._parts.batcher
        if client_id is None:
            return batcher.put(target, lines)
        return batcher.put_named(target, lines, client_id)

    async def _store_runs(self, runs: Sequence[Run], client_id: str | None) -> Sequence[RunOutcome]:
        """Store the lines of several runs, all datasets at once.

        Runs of one dataset (two names may mean the same) are stored together: the records of a
        named batch have ids by their number within the dataset.
        """
        by_id: dict[str, tuple[Resolved, list[Lines]]] = {}
        for run in runs:
            if isinstance(run.dataset, Resolved):
                _, lines = by_id.setdefault(run.dataset.target.dataset_id, (run.dataset, []))
                lines.append(run.events.lines)
        tasks: dict[str, asyncio.Task[Sequence[Stored]]] = {}
        async with asyncio.TaskGroup() as group:
            for identity, (dataset, lines) in by_id.items():
                work = self._store_lines(dataset, joined(lines), client_id)
                tasks[identity] = group.create_task(work)
        parts = {identity: StoredCutter(task.result()) for identity, task in tasks.items()}
        return [
            RunOutcome(run, parts[run.dataset.target.dataset_id].take(run.events.lines.events))
            if isinstance(run.dataset, Resolved)
            else RunOutcome(run, (Stored(run.events.events, run.dataset),))
            for run in runs
        ]

    def _outcome(self, outcomes: Sequence[RunOutcome], remedy: Remedy, *, whole: bool) -> Outcome:
        """The outcome of the whole request, counted. Raises as `store`."""
        positions: list[Position] = []
        errors: list[BellwetherError] = []
        events = 0
        for run in outcomes:
            for part in run.stored:
                if isinstance(part.outcome, Position):
                    positions.append(part.outcome)
                    events += part.events
                else:
                    errors.append(part.outcome)
        if positions or any(isinstance(error, LogUnavailable) for error in errors):
            metrics.events_accepted_total.inc(events)
            ack_ns = self._parts.clock.monotonic_ns() - self._ready_ns
            metrics.ack_seconds.observe(ack_ns / _SECOND_NS)
        if errors:
            outcomes = [RunOutcome(one.run, with_remedy(one.stored, remedy)) for one in outcomes]
            self._fail(outcomes, stored=bool(positions), whole=whole)
        if len(outcomes) > 1:
            positions = list(dict.fromkeys(positions))  # a record may hold events of several runs
        return Outcome(outcomes, format_receipt(positions))

    def _fail(self, outcomes: Sequence[RunOutcome], *, stored: bool, whole: bool) -> None:
        """Raise the error that the whole request fails with, or count what was refused of it."""
        errors = [
            (one.run, part.events, part.outcome)
            for one in outcomes
            for part in one.stored
            if isinstance(part.outcome, BellwetherError)
        ]
        if not stored or whole:
            for _, _, error in errors:
                if error.status >= 500:
                    raise error
            if len(outcomes) == 1 and not stored:
                raise errors[0][2]
        for run, events, error in errors:
            if error.status < 500:
                self._parts.summary.refused(
                    self._api_key.id, run.name, rule_of(error), str(error), events
                )

    def __exit__(self, *raised: object) -> None:
        self._shares.remove(self._environment, self._key, self.bytes)
        self.bytes = 0
        error = raised[1]
        parts, key, request = self._parts, self._api_key, self._request
        if self._has_place:
            parts.requests.remove(self._environment, key.id, 1)
        status, events = self.status, self._events
        if error is not None:
            status = events = 0
        if isinstance(error, BellwetherError):
            status = error.status
            if status < 500 and not isinstance(error, EventRefused):
                parts.summary.refused(key.id, self._dataset, rule_of(error), str(error))
        ms = (parts.clock.monotonic_ns() - self._started_ns) / 1e6
        size, route = request.length or 0, request.route.path
        parts.summary.done(RequestDone(route, self._dataset, key.id, status, events, size, ms))


def _check_batch_id(client_id: str | None) -> None:
    if client_id is not None and not (
        0 < len(client_id) <= limits.BATCH_ID_CHARS_MAX and client_id.isprintable()
    ):
        raise BadRequest(
            f"{BATCH_ID_NAME} must have 1 to {limits.BATCH_ID_CHARS_MAX} printable characters"
        )


def rule_of(error: BellwetherError) -> str:
    """The rule that refused a whole request, in the form of the events' rules: `body_too_large`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()
