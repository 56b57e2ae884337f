"""Send a batch until it is answered, however long that takes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote

import zstandard

from bellwether.client import ClientError
from bellwether.client.caller import Caller
from bellwether.send.deliver.batches import BATCH_LIMITS, BatchLimits
from bellwether.send.deliver.verdicts import AGAIN, BadAnswer, SendAgain, read_verdicts
from bellwether.send.prepare.prepare import Ready
from common.back_off import BackOff

WAIT_FIRST_S = 0.25
WAIT_MAX_S = 15.0
# No response yet, or a key that is being replaced: a later attempt may succeed
_WAITED_OUT = (0, 401, 403, *AGAIN)
_ZSTD_LEVEL = 1


class Poster:
    """Posts batches of one dataset.

    wait: sleeps for a number of seconds.
    notify: shows the operator one line of text.
    """

    def __init__(
        self,
        caller: Caller,
        dataset: str,
        wait: Callable[[float], None],
        notify: Callable[[str], None],
        randomness: random.Random,
        limits: BatchLimits = BATCH_LIMITS,
    ) -> None:
        self._caller = caller
        self._path = f"/1/batch/{quote(dataset, safe='')}"
        self._wait = wait
        self._notify = notify
        self._random = randomness
        self._limits = limits

    def post(self, events: Sequence[Ready], batch_id: str) -> list[tuple[Ready, str]]:
        """Send until answered; returns what the store refused, with its reason. Raises
        ClientError for a response that no later attempt can change.

        Short lines become much longer events: those above the limits of one request go in several,
        whose ids are derived from this one.
        """
        refused: list[tuple[Ready, str]] = []
        for number, some in enumerate(requests_of(events, self._limits)):
            refused += self._post(some, f"{batch_id}-{number}" if number else batch_id)
        return refused

    def _post(self, events: Sequence[Ready], batch_id: str) -> list[tuple[Ready, str]]:
        body = b"[%b]" % b",".join([event.part for event in events])
        packed = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(body)
        headers = {
            "Content-Type": "application/json",
            "Content-Encoding": "zstd",
            "X-Bellwether-Batch-Id": batch_id,
        }
        failed = 0
        back_off = BackOff(WAIT_FIRST_S, WAIT_MAX_S, jitter=(0.5, 1.0), rng=self._random)
        while True:
            reason = self._attempt(packed, headers, events)
            if isinstance(reason, list):
                if failed:
                    self._notify(f"the store answers again, after {failed} attempts")
                return reason
            if failed == 0 or failed % 20 == 0:
                self._notify(f"waiting for the store, nothing is lost: {reason}")
            failed += 1
            self._wait(back_off.next())

    def _attempt(
        self, body: bytes, headers: dict[str, str], events: Sequence[Ready]
    ) -> list[tuple[Ready, str]] | str:
        try:
            found = read_verdicts(self._caller.request("POST", self._path, body, headers), events)
        except ClientError as error:
            if error.status in _WAITED_OUT:
                return str(error)
            raise
        except BadAnswer as error:
            return f"{self._path} {error}"
        return found.reason if isinstance(found, SendAgain) else found


def requests_of(
    events: Sequence[Ready], limits: BatchLimits = BATCH_LIMITS
) -> Iterator[Sequence[Ready]]:
    """The events in as many requests as they take: the same for the same events."""
    begin = size = 0
    for at, event in enumerate(events):
        is_full = size and size + len(event.part) > limits.bytes_max
        if at - begin >= limits.events_max or is_full:
            yield events[begin:at]
            begin, size = at, 0
        size += len(event.part) + 1
    if begin < len(events):
        yield events[begin:]
