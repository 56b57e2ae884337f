"""What the Kafka log promises while brokers and links to them fail."""

import asyncio
import dataclasses

from common.clock import SystemClock
from common.errors import LogUnavailable
from common.log.kafka.log import KafkaLog
from compose.servers.kafka import KafkaBroker
from compose.servers.proxy import Proxy
from tests.common.log.kafka.conftest import PARTITIONS
from tests.common.log.kafka.traffic import Traffic
from tests.conformance.kafka import FreshKafkaLog
from tests.conformance.test_log import read_all
from tests.conformance.worker import numbered

TIME_LIMIT_S = 60  # for waiting; nothing is measured here


def split(log: FreshKafkaLog, victim: KafkaBroker) -> tuple[list[int], list[int]]:
    """Partitions that the victim leads, and the others."""
    led = [p for p in range(PARTITIONS) if log.leader(p) == str(victim.number)]
    return led, [p for p in range(PARTITIONS) if p not in led]


async def appended_meanwhile(
    traffic: Traffic, partitions: list[int], until: "asyncio.Task[str]"
) -> int:
    """Append to these partitions in turn until the task is done; returns how many were acked."""
    count = 0
    while not until.done():
        for partition in partitions:
            await traffic.append(partition, f"other-{count}")
            count += 1
    return sum(name.startswith("other-") for name in traffic.acked)


async def test_black_holed_link_of_one_broker_holds_up_no_other(
    log: FreshKafkaLog, victim: KafkaBroker, links: Proxy
) -> None:
    traffic = Traffic(log)
    for partition in range(PARTITIONS):
        assert await traffic.append(partition, f"before-{partition}") == "acked"
    led, others = split(log, victim)
    link = links[victim.name]
    await asyncio.to_thread(link.black_hole)
    stuck = asyncio.create_task(traffic.append(led[0], "stuck"))
    assert await appended_meanwhile(traffic, others, stuck) > 20
    assert await stuck == "unknown"
    # from now on the broker is known not to answer: nothing more is put in doubt
    assert [await traffic.append(led[0], f"later-{i}") for i in range(20)] == ["refused"] * 20
    # what it leads is read from a broker that is in sync
    assert len(await log.read(led[0], 0, 1_000_000, 0)) >= 1
    await asyncio.to_thread(link.heal)
    async with asyncio.timeout(TIME_LIMIT_S):
        await traffic.until_acked(led[0], "healed")
    await traffic.assert_none_lost_or_doubled(PARTITIONS)


async def test_paused_broker_is_left_for_the_new_leaders_and_every_ack_holds(
    log: FreshKafkaLog, victim: KafkaBroker
) -> None:
    traffic = Traffic(log)
    led, _ = split(log, victim)
    assert await traffic.append(led[0], "before") == "acked"
    victim.pause()
    async with asyncio.timeout(TIME_LIMIT_S):
        for partition in range(PARTITIONS):
            await traffic.until_acked(partition, f"paused-{partition}")
        assert log.leader(led[0]) != str(victim.number)
        victim.resume()
        for partition in range(PARTITIONS):
            await traffic.until_acked(partition, f"resumed-{partition}")
    await traffic.assert_none_lost_or_doubled(PARTITIONS)


async def test_reader_that_waits_at_a_killed_broker_gets_what_its_successor_takes(
    log: FreshKafkaLog, victim: KafkaBroker
) -> None:
    traffic = Traffic(log)
    led, _ = split(log, victim)

    async def follow() -> list[str]:
        names: list[str] = []
        offset = 0
        while "after" not in " ".join(names):
            try:
                block = await log.read(led[0], offset, 1_000_000, 5_000)
            except LogUnavailable:
                continue
            names += [dict(message.headers)["dataset"].decode() for message in block]
            offset += len(block)
        return names

    reading = asyncio.create_task(follow())
    assert await traffic.append(led[0], "before") == "acked"
    victim.kill()
    async with asyncio.timeout(TIME_LIMIT_S):
        await traffic.until_acked(led[0], "after")
        names = await reading
    assert names[0] == "before"
    assert names[-1].startswith("after")
    await traffic.assert_none_lost_or_doubled(PARTITIONS)


async def test_log_opens_while_the_first_broker_of_its_list_does_not_answer(
    log: FreshKafkaLog, victim: KafkaBroker, links: Proxy
) -> None:
    stuck = victim.address
    rest = [server for server in log.config.servers.split(",") if server != stuck]
    config = dataclasses.replace(log.config, servers=",".join([stuck, *rest]))
    await log.append(0, numbered("before"))
    await asyncio.to_thread(links[victim.name].black_hole)
    again = KafkaLog(config, SystemClock())
    assert await again.open() == await log.open()
    assert len(await read_all(again, 0)) == 1
    await again.close()
