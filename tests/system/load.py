"""A load of uniquely numbered events that remembers what it was told about each of them.

Every event carries its number in the field `seq`. A number ends in exactly one of three sets:
acknowledged, refused (4xx) and unknown (5xx, or no answer at all). Senders that name their batches
repeat them until they are answered; the others never repeat anything. Keeps the promises of I1
and I2 checkable from outside.
"""

import asyncio
import itertools
import random
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import aiohttp
import orjson

from common.model.position import Position, format_receipt, parse_receipt

BATCH_EVENTS_MAX = 40
REQUEST_TIMEOUT_S = 15.0
PAUSE_AFTER_FAILURE_S = 0.1
PAUSE_MAX_S = 0.1  # between two batches of one sender: roles that start share the processor
REPEATS_MAX = 300  # of one named batch; bounds the load when nothing comes back


@dataclass(frozen=True, slots=True)
class Ack:
    """A request that was answered for good: when (monotonic), how long it took, how many events."""

    at_s: float
    wait_s: float
    events: int


@dataclass(slots=True)
class Outcome:
    """What the senders were told: numbers of events by what their answers said."""

    acknowledged: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    unknown: set[int] = field(default_factory=set)
    statuses: Counter[str] = field(default_factory=Counter)
    reached: dict[tuple[str, int], int] = field(default_factory=dict)
    acks: list["Ack"] = field(default_factory=list)

    def add_receipt(self, text: str) -> None:
        """Remember the furthest position of each partition."""
        for position in parse_receipt(text):
            place = (position.epoch, position.partition)
            self.reached[place] = max(self.reached.get(place, 0), position.offset)

    def receipt(self) -> str:
        """One receipt that stands for all."""
        return format_receipt([Position(*place, end) for place, end in self.reached.items()])

    def add(self, other: "Outcome") -> None:
        """Take over what another load was told; their numbers must not overlap."""
        self.acknowledged |= other.acknowledged
        self.refused |= other.refused
        self.unknown |= other.unknown
        self.statuses += other.statuses
        self.acks += other.acks
        for (epoch, partition), offset in other.reached.items():
            self.add_receipt(str(Position(epoch, partition, offset)))

    def counts(self) -> str:
        """One printable line."""
        return (
            f"acknowledged {len(self.acknowledged)}, refused {len(self.refused)}, "
            f"unknown {len(self.unknown)}, answers {dict(self.statuses)}"
        )


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send: base URL, key and dataset. `others`: further addresses of the same system."""

    url: str
    key: str = field(repr=False)
    dataset: str
    others: tuple[str, ...] = ()

    @property
    def batch_url(self) -> str:
        """URL of the batch endpoint."""
        return f"{self.url}/1/batch/{self.dataset}"

    def batch_url_of(self, turn: int) -> str:
        """The endpoint at one of the addresses, in turn, as behind a load balancer."""
        urls = (self.url, *self.others)
        return f"{urls[turn % len(urls)]}/1/batch/{self.dataset}"


def make_event(seq: int, chance: random.Random) -> dict[str, object]:
    """One numbered event; one in fifty is bad on purpose (a name that is too long)."""
    data: dict[str, object] = {
        "seq": seq,
        "service": f"svc-{seq % 7}",
        "duration_ms": round(chance.expovariate(1 / 20), 3),
        "status": chance.choice([200, 200, 200, 404, 500]),
        "trace.trace_id": f"{chance.getrandbits(128):032x}",
    }
    if seq % 50 == 49:
        data["n" * 65_536] = 1
    return {"data": data, "samplerate": 1}


class Load:
    """Concurrent senders; run it in a task and call `stop` when the scenario is over."""

    def __init__(
        self, target: Target, senders: int, seed: int, *, pause_max_s: float = PAUSE_MAX_S
    ) -> None:
        self.outcome = Outcome()
        self._pause_max_s = pause_max_s
        self._target = target
        self._senders = senders
        self._seed = seed
        self._numbers: Iterator[int] = itertools.count(1)
        self._stopping = asyncio.Event()
        self._abandoned = False

    def count_from(self, first: int) -> None:
        """Number events from `first` on; before anything is sent."""
        self._numbers = itertools.count(first)

    def stop(self) -> None:
        """Let every sender finish what it has begun."""
        self._stopping.set()

    def abandon(self) -> None:
        """Stop; nothing that failed is repeated again, because nobody is there to answer."""
        self._abandoned = True
        self._stopping.set()

    async def run(self) -> Outcome:
        """Send until stopped; half of the senders name their batches and repeat them."""
        timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S)
        headers = {"X-Honeycomb-Team": self._target.key, "Content-Type": "application/json"}
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            asyncio.TaskGroup() as group,
        ):
            for number in range(self._senders):
                group.create_task(self._send_batches(session, number))
        return self.outcome

    async def _send_batches(self, session: aiohttp.ClientSession, sender: int) -> None:
        chance = random.Random(self._seed * 1_000 + sender)
        named = sender % 2 == 0
        while not self._stopping.is_set():
            numbers = list(itertools.islice(self._numbers, chance.randint(1, BATCH_EVENTS_MAX)))
            body = orjson.dumps([make_event(seq, chance) for seq in numbers])
            headers = {"X-Bellwether-Batch-Id": uuid.UUID(int=chance.getrandbits(128)).hex}
            repeats_left = REPEATS_MAX if named else 1
            turn = sender
            while not (
                told := await self._send(turn, session, numbers, body, headers if named else {})
            ):
                turn += 1
                # as a load balancer does: what reached nobody is tried at the next address
                elsewhere = told is None and turn - sender <= len(self._target.others)
                repeats_left -= 0 if elsewhere else 1
                if self._abandoned or not repeats_left:
                    self.outcome.unknown.update(self._untold(numbers))
                    break
                await asyncio.sleep(PAUSE_AFTER_FAILURE_S)
            await asyncio.sleep(chance.uniform(0.0, self._pause_max_s))

    async def _send(
        self,
        turn: int,
        session: aiohttp.ClientSession,
        numbers: list[int],
        body: bytes,
        headers: dict[str, str],
    ) -> bool | None:
        """Send once; True when every event was answered for good (202 or 4xx).

        None: there was no connection, so nothing can have been stored.
        """
        begin_s = time.monotonic()
        url = self._target.batch_url_of(turn)
        try:
            async with session.post(url, data=body, headers=headers) as answer:
                self.outcome.statuses[str(answer.status)] += 1
                if answer.status >= 500 or answer.status == 429:
                    return False
                if answer.status != 200:
                    self.outcome.refused.update(numbers)
                    return True
                replies = orjson.loads(await answer.read())
                self.outcome.add_receipt(answer.headers.get("X-Bellwether-Receipt", ""))
        except aiohttp.ClientConnectorError:
            self.outcome.statuses["not connected"] += 1
            return None
        except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError):
            self.outcome.statuses["no answer"] += 1
            return False
        assert len(replies) == len(numbers), "the reply array must match the batch"
        answered = True
        for seq, reply in zip(numbers, replies, strict=True):
            if reply["status"] == 202:
                self.outcome.acknowledged.add(seq)
            elif reply["status"] == 400:
                self.outcome.refused.add(seq)
            else:
                answered = False
        if answered:
            now_s = time.monotonic()
            self.outcome.acks.append(Ack(now_s, now_s - begin_s, len(numbers)))
        return answered

    def _untold(self, numbers: list[int]) -> set[int]:
        return set(numbers) - self.outcome.acknowledged - self.outcome.refused


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the store holds against what the senders were told."""

    lost: list[int]
    doubled: list[int]
    ghosts: list[int]
    stored_unknown: int
    stored: int

    @property
    def clean(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.doubled or self.ghosts)


def judge(outcome: Outcome, stored: Counter[int]) -> Verdict:
    """Compare. `stored` counts each `seq` in the query results."""
    unknown = outcome.unknown - outcome.acknowledged
    return Verdict(
        lost=sorted(seq for seq in outcome.acknowledged if stored[seq] == 0),
        doubled=sorted(seq for seq, count in stored.items() if count > 1),
        ghosts=sorted(
            seq for seq in stored if seq not in outcome.acknowledged and seq not in unknown
        ),
        stored_unknown=sum(1 for seq in unknown if stored[seq]),
        stored=len(stored),
    )
