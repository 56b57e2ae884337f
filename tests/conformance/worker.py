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


def say(*facts: object) -> None:
    print(*facts, flush=True)


def numbered(name: str, size: int = 200) -> Record:
    """A record that can be told from every other by its dataset field."""
    return Record(Kind.EVENTS, bytes(size), batch=bytes(16), dataset=name, n=1)


async def append(kind: str, place: str, writer: str, count: str, clients: str) -> None:
    """Append numbered records from some concurrent clients; says `offset name` for each ack."""
    log = known.LOGS[kind].make_small(Path(place), known.PARTITIONS)
    await log.open()
    say("ready")
    numbers = iter(range(int(count)))

    async def client() -> None:
        for number in numbers:
            appended = await log.append(0, numbered(f"{writer}-{number}"))
            say(appended.position.offset, f"{writer}-{number}")

    await asyncio.gather(*(client() for _ in range(int(clients))))
    await log.close()


async def follow(kind: str, place: str, count: str) -> None:
    """Read from the start until `count` records have come; says their names."""
    log = known.LOGS[kind].make_small(Path(place), known.PARTITIONS)
    await log.open()
    say("ready")
    offset = 0
    while offset < int(count):
        for message in await log.read(0, offset, 20_000, 5_000):
            say(message.offset, decode(message).dataset)
            offset = message.offset + 1
    await log.close()


async def drop(kind: str, place: str, count: str) -> None:
    """Drop all but the last 50 records, again and again, until `count` have been appended."""
    log = known.LOGS[kind].make_small(Path(place), known.PARTITIONS)
    await log.open()
    end = 0
    while end < int(count):
        end = (await log.bounds(0)).end
        say(await known.LOGS[kind].forget(log, 0, max(0, end - 50)))
    await log.close()


async def fill_log(kind: str, place: str) -> None:
    """On a disk that is too small: append until full, free space by dropping, go on."""
    log = known.LOGS[kind].make_small(Path(place) / "log", known.PARTITIONS)
    await log.open()
    acked = await _append_until_full(log, 0)
    say("full", acked)
    bounds = await log.bounds(0)
    say("kept", bounds.end - bounds.start, await _count(log, bounds.start))
    await log.close()
    log = known.LOGS[kind].make_small(Path(place) / "log", known.PARTITIONS)
    await log.open()
    say("reopened", await log.bounds(0) == bounds, await _count(log, bounds.start))
    say("start", await log.drop_before(0, bounds.end))
    appended = await log.append(0, numbered("after"))
    say("recovered", appended.position.offset - bounds.end)
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
        say("full", count)
    whole = all(store.get(i.key) == bytes([int(i.key[2:]) % 256]) * 300_000 for i in store.list(""))
    say("listed", len(list(store.list(""))), whole)
    store.delete("a/0000")
    say("again", store.put_if_absent("a/9999", bytes(300_000)))


async def put_object(kind: str, place: str, key: str, mark: str, start_at: str) -> None:
    """Race for one key at an agreed time; says whether it was ours."""
    store = known.OBJECTS[kind](Path(place))
    say("ready")
    await asyncio.sleep(max(0.0, float(start_at) - time.time()))
    for number in range(20):
        say(number, store.put_if_absent(f"{key}/{number}", mark.encode() * 100_000))


async def claim(kind: str, place: str, name: str) -> None:
    """Claim a name and hold it until killed; says the fence."""
    locks = known.LOCKS[kind](Path(place))
    held = locks.acquire(name, b"value of a process")
    say("held", held.fence if held else 0)
    await asyncio.sleep(60)


async def watch_claim(kind: str, place: str, name: str) -> None:
    """Claim a name and tell whether it is held, again and again, until it is not."""
    locks = known.LOCKS[kind](Path(place))
    held = locks.acquire(name, b"value of a process")
    while held is not None and held.held():
        say("held", held.fence)
        await asyncio.sleep(0.02)
    say("lost", 0)


async def race_claims(kind: str, place: str, count: str) -> None:
    """Claim, check and release names, again and again; says `fence` of every claim."""
    locks = known.LOCKS[kind](Path(place))
    say("ready")
    got = 0
    while got < int(count):
        held = locks.acquire("raced", b"x")
        if held is not None:
            say(held.fence, sorted(locks.holders("")) == ["raced"])
            held.release()
            got += 1


async def add_datasets(kind: str, place: str, count: str) -> None:
    """Open (migrating) and write at the same time as others do."""
    metadata = known.METADATA[kind](Path(place))
    metadata.open()
    for number in range(int(count)):
        team = metadata.ensure_team("T", f"team-{number}")
        say(team.id)
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
