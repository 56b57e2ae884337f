"""Time that costs nothing: an event loop whose clock jumps, and a simulated log of brokers.

The simulated log only stands in where real brokers cannot be made slow, frozen or flapping at
exact moments; the same faults are tried with real ones in
`tests/shepherd/delivery/test_real_brokers.py`.
"""

import asyncio
import random
import selectors
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from common.errors import LogRefused, LogUnavailable
from common.log import Appended, LogIdentity
from common.model.position import Position
from common.model.record import Record

T = TypeVar("T")
SECOND = 10**9


class _JumpingSelector(selectors.SelectSelector):
    """Instead of waiting it moves the time on."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everybody waits for what never comes")
        self.now_s += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its time jumps to the next timer."""

    def __init__(self) -> None:
        self.jumping = _JumpingSelector()
        super().__init__(self.jumping)

    def time(self) -> float:
        return self.jumping.now_s


def run_virtual(work: Coroutine[Any, Any, T]) -> T:
    """Run to its end in virtual time."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        leftovers = asyncio.all_tasks(loop)
        for task in leftovers:
            task.cancel()
        if leftovers:
            loop.run_until_complete(asyncio.wait(leftovers))
        loop.close()


class LoopClock:
    """The running loop's time."""

    def now_ns(self) -> int:
        return 1_700_000_000 * SECOND + self.monotonic_ns()

    def monotonic_ns(self) -> int:
        return int(asyncio.get_running_loop().time() * 1e9)


@dataclass(slots=True)
class Broker:
    """How a simulated broker behaves now."""

    latency_s: float = 0.005
    hole: bool = False  # what is sent arrives when the hole is gone, if it is not lost
    refuses: bool = False


@dataclass(slots=True)
class Landed:
    """A record in the simulated log."""

    partition: int
    record: Record
    at_ns: int


@dataclass(slots=True)
class BrokersLog:
    """A log of some brokers; partition p is led by broker p modulo their number unless moved."""

    partitions: int
    rng: random.Random
    brokers: dict[str, Broker]
    time_out_s: float = 2.5
    stuck: set[int] = field(default_factory=set)
    moved: dict[int, str] = field(default_factory=dict)
    landed: list[Landed] = field(default_factory=list)
    sent: list[tuple[int, int, str]] = field(default_factory=list)
    ends: Counter[int] = field(default_factory=Counter)
    frozen: bool = False
    made_anew: bool = False  # and not looked at since

    def leader(self, partition: int) -> str:
        names = sorted(self.brokers)
        return self.moved.get(partition, names[partition % len(names)])

    async def refresh(self) -> LogIdentity:
        self.made_anew = False
        return LogIdentity("e", self.partitions)

    async def append(self, partition: int, record: Record) -> Appended:
        loop = asyncio.get_running_loop()
        self.sent.append((int(loop.time() * 1e9), partition, str(record.kind)))
        broker = self.brokers[self.leader(partition)]
        if broker.refuses or self.made_anew:
            raise LogRefused("not the leader")
        answer: asyncio.Future[Appended] = loop.create_future()
        self._arrive_later(partition, record, broker, answer)
        try:
            async with asyncio.timeout(self.time_out_s):
                return await answer
        except TimeoutError as error:
            raise LogUnavailable("no answer in time") from error

    def _arrive_later(
        self, partition: int, record: Record, broker: Broker, answer: "asyncio.Future[Appended]"
    ) -> None:
        loop = asyncio.get_running_loop()

        def arrive() -> None:
            if broker.hole or self.frozen or partition in self.stuck:
                loop.call_later(0.05, arrive)
                return
            now_ns = int(loop.time() * 1e9)
            self.ends[partition] += 1
            self.landed.append(Landed(partition, record, now_ns))
            if not answer.done():
                answer.set_result(
                    Appended(Position("e", partition, self.ends[partition] - 1), now_ns)
                )

        loop.call_later(broker.latency_s * self.rng.uniform(0.5, 1.5), arrive)
