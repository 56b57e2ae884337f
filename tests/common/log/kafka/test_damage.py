"""Batches damaged in real brokers' files: another replica is read, or damage is reported (I7)."""

import asyncio

from compose.servers.kafka import Kafka
from tests.conformance.kafka import FreshKafkaLog
from tests.conformance.test_log import read_all
from tests.indexer.harness import record


def flip(kafka: Kafka, topic: str, numbers: list[int], value: bytes) -> int:
    """Flip a byte of a value in the partition's files of these brokers; returns how many."""
    hit = 0
    for broker in kafka.brokers:
        if broker.number not in numbers:
            continue
        folder = broker._site.data_folder(broker.name) / "data"
        for path in (folder / f"{topic}-0").glob("*.log"):
            data = path.read_bytes()
            at = data.find(value)
            if at >= 0:
                with path.open("r+b") as file:
                    file.seek(at + len(value) // 2)
                    file.write(bytes([data[at + len(value) // 2] ^ 0xFF]))
                hit += 1
    return hit


async def test_damaged_copy_is_read_from_another_broker_and_damage_of_all_keeps_its_place(
    log: FreshKafkaLog, kafka_server: Kafka
) -> None:
    records = [record([n, n + 100], batch=n) for n in range(6)]
    for one in records:
        await log.append(0, one)
    topic = log.config.topic
    leader = int(log.leader(0))
    hit = await asyncio.to_thread(flip, kafka_server, topic, [leader], records[2].value)
    assert hit == 1
    found = await read_all(log, 0)
    assert [message.damage for message in found] == [None] * 6
    again = await log.read_again(0, 2)
    assert again is not None
    assert again.value == records[2].value
    others = [b.number for b in kafka_server.brokers if b.number != leader]
    assert await asyncio.to_thread(flip, kafka_server, topic, others, records[2].value) == 2
    found = await read_all(log, 0)
    assert [message.offset for message in found] == list(range(6))
    assert [message.damage is None for message in found] == [True, True, False, True, True, True]
    damage = found[2].damage
    assert damage is not None
    assert "checksum" in damage.reason
    assert dict(damage.headers)["kind"] == b"events"
