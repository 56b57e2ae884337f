"""What is sent about rerouted batches, and how often, while a partition cannot be reached (I11)."""

import asyncio
import random
from types import SimpleNamespace
from typing import cast

from common.clock import ManualClock
from common.errors import LogUnavailable
from common.model.record import Kind, Record
from common.model.reroute import EpochOffset, decode_void
from common.process.role import RoleContext
from common.tasks import running
from indexer.partition.partition import Partition
from indexer.rerouting.reroute_messages import RerouteMessenger
from indexer.state.current_view import CurrentView
from snapshot.documents.manifest import Conditional

ASKER, LOST, REACHED = 0, 1, 2
QUESTIONS = 2_500  # more than two records hold


class Told:
    """A log that counts what is appended; one partition never answers."""

    def __init__(self) -> None:
        self.lost = 0
        self.records: list[Record] = []
        self.told = asyncio.Event()

    async def append(self, partition: int, item: Record) -> None:
        if partition == LOST:
            self.lost += 1
            raise LogUnavailable("it does not answer")
        self.records.append(item)
        self.told.set()


def conditional(offset: int, unless: tuple[int, ...]) -> Conditional:
    return Conditional(
        batch=offset.to_bytes(16, "big").hex(),
        epoch_number=1,
        offset=offset,
        append_ns=0,
        dataset="d",
        unless=unless,
    )


async def test_partition_that_cannot_be_told_is_tried_once_a_second_whatever_is_asked() -> None:
    waiting = {EpochOffset(1, n): conditional(n, (LOST, REACHED)) for n in range(QUESTIONS)}
    log, clock = Told(), ManualClock()
    context = SimpleNamespace(
        clock=clock, random=random.Random(1), backends=SimpleNamespace(log=log)
    )
    partition = SimpleNamespace(
        number=ASKER,
        state=SimpleNamespace(reroutes=SimpleNamespace(open=waiting)),
        stopped_reason=None,
    )
    messenger = RerouteMessenger(cast(Partition, partition), cast(RoleContext, context))
    for look in range(10):  # two seconds, and new batches all the time
        clock.advance_ms(200)
        waiting[EpochOffset(1, QUESTIONS + look)] = conditional(QUESTIONS + look, (LOST,))
        messenger.ask()
        for _ in range(20):
            await asyncio.sleep(0)
    assert log.lost in (2, 3)
    assert {item.kind for item in log.records} == {Kind.VOID}
    told = {q.batch for item in log.records for q in decode_void(item).questions}
    assert told == {n.to_bytes(16, "big") for n in range(QUESTIONS)}


async def test_messenger_rests_until_something_is_read_and_then_asks() -> None:
    waiting: dict[EpochOffset, Conditional] = {}
    looks = 0

    class Reroutes:
        @property
        def open(self) -> dict[EpochOffset, Conditional]:
            nonlocal looks
            looks += 1
            return waiting

    log, views = Told(), CurrentView()
    context = SimpleNamespace(
        clock=ManualClock(), random=random.Random(1), backends=SimpleNamespace(log=log)
    )
    partition = SimpleNamespace(
        number=ASKER,
        state=SimpleNamespace(reroutes=Reroutes()),
        stopped_reason=None,
        pipeline=None,
        voids=[],
        views=views,
    )
    messenger = RerouteMessenger(cast(Partition, partition), cast(RoleContext, context))
    async with running(messenger.run()):
        await asyncio.sleep(0.5)  # more than one round: it waits for a change of the view by then
        before = looks
        await asyncio.sleep(0.5)
        assert looks == before
        waiting[EpochOffset(1, 1)] = conditional(1, (REACHED,))
        views.notify()
        async with asyncio.timeout(30):
            await log.told.wait()
    assert [item.kind for item in log.records] == [Kind.VOID]
