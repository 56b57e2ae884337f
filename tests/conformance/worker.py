"""What the suites run in processes of their own: `python -m tests.conformance.worker TASK ...`.

Each task prints one line per fact that it knows for certain, flushed at once, so that a test which
kills it has every acknowledgement that the process had.
"""

import asyncio
import sys
import time
from pathlib import Path

from common.errors import LogFull, ObjectsUnavailable
from common.log import Log
from common.model.record import Kind, Record, decode
from tests.conformance import implementations as known


def report(*facts: object) -> None:
    print(*facts, flush=True)


def numbered(name: str, size: int = 200) -> Record:
    """A record whose dataset field is unique."""
    return Record(Kind.EVENTS, bytes(size), batch=bytes(16), dataset=name, n=1)


async def append(kind: str, place: str, writer: str, count: str, clients: str) -> None:
    """Append numbered records from concurrent clients; prints `offset name` for each ack."""
    log = known.LOGS[kind].make_small(Path(place), known.PARTITIONS)
    await log.open()
    report("ready")
    numbers = iter(range(int(count)))

    async def client() -> None:
        for number in numbers:
            appended = await log.append(0, numbered(f"{writer}-{number}"))
            report(appended.position.offset, f"{writer}-{number}")

    await asyncio.gather(*(client() for _ in range(int(clients))))
    await log.close()


async def follow(kind: str, place: str, count: str) -> None:
    """Read from the start until `count` records have come; prints their names."""
    log = known.LOGS[kind].make_small(Path(place), known.PARTITIONS)
    await log.open()
    report("ready")
    offset = 0
    while offset < int(count):
        for message in await log.read(0, offset, 20_000, 5_000):
            report(message.offset, decode(message).dataset)
            offset = message.offset + 1
    await log.close()


async def drop(kind: str, place: str, count: str) -> None:
    """Drop all but the last 50 records repeatedly, until `count` have been appended."""
    log = known.LOGS[kind].make_small(Path(place), known.PARTITIONS)
    await log.open()
    end = 0
    while end < int(count):
        end = (await log.bounds(0)).end
        report(await known.LOGS[kind].forget(log, 0, max(0, end - 50)))
    await log.close()


async def fill_log(kind: str, place: str) -> None:
    """On a disk that is too small: append until full, free space by dropping, go on."""
    log = known.LOGS[kind].make_small(Path(place) / "log", known.PARTITIONS)
    await log.open()
    acked = await _append_until_full(log, 0)
    report("full", acked)
    bounds = await log.bounds(0)
    report("kept", bounds.end - bounds.start, await _count(log, bounds.start))
    await log.close()
    log = known.LOGS[kind].make_small(Path(place) / "log", known.PARTITIONS)
    await log.open()
    report("reopened", await log.bounds(0) == bounds, await _count(log, bounds.start))
    report("start", await log.drop_before(0, bounds.end))
    appended = await log.append(0, numbered("after"))
    report("recovered", appended.position.offset - bounds.end)
    await log.close()


async def _append_until_full(log: Log, partition: int) -> int:
    acked = 0
    while True:
        try:
            await log.append(partition, numbered("x", 50_000))
        except LogFull:
            return acked
        acked += 1


async def _count(log: Log, offset: int) -> int:
    count = 0
    while found := await log.read(0, offset + count, 1_000_000, 0):
        count += sum(1 for message in found if decode(message).dataset == "x")
    return count


async def fill_objects(kind: str, place: str) -> None:
    """On a disk that is too small: put until full, delete one, put again."""
    store = known.OBJECTS[kind](Path(place) / "store")
    count = 0
    try:
        while True:
            store.put_if_absent(f"a/{count:04d}", bytes([count % 256]) * 300_000)
            count += 1
    except ObjectsUnavailable:
        report("full", count)
    whole = all(store.get(i.key) == bytes([int(i.key[2:]) % 256]) * 300_000 for i in store.list(""))
    report("listed", len(list(store.list(""))), whole)
    store.delete("a/0000")
    report("again", store.put_if_absent("a/9999", bytes(300_000)))


async def put_object(kind: str, place: str, key: str, mark: str, start_at: str) -> None:
    """Race for one key at an agreed time; prints whether this process has put it."""
    store = known.OBJECTS[kind](Path(place))
    report("ready")
    await asyncio.sleep(max(0.0, float(start_at) - time.time()))
    for number in range(20):
        report(number, store.put_if_absent(f"{key}/{number}", mark.encode() * 100_000))


async def claim(kind: str, place: str, name: str) -> None:
    """Claim a name and hold it until killed; prints the fence."""
    locks = known.LOCKS[kind](Path(place))
    held = locks.acquire(name, b"value of a process")
    report("held", held.fence if held else 0)
    await asyncio.sleep(60)


async def watch_claim(kind: str, place: str, name: str) -> None:
    """Claim a name and print its fence repeatedly, until it is no longer held."""
    locks = known.LOCKS[kind](Path(place))
    held = locks.acquire(name, b"value of a process")
    while held is not None and held.held():
        report("held", held.fence)
        await asyncio.sleep(0.02)
    report("lost", 0)


async def race_claims(kind: str, place: str, count: str) -> None:
    """Claim, check and release a name repeatedly; prints the fence of every claim."""
    locks = known.LOCKS[kind](Path(place))
    report("ready")
    got = 0
    while got < int(count):
        held = locks.acquire("raced", b"x")
        if held is not None:
            report(held.fence, sorted(locks.holders("")) == ["raced"])
            held.release()
            got += 1


async def add_datasets(kind: str, place: str, count: str) -> None:
    """Open (which migrates) and write at the same time as other processes."""
    metadata = known.METADATA[kind](Path(place))
    metadata.open()
    for number in range(int(count)):
        team = metadata.ensure_team("T", f"team-{number}")
        report(team.id)
    metadata.close()


TASKS = {
    task.__name__: task
    for task in (
        *(append, follow, drop, fill_log, fill_objects, put_object),
        *(claim, watch_claim, race_claims, add_datasets),
    )
}

if __name__ == "__main__":
    asyncio.run(TASKS[sys.argv[1]](*sys.argv[2:]))
