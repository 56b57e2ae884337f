"""Sending a load to a real HTTP server that fails in every way: each event is stored once (I2)."""

import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field

import pytest
import zstandard
from aiohttp import web

from bellwether.client import ClientError, Target
from bellwether.client.session import connect
from bellwether.send.deliver.batches import Batch, BatchLimits, batches
from bellwether.send.deliver.sender import Progress, Reject, RetryPolicy, Sender, SendFailed
from bellwether.send.prepare.prepare import Ready
from common.clock import SystemClock
from common.model.position import format_receipt, parse_receipt

Reply = Callable[[int, str, list[dict[str, object]]], web.Response | None]


@dataclass
class Store:
    """A server that keeps one copy per batch id, as Bellwether does. `reply` may answer instead."""

    url: str = ""
    batches: dict[str, list[int]] = field(default_factory=dict)
    requests: int = 0
    reply: Reply = lambda number, batch, events: None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = zstandard.ZstdDecompressor().decompressobj().decompress(await request.read())
        events = json.loads(body)
        batch = request.headers["X-Bellwether-Batch-Id"]
        self.requests += 1
        answer = self.reply(self.requests, batch, events)
        if answer is not None and answer.status != 200:
            return answer
        self.batches.setdefault(batch, [event["data"]["n"] for event in events])
        headers = {"X-Bellwether-Receipt": f"ab:0:{self.requests}"}
        return answer or web.json_response([{"status": 202}] * len(events), headers=headers)

    def stored(self) -> Counter[int]:
        return Counter(n for held in self.batches.values() for n in held)


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    found = Store()
    app = web.Application(client_max_size=10_000_000)
    app.router.add_post("/1/batch/{dataset}", found.handle)
    runner = web.AppRunner(app, auto_decompress=False)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


IMPATIENT = RetryPolicy(first_s=0.001, wait_max_s=0.002)
SMALL = BatchLimits(events_max=10)


def events(count: int) -> list[Ready]:
    part = b'{"data":{"n":%d}}'
    return [Ready(n + 1, n + 1, time_ns=n, part=part % n) for n in range(count)]


async def send(
    store: Store, items: list[Ready], skip_to: int = 0
) -> tuple[Progress, list[Reject], list[int]]:
    rejects: list[Reject] = []
    offsets: list[int] = []
    async with connect(Target(store.url, "key")) as client:
        load = Sender(
            client, "my data", SystemClock(), random.Random(1), rejects.append,
            lambda progress: offsets.append(progress.offset), retry=IMPATIENT,
        )  # fmt: skip
        await load.send_all(
            batches([item for item in items if item.end > skip_to], "seed", skip_to, limits=SMALL)
        )
    return load.progress, rejects, offsets


async def test_every_event_arrives_once(store: Store) -> None:
    progress, rejects, offsets = await send(store, events(95))
    assert store.stored() == Counter(range(95))
    assert (progress.accepted, rejects, offsets) == (95, [], sorted(offsets))
    assert offsets[-1] == 95
    assert parse_receipt(progress.receipt())[0].offset == 10
    assert format_receipt(parse_receipt(progress.receipt())) == progress.receipt()


async def test_overload_and_lost_answers_are_repeated_under_the_same_id(store: Store) -> None:
    def reply(number: int, batch: str, events: list[dict[str, object]]) -> web.Response | None:
        if number % 3 == 0:
            return web.json_response({"error": "busy"}, status=503, headers={"Retry-After": "0"})
        if number % 3 == 1:  # stored, but the caller hears otherwise for one event
            return web.json_response([{"status": 202}] * (len(events) - 1) + [{"status": 503}])
        return None

    store.reply = reply
    progress, rejects, _ = await send(store, events(40))
    assert store.stored() == Counter(range(40))
    assert progress.accepted == 40
    assert progress.retries >= 4
    assert rejects == []


async def test_what_is_refused_is_told_with_line_and_reason(store: Store) -> None:
    store.reply = lambda number, batch, events: web.json_response(
        [{"status": 400, "error": "odd"} if e["data"] == {"n": 7} else {"status": 202}
         for e in events]
    )  # fmt: skip
    items = events(20)
    items[3] = Ready(4, 4, error="not JSON", source=b"{")
    progress, rejects, _ = await send(store, items)
    assert [(r.line, r.reason) for r in rejects] == [(4, "not JSON"), (8, "odd")]
    assert (progress.accepted, progress.rejected) == (18, 2)


async def test_a_load_and_its_key_do_not_follow_a_redirect(store: Store) -> None:
    went: list[str] = []

    def reply(number: int, batch: str, events: list[dict[str, object]]) -> web.Response | None:
        went.append(batch)
        return web.Response(status=308, headers={"Location": f"{store.url}/1/batch/other"})

    store.reply = reply
    with pytest.raises(ClientError, match="308: this address leads to"):
        await send(store, events(5))
    assert len(went) == 1


async def test_an_interrupted_load_goes_on_and_repeats_nothing_new(store: Store) -> None:
    store.reply = lambda number, batch, events: (
        web.json_response({"error": "gone"}, status=401) if number > 4 else None
    )
    offsets: list[int] = []
    async with connect(Target(store.url, "key")) as client:
        load = Sender(
            client, "d", SystemClock(), random.Random(1), lambda r: None,
            lambda progress: offsets.append(progress.offset), retry=IMPATIENT,
        )  # fmt: skip
        with pytest.raises(ClientError, match="gone"):
            await load.send_all(batches(iter(events(95)), "seed", limits=SMALL))
    store.reply = lambda number, batch, events: None
    await send(store, events(95), skip_to=offsets[-1] if offsets else 0)
    assert store.stored() == Counter(range(95))


async def test_a_server_that_stays_away_ends_the_load_with_its_address(store: Store) -> None:
    store.reply = lambda number, batch, events: web.json_response({"error": "full"}, status=503)
    with pytest.raises(SendFailed, match="503: full"):
        await send(store, events(5))
    assert store.stored() == Counter()


async def test_what_was_under_way_when_the_file_broke_is_counted(store: Store) -> None:
    def broken() -> Iterator[Batch]:
        yield from batches(iter(events(30)), "seed", limits=SMALL)
        raise OSError("the file is damaged")

    async with connect(Target(store.url, "key")) as client:
        load = Sender(
            client, "d", SystemClock(), random.Random(1), lambda reject: None, lambda progress: None
        )
        with pytest.raises(OSError, match="damaged"):
            await load.send_all(broken())

    assert load.progress.accepted == 30
    assert store.stored() == Counter(range(30))
