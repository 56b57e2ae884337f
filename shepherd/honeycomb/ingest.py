"""The two routes that take events: authenticate, decode, store, answer (I1, I9).

They know nothing of sockets: `shepherd.http.request` says what they read and what they answer.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

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
from common.process.auth import KeyCache
from common.scan.events import Mended, Refused
from shepherd.admission import KeyLimits
from shepherd.datasets import DatasetCache, Resolved
from shepherd.decoders import Decoders
from shepherd.delivery.backpressure import Backpressure
from shepherd.delivery.batcher import Batcher, Stored, Target
from shepherd.honeycomb.decode import (
    EventHeaders,
    Wire,
    decode_batch,
    decode_batch_quickly,
    decode_event,
    decode_event_quickly,
)
from shepherd.honeycomb.responses import batch_body, told_with_remedy
from shepherd.honeycomb.split.interface import Lines, Split, Splitter, one_line
from shepherd.http import request as http
from shepherd.http.authentication import authenticate
from shepherd.http.body import BodyTooLarge, Media, check_encoding, media_of, wire_bytes_max
from shepherd.http.request import IngestRequest, IngestResponse, Route
from shepherd.request_summary import RequestDone, RequestSummary, counted, mended_counts
from shepherd.shares import NO_ROOM, Held, Shares

RECEIPT_HEADER = "X-Bellwether-Receipt"
_SECOND_NS = 10**9
_BODY_BYTES_MAX: Final = {
    Route.BATCH: limits.BATCH_BODY_BYTES_MAX,
    Route.EVENT: limits.EVENT_BODY_BYTES_MAX,
}


@dataclass(frozen=True, slots=True)
class IngestParts:
    """What the ingest routes work with."""

    splitter: Splitter
    string_max: int  # bytes of a string; longer ones are cut
    keys: KeyCache
    datasets: DatasetCache
    batcher: Batcher
    in_flight: Shares
    requests: Shares
    pressure: Backpressure
    key_limits: KeyLimits
    clock: Clock
    summary: RequestSummary


class _Counted(BadRequest):
    """A refused single event: its rule is counted already."""


class _Intake(Held):
    """What a request holds: its body as it arrives, then its lines too."""

    __slots__ = ("_plain_max", "bytes_max")

    def __init__(
        self, shares: Shares, environment: str, key: str, bytes_max: int, plain_max: int
    ) -> None:
        super().__init__(shares, environment, key)
        self.bytes_max = bytes_max
        self._plain_max = plain_max

    def add(self, size: int) -> None:
        """As `Intake.add`."""
        if self.bytes + size > self.bytes_max:
            raise BodyTooLarge(self._plain_max)
        self.hold(size)


class Ingest:
    """Takes requests of both routes."""

    def __init__(self, parts: IngestParts) -> None:
        self._parts = parts
        self._decoders = Decoders()

    async def take(self, request: IngestRequest) -> IngestResponse:
        """Authenticate, hold a place and room for the body, store, and sum up how it went.

        A batch answers 200 and the status of each event, in order; an event 200 without a body.
        Raises BellwetherError for a request that is refused as a whole.
        """
        parts = self._parts
        key = await authenticate(request.headers, parts.keys)
        started_ns = parts.clock.monotonic_ns()
        name = dataset_name(request.name)
        status = events = 0
        try:
            with Held(parts.requests, key.environment.id, key.id) as place:
                place.hold(1)  # of the connections, so that one key's slow bodies leave others some
                with self._intake(request, key) as intake:
                    if request.route is Route.BATCH:
                        answer, events = await self._batch(request, key, name, intake)
                    else:
                        answer, events = await self._event(request, key, name, intake)
            status = answer.status
            return answer
        except BellwetherError as error:
            status = error.status
            if status < 500 and not isinstance(error, _Counted):
                parts.summary.refused(key.id, name, _rule(error), str(error))
            raise
        finally:
            ms = (parts.clock.monotonic_ns() - started_ns) / 1e6
            size, route = request.length or 0, request.route.value
            parts.summary.done(RequestDone(route, name, key.id, status, events, size, ms))

    def _intake(self, request: IngestRequest, key: ApiKey) -> "_Intake":
        """How the body will be read. What it announces is judged and not held (I14).

        Raises BodyTooLarge: a body that never fits must not be told to come again. Raises
        Unavailable for one that would not fit now.
        """
        plain_max = _BODY_BYTES_MAX[request.route]
        encoding = request.headers.get(http.CONTENT_ENCODING, "")
        bytes_max = wire_bytes_max(plain_max, encoding)
        announced = request.length or 0
        if announced > bytes_max:
            raise BodyTooLarge(plain_max)
        environment = key.environment.id
        self._parts.pressure.check(announced, environment)
        if not self._parts.in_flight.fits(environment, key.id, announced):
            raise Unavailable(NO_ROOM)
        return _Intake(self._parts.in_flight, environment, key.id, bytes_max, plain_max)

    async def _batch(
        self, request: IngestRequest, key: ApiKey, name: str, intake: "_Intake"
    ) -> tuple[IngestResponse, int]:
        resolved, wire = await self._receive(request, key, name, intake)
        target = resolved.target
        started_ns = self._parts.clock.monotonic_ns()
        splitter = self._parts.splitter
        split = decode_batch_quickly(splitter, wire, target.depth)
        if split is None:
            split = await self._decoders.run(
                key, len(wire.body), lambda work: decode_batch(splitter, wire, target.depth, work)
            )
        self._parts.key_limits.spend(key, split.events)
        await self._count_refused(key, name, split)
        await self._count_mended(key, name, split.mended)
        intake.hold(len(split.lines.text))  # a small body may unpack to much
        stored = await self._store(request, resolved, split.lines, started_ns)
        _raise_if_nothing_stored(stored, named=http.BATCH_ID in request.headers)
        if len(split.refused) <= limits.ON_LOOP_REFUSED_MAX:
            return _batch_answer(split, stored, wire.media), split.events
        return await asyncio.to_thread(_batch_answer, split, stored, wire.media), split.events

    async def _count_refused(self, key: ApiKey, name: str, split: Split) -> None:
        if not split.refused:
            return
        if len(split.refused) <= limits.ON_LOOP_REFUSED_MAX:
            counts = counted(split.refused)
        else:
            counts = await asyncio.to_thread(counted, split.refused)
        for refused, events in counts:
            self._parts.summary.refused(key.id, name, refused.rule, refused.error, events)

    async def _count_mended(
        self, key: ApiKey, name: str, found: Sequence[tuple[int, tuple[Mended, ...]]]
    ) -> None:
        if not found:
            return
        if len(found) <= limits.ON_LOOP_REFUSED_MAX:
            counts = mended_counts(found)
        else:
            counts = await asyncio.to_thread(mended_counts, found)
        for mended, events in counts:
            self._parts.summary.mended(key.id, name, mended, events)

    async def _event(
        self, request: IngestRequest, key: ApiKey, name: str, intake: "_Intake"
    ) -> tuple[IngestResponse, int]:
        resolved, wire = await self._receive(request, key, name, intake)
        target = resolved.target
        started_ns = self._parts.clock.monotonic_ns()
        string_max = self._parts.string_max
        headers = EventHeaders(
            request.headers.get(http.EVENT_TIME, ""), request.headers.get(http.SAMPLE_RATE, "")
        )
        outcome = decode_event_quickly(wire, target.depth, headers, string_max)
        if outcome is None:
            outcome = await self._decoders.run(
                key,
                len(wire.body),
                lambda work: decode_event(wire, target.depth, headers, string_max, work),
            )
        self._parts.key_limits.spend(key, 1)
        if isinstance(outcome, Refused):
            self._parts.summary.refused(key.id, name, outcome.rule, outcome.error)
            raise _Counted(outcome.error)
        if outcome.mended:
            await self._count_mended(key, name, [(0, outcome.mended)])
        lines = one_line(outcome)
        intake.hold(len(lines.text))
        stored = await self._store(request, resolved, lines, started_ns)
        _raise_if_nothing_stored(stored, named=False)
        return IngestResponse(200, _receipt(stored)), 1

    async def _receive(
        self, request: IngestRequest, key: ApiKey, name: str, intake: "_Intake"
    ) -> tuple[Resolved, Wire]:
        """Everything that is checked before the events themselves."""
        if not key.access.events:
            raise NotAllowed("this API key may not send events")
        headers = request.headers
        media = media_of(headers.get(http.CONTENT_TYPE, ""))
        check_encoding(encoding := headers.get(http.CONTENT_ENCODING, ""))
        _check_batch_id(headers.get(http.BATCH_ID))
        self._parts.key_limits.check(key)
        body = await request.read(intake)
        resolved = await self._parts.datasets.resolve(key, name)
        return resolved, Wire(body, encoding, media, self._parts.clock.now_ns())

    def close(self) -> None:
        """Release the threads; nothing may be in flight."""
        self._decoders.close()

    async def _store(
        self, request: IngestRequest, resolved: Resolved, lines: Lines, started_ns: int
    ) -> Sequence[Stored]:
        if not lines.events:
            return []
        parts = self._parts
        client_id = request.headers.get(http.BATCH_ID)
        if resolved.is_new:
            with parts.datasets.room_for(resolved):
                stored = await self._put(resolved.target, lines, client_id)
                if taken := _taken(stored):
                    await parts.datasets.created(resolved)
        else:
            stored = await self._put(resolved.target, lines, client_id)
            if taken := _taken(stored):
                parts.datasets.used(resolved)
        if taken != lines.events:
            stored = told_with_remedy(stored, named=client_id is not None)
        metrics.events_accepted_total.inc(taken)
        metrics.ack_seconds.observe((parts.clock.monotonic_ns() - started_ns) / _SECOND_NS)
        return stored

    async def _put(self, target: Target, lines: Lines, client_id: str | None) -> Sequence[Stored]:
        batcher = self._parts.batcher
        if client_id is None:
            return await batcher.put(target, lines)
        return await batcher.put_named(target, lines, client_id)


def _taken(stored: Sequence[Stored]) -> int:
    """How many events the log has."""
    taken = 0
    for part in stored:
        if isinstance(part.outcome, Position):
            taken += part.events
    return taken


def dataset_name(segment: str) -> str:
    """A path's segment as it came, URL-decoded once. Raises BadRequest."""
    if "%" not in segment:
        return segment
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError as error:
        raise BadRequest("dataset name is not valid UTF-8") from error


