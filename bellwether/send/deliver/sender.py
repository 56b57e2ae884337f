"""Send batches, a few at once, until each is answered; count what was stored and what was not.

A batch without a response, or with a 429 or 5xx, is sent again under the same id, so that it is
stored once (I2). Events that the store refuses for good are counted and passed on with their line.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import quote

import aiohttp
import zstandard

from bellwether.client import ClientError
from bellwether.client.session import Client, refusal
from bellwether.send.deliver.batches import Batch
from bellwether.send.deliver.verdicts import AGAIN, BadAnswer, SendAgain, read_verdicts
from bellwether.send.prepare.prepare import Ready
from bellwether.send.sanity_check import are_most_bad
from common.back_off import BackOff
from common.clock import Clock
from common.model.position import Position, format_receipt, parse_receipt
from common.tasks import cancel_and_wait

IN_FLIGHT = 4  # enough to hide one round trip; the store gathers them into group commits


class RetryPolicy(NamedTuple):
    """Attempts per batch, and the waits between: about two minutes of an unavailable store."""

    first_s: float = 0.25
    wait_max_s: float = 15.0
    attempts_max: int = 12


RETRY_POLICY = RetryPolicy()


_ZSTD_LEVEL = 1  # logs shrink to a sixth at a third of the cost of level 3


@dataclass(frozen=True, slots=True)
class Reject:
    """An event that was not stored."""

    line: int
    reason: str
    source: bytes = field(repr=False)
    unfinished: bool = False


@dataclass(slots=True)
class Progress:
    """What has been sent so far.

    offset: everything before it has been answered.
    unfinished: events that were not stored because the file ends within them.
    """

    accepted: int = 0
    rejected: int = 0
    unfinished: int = 0
    untimed: int = 0
    sent_bytes: int = 0
    retries: int = 0
    offset: int = 0
    line: int = 0
    last_bytes: int = 0
    reached: dict[tuple[str, int], int] = field(default_factory=dict, repr=False)

    def receipt(self) -> str:
        """The furthest position of each partition: what a query can ask to be covered."""
        return format_receipt([Position(e, p, o) for (e, p), o in sorted(self.reached.items())])


class SendFailed(Exception):
    """The load stopped before its end; nothing before `Progress.offset` has to be repeated."""


class Sender:
    """Sends the batches of one load. stop_if_refused: end the load when the store refuses most of
    its first batch.
    """

    def __init__(
        self,
        client: Client,
        dataset: str,
        clock: Clock,
        randomness: random.Random,
        on_reject: Callable[[Reject], None],
        on_progress: Callable[[Progress], None],
        stop_if_refused: bool = False,
        retry: RetryPolicy = RETRY_POLICY,
    ) -> None:
        self._client = client
        self._stop_if_refused = stop_if_refused
        self._path = f"/1/batch/{quote(dataset, safe='')}"
        self._clock = clock
        self._random = randomness
        self._retry = retry
        self._on_reject = on_reject
        self._on_progress = on_progress
        self.progress = Progress()

    async def send_all(self, source: Iterator[Batch]) -> None:
        """Send every batch, in order of answers, a few at once; the first one alone, so that an
        error common to all of them occurs once. Raises SendFailed, and what `source` raises, once
        the batches before that have been answered.
        """
        waiting: deque[tuple[Batch, asyncio.Task[list[Reject]]]] = deque()
        at_once = 1
        try:
            while True:
                try:
                    batch = await asyncio.to_thread(next, source, None)
                except Exception:
                    for first, task in waiting:
                        self._count(first, await task)
                    raise
                if batch is not None:
                    waiting.append((batch, asyncio.create_task(self._send(batch))))
                if not waiting:
                    return
                if batch is None or len(waiting) >= at_once:
                    first, task = waiting.popleft()
                    rejects = await task
                    self._count(first, rejects)
                    if at_once == 1 and self._stop_if_refused:
                        _stop_if_most(first, rejects)
                    at_once = IN_FLIGHT
        finally:
            await cancel_and_wait(task for _, task in waiting)

    def _count(self, batch: Batch, rejects: list[Reject]) -> None:
        progress = self.progress
        refused = len(rejects) - len(batch.refused)
        unfinished = sum(r.unfinished for r in batch.refused)
        progress.accepted += len(batch.events) - refused
        progress.unfinished += unfinished
        progress.rejected += len(rejects) - unfinished
        lost = {reject.line for reject in rejects} if refused else ()
        progress.untimed += sum(
            event.time_ns is None for event in batch.events if event.line not in lost
        )
        progress.sent_bytes += len(batch.body)
        progress.offset, progress.line = batch.end, batch.line
        progress.last_bytes = batch.last_bytes
        for reject in sorted(rejects, key=lambda r: r.line):
            self._on_reject(reject)
        self._on_progress(progress)

    async def _send(self, batch: Batch) -> list[Reject]:
        """Send until answered; returns what was not stored. Raises SendFailed."""
        rejects = [Reject(r.line, r.error or "", r.source, r.unfinished) for r in batch.refused]
        if not batch.events:
            return rejects
        body = await asyncio.to_thread(_compressed, batch.body)
        headers = {
            "Content-Type": "application/json",
            "Content-Encoding": "zstd",
            "X-Bellwether-Batch-Id": batch.id,
        }
        reason = ""
        back_off = BackOff(
            self._retry.first_s, self._retry.wait_max_s, jitter=(0.5, 1.0), rng=self._random
        )
        for _ in range(self._retry.attempts_max):
            outcome = await self._attempt(body, headers, batch.events)
            if isinstance(outcome, list):
                return rejects + outcome
            self.progress.retries += 1
            reason = outcome.reason
            await asyncio.sleep(max(back_off.next(), outcome.retry_after_s))
        raise SendFailed(f"gave up after {self._retry.attempts_max} attempts: {reason}")

    async def _attempt(
        self, body: bytes, headers: dict[str, str], events: tuple[Ready, ...]
    ) -> "list[Reject] | _Retry":
        url = self._client.target.url + self._path
        try:
            async with self._client.session.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                if answer.status in AGAIN:
                    return _Retry(await refusal(answer), self._retry_after_s(answer))
                if answer.status not in (200, 202):
                    raise ClientError(await refusal(answer), answer.status)
                raw = await answer.read()
                receipt = answer.headers.get("X-Bellwether-Receipt")
        except aiohttp.ClientConnectorCertificateError as error:  # no later attempt is better
            raise ClientError(self._client.unreachable(error)) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return _Retry(self._client.unreachable(error), 0.0)
        try:
            refused = read_verdicts(raw, events)
        except BadAnswer as error:
            raise ClientError(f"{url} {error}") from error
        if isinstance(refused, SendAgain):
            return _Retry(refused.reason, 0.0)
        if receipt:
            for position in parse_receipt(receipt):
                known = self.progress.reached.get((position.epoch, position.partition), -1)
                self.progress.reached[position.epoch, position.partition] = max(
                    known, position.offset
                )
        return [Reject(event.line, why, event.source) for event, why in refused]

    def _retry_after_s(self, answer: aiohttp.ClientResponse) -> float:
        text = answer.headers.get("Retry-After", "")
        if text.isdecimal():
            return min(float(text), 60.0)
        try:
            until_s = parsedate_to_datetime(text).timestamp()
        except ValueError:
            return 0.0
        return min(max(until_s - self._clock.now_ns() / 1e9, 0.0), 60.0)


def _stop_if_most(batch: Batch, rejects: list[Reject]) -> None:
    refused = len(rejects) - len(batch.refused)
    if are_most_bad(refused, len(batch.events)):
        raise SendFailed(
            f"the store refused {refused:,} of the first {len(batch.events):,} events; "
            "nothing more was sent (--skip-bad goes on and stores those that are good)"
        )


def _compressed(body: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(body)


@dataclass(frozen=True, slots=True)
class _Retry:
    reason: str
    retry_after_s: float
