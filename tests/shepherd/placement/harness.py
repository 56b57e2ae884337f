"""A shepherd's placement before three simulated brokers, under a steady load."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from common.model.position import Position
from common.model.record import Record
from common.model.record_value import encode_event_line, events_record
from common.tasks import running
from shepherd.delivery.appends import Appends
from shepherd.delivery.delivery import Delivery
from shepherd.delivery.prober import Prober
from shepherd.placement.selector import PartitionSelector
from tests.shepherd.placement.virtual import Broker, BrokersLog, LoopClock

RATE_PER_S = 50


def a_record(batch: bytes = bytes(16), dataset: str = "d", size: int = 60_000) -> Record:
    pad = random.Random(batch).randbytes(size).hex().encode()  # does not compress away
    line = encode_event_line(1, 1, b'{"a":"%b"}' % pad)
    return events_record(
        team="t", env="e", dataset=dataset, batch=batch, depth=0, via="", lines=[line]
    )


RECORD = a_record()


@dataclass
class Harness:
    """A shepherd's placement before three simulated brokers, under a steady load."""

    conditionals_max: int = 10_000
    partitions: int = 12
    seed: int = 1
    waits_ns: list[tuple[int, int]] = field(default_factory=list)
    failures: list[object] = field(default_factory=list)
    acked: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = random.Random(self.seed)
        self.log = BrokersLog(self.partitions, rng, {name: Broker() for name in "abc"})
        self.selector = PartitionSelector(self.partitions, self.log.leader, rng, 0)
        self.rng = rng

    @property
    def health(self):  # type: ignore[no-untyped-def]
        return self.selector.health

    async def run(self, script: Callable[["Harness"], Awaitable[None]]) -> None:
        self.clock = LoopClock()
        # what placement needs of a log
        appends = Appends(self.log, self.health, self.clock, self.conditionals_max)  # type: ignore[arg-type]
        self.delivery = Delivery(appends, self.selector, self.clock, 4.5)
        prober = Prober(self.log, self.selector, appends, self.clock)  # type: ignore[arg-type]
        async with running(prober.run()):
            await script(self)
        await self.delivery.close()

    async def load(self, seconds: float, rate_per_s: float = RATE_PER_S) -> None:
        """Deliver records at a steady rate, and wait for all of them."""
        tasks = []
        for _ in range(int(seconds * rate_per_s)):
            batch = self.rng.randbytes(16)
            tasks.append(asyncio.create_task(self.deliver(batch)))
            await asyncio.sleep(1 / rate_per_s)
        await asyncio.gather(*tasks)

    async def deliver(self, batch: bytes, named: bool = False) -> Position | None:
        began_ns = self.clock.monotonic_ns()
        record = Record(RECORD.kind, RECORD.value, batch, "t", "e", "d", 1)
        outcome = await self.delivery.deliver(record, named=named)
        self.waits_ns.append((began_ns, self.clock.monotonic_ns() - began_ns))
        if isinstance(outcome, Position):
            self.acked.append(batch)
            return outcome
        self.failures.append(outcome)
        return None

    def sent_to(self, since_ns: int, until_ns: int = 2**62) -> Counter[str]:
        """Customers' records by broker."""
        return Counter(
            self.log.leader(partition)
            for at_ns, partition, kind in self.log.sent
            if kind == "events" and since_ns <= at_ns < until_ns
        )

    def probes(self, since_ns: int) -> int:
        return sum(kind == "heartbeat" and at >= since_ns for at, _, kind in self.log.sent)

    def waited_max_s(self, since_ns: int = 0) -> float:
        return max(wait for began, wait in self.waits_ns if began >= since_ns) / 1e9

    def places(self) -> dict[bytes, dict[int, tuple[int, ...]]]:
        """Of each batch the partitions that hold it, and what its first copy there names."""
        places: dict[bytes, dict[int, tuple[int, ...]]] = {}
        for landed in self.log.landed:
            if landed.record.batch:
                at = places.setdefault(landed.record.batch, {})
                at.setdefault(landed.partition, landed.record.unless)
        return places

    def counted(self) -> Counter[bytes]:
        """How often each batch counts by the rules of design section 6, when all that was sent has
        landed before the questions are settled.
        """
        return Counter(
            batch
            for batch, at in self.places().items()
            for unless in at.values()
            if not any(partition in at for partition in unless)
        )

    def assert_counted_once(self) -> None:
        """Each acknowledged batch counts once; of any two copies one names the other, so that it
        does whenever the questions are settled.
        """
        counted = self.counted()
        for at in self.places().values():
            for one, two in itertools.combinations(at, 2):
                assert one in at[two] or two in at[one]
        assert [batch for batch in self.acked if counted[batch] != 1] == []
        assert max(counted.values()) == 1