def _check_batch_id(client_id: str | None) -> None:
    if client_id is not None and not (
        0 < len(client_id) <= limits.BATCH_ID_CHARS_MAX and client_id.isprintable()
    ):
        raise BadRequest(
            f"{http.BATCH_ID_NAME} must have 1 to {limits.BATCH_ID_CHARS_MAX} printable characters"
        )


def _rule(error: BellwetherError) -> str:
    """A whole request's rule, written as the events' rules are: `body_too_large`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()


def _raise_if_nothing_stored(stored: Sequence[Stored], *, named: bool) -> None:
    """503 for the whole request if nothing of it is stored; of a named batch, if any part is not:
    the client then repeats all of it safely.
    """
    failed = [part.outcome for part in stored if isinstance(part.outcome, LogUnavailable)]
    if failed and (named or len(failed) == len(stored)):
        raise failed[0]


def _receipt(stored: Sequence[Stored]) -> dict[str, str]:
    positions = [part.outcome for part in stored if isinstance(part.outcome, Position)]
    return {RECEIPT_HEADER: format_receipt(positions)} if positions else {}


def _batch_answer(split: Split, stored: Sequence[Stored], media: Media) -> IngestResponse:
    headers = _receipt(stored)
    headers["Content-Type"] = f"application/{media}"
    return IngestResponse(200, headers, batch_body(split, stored, media))
