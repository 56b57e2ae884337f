"""The two routes that take events: authenticate, decode, store, answer (I1, I9)."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import unquote

from aiohttp import web

from common import limits, metrics
from common.auth import KEY_HEADER, KeyCache
from common.clock import Clock
from common.errors import BadRequest, BellwetherError, LogUnavailable, NotAllowed, UnknownKey
from common.metadata import ApiKey
from common.position import Position, format_receipt
from common.scan.events import Refused
from shepherd.admission import InFlight, KeyLimits
from shepherd.batcher import Batcher, Stored, Target
from shepherd.body import BodyTooLarge, Media, check_encoding, media_of, read_body
from shepherd.datasets import DatasetCache
from shepherd.decode import Wire, decode_batch, decode_batch_quickly, decode_event
from shepherd.pressure import Pressure
from shepherd.refusals import RequestDone, RequestSummary
from shepherd.replies import batch_body
from shepherd.split.interface import Lines, Split, Splitter, framed

BATCH_ID_HEADER = "X-Bellwether-Batch-Id"
RECEIPT_HEADER = "X-Bellwether-Receipt"
TIME_HEADER = "X-Honeycomb-Event-Time"
RATE_HEADER = "X-Honeycomb-Samplerate"
OLD_KEY_HEADER = "X-Hny-Team"  # old libhoney for JavaScript
_DECODE_THREADS = 2  # of their own: hostile bodies keep them busy, not the rest of the process
_SECOND_NS = 10**9
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class IngestParts:
    """What the ingest routes work with."""

    splitter: Splitter
    keys: KeyCache
    datasets: DatasetCache
    batcher: Batcher
    in_flight: InFlight
    pressure: Pressure
    key_limits: KeyLimits
    clock: Clock
    summary: RequestSummary


class _Counted(BadRequest):
    """A refused single event: its rule is counted already."""


_Handle = Callable[[web.Request, ApiKey, str], Awaitable[tuple[web.Response, int]]]


class IngestRoutes:
    """Handlers of `/1/events/{dataset}` and `/1/batch/{dataset}`."""

    def __init__(self, parts: IngestParts) -> None:
        self._parts = parts
        self._decoders = ThreadPoolExecutor(_DECODE_THREADS, thread_name_prefix="decode")

    async def batch(self, request: web.Request) -> web.Response:
        """An array of events; answers 200 and the status of each, in order."""
        return await self._measured(request, "/1/batch", self._batch)

    async def event(self, request: web.Request) -> web.Response:
        """One event; time and sample rate are headers. Answers 200 with an empty body."""
        return await self._measured(request, "/1/events", self._event)

    async def _measured(self, request: web.Request, route: str, handle: _Handle) -> web.Response:
        """Authenticate, hold room for the body, handle, and sum up how it went."""
        parts = self._parts
        key = await authenticate(request, parts.keys)
        started_ns = parts.clock.monotonic_ns()
        name = dataset_name(request)
        status = events = 0
        try:
            size = _announced_bytes(request)
            parts.pressure.check(size)
            with parts.in_flight.hold(size):
                response, events = await handle(request, key, name)
            status = response.status
            return response
        except BellwetherError as error:
            status = error.status
            if status < 500 and not isinstance(error, _Counted):
                parts.summary.refused(key.id, name, _rule(error), str(error))
            raise
        finally:
            ms = (parts.clock.monotonic_ns() - started_ns) / 1e6
            size = request.content_length or 0
            parts.summary.done(RequestDone(route, name, key.id, status, events, size, ms))

    async def _batch(
        self, request: web.Request, key: ApiKey, name: str
    ) -> tuple[web.Response, int]:
        target, wire = await self._receive(request, key, name)
        started_ns = self._parts.clock.monotonic_ns()
        splitter = self._parts.splitter
        split = decode_batch_quickly(splitter, wire, target.depth)
        if split is None:
            split = await self._in_thread(lambda: decode_batch(splitter, wire, target.depth))
        self._parts.key_limits.spend(key, split.events)
        for _, refused in split.refused:
            self._parts.summary.refused(key.id, name, refused.rule, refused.error)
        stored = await self._store(request, target, split.lines, started_ns)
        _raise_if_nothing_stored(stored, named=BATCH_ID_HEADER in request.headers)
        return _batch_response(split, stored, wire.media), split.events

    async def _event(
        self, request: web.Request, key: ApiKey, name: str
    ) -> tuple[web.Response, int]:
        target, wire = await self._receive(request, key, name)
        started_ns = self._parts.clock.monotonic_ns()
        time = request.headers.get(TIME_HEADER, "")
        rate = request.headers.get(RATE_HEADER, "")
        if len(wire.body) <= limits.OFF_LOOP_BODY_BYTES and not wire.encoding:
            outcome = decode_event(wire, target.depth, time, rate)
        else:
            outcome = await self._in_thread(lambda: decode_event(wire, target.depth, time, rate))
        self._parts.key_limits.spend(key, 1)
        if isinstance(outcome, Refused):
            self._parts.summary.refused(key.id, name, outcome.rule, outcome.error)
            raise _Counted(outcome.error)
        stored = await self._store(request, target, framed([outcome]).lines, started_ns)
        _raise_if_nothing_stored(stored, named=False)
        return web.Response(headers=_receipt(stored)), 1

    async def _receive(self, request: web.Request, key: ApiKey, name: str) -> tuple[Target, Wire]:
        """Everything that is checked before the events themselves."""
        if not key.access.events:
            raise NotAllowed("this API key may not send events")
        media = media_of(request.headers.get("Content-Type", ""))
        check_encoding(encoding := request.headers.get("Content-Encoding", ""))
        _check_batch_id(request.headers.get(BATCH_ID_HEADER))
        self._parts.key_limits.check(key)
        body = await read_body(request)
        target = await self._parts.datasets.resolve(key, name)
        return target, Wire(body, encoding, media, self._parts.clock.now_ns())

    async def _in_thread(self, decode: Callable[[], T]) -> T:
        """What may keep the loop too long."""
        return await asyncio.get_running_loop().run_in_executor(self._decoders, decode)

    def close(self) -> None:
        """Release the threads; nothing may be in flight."""
        self._decoders.shutdown(wait=False)

    async def _store(
        self, request: web.Request, target: Target, lines: Lines, started_ns: int
    ) -> list[Stored]:
        client_id = request.headers.get(BATCH_ID_HEADER)
        if not lines.events:
            return []
        with self._parts.in_flight.hold(len(lines.text)):  # a small body may unpack to much
            if client_id is None:
                stored = await self._parts.batcher.put(target, lines)
            else:
                stored = await self._parts.batcher.put_named(target, lines, client_id)
        taken = sum(part.events for part in stored if isinstance(part.outcome, Position))
        metrics.events_accepted_total.inc(taken)
        metrics.ack_seconds.observe((self._parts.clock.monotonic_ns() - started_ns) / _SECOND_NS)
        return stored


async def authenticate(request: web.Request, keys: KeyCache) -> ApiKey:
    """The key that the request carries. Raises UnknownKey, MetadataUnavailable."""
    text = request.headers.get(KEY_HEADER) or request.headers.get(OLD_KEY_HEADER)
    if not text:
        raise UnknownKey
    return await keys.authenticate(text)


def dataset_name(request: web.Request) -> str:
    """The last segment of the path as it came, URL-decoded once. Raises BadRequest."""
    segment = request.raw_path.split("?", 1)[0].rsplit("/", 1)[1]
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError as error:
        raise BadRequest("dataset name is not valid UTF-8") from error


def _check_batch_id(client_id: str | None) -> None:
    if client_id is not None and not (
        0 < len(client_id) <= limits.BATCH_ID_CHARS_MAX and client_id.isprintable()
    ):
        raise BadRequest(
            f"{BATCH_ID_HEADER} must have 1 to {limits.BATCH_ID_CHARS_MAX} printable characters"
        )


def _rule(error: BellwetherError) -> str:
    """A whole request's rule, written as the events' rules are: `body_too_large`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()


def _announced_bytes(request: web.Request) -> int:
    """What the body will take: its length, or the limit when it comes in chunks.

    Raises BodyTooLarge: a body that never fits must not be told to come again.
    """
    length = request.content_length
    if length is not None and length > limits.WIRE_BODY_BYTES_MAX:
        raise BodyTooLarge(limits.WIRE_BODY_BYTES_MAX)
    return limits.WIRE_BODY_BYTES_MAX if length is None else length


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


def _batch_response(split: Split, stored: Sequence[Stored], media: Media) -> web.Response:
    headers = _receipt(stored)
    headers["Content-Type"] = f"application/{media}"
    return web.Response(body=batch_body(split, stored, media), headers=headers)
