"""The scenarios' questions find each broken promise (a server that lies on purpose)."""

import asyncio
from collections import Counter
from typing import Any, cast

import pytest
from aiohttp import web

from tests.cluster.asking import ASKERS, Answers, asking
from tests.cluster.harness import Scenario
from tests.system.load import Load, Target

ASKED = 30


class Store:
    """Answers COUNT by `seq`, or as a series, of what it is given."""

    def __init__(self, *numbers: int, complete: bool = True, points: int | None = None) -> None:
        self.stored = Counter(numbers)
        self.complete = complete
        self.points = len(numbers) if points is None else points
        self.asked = 0
        self.enough = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked += 1
        if self.asked >= ASKED:
            self.enough.set()
        if body["coverage"] == "require" and not self.complete:
            return web.json_response({"error": "not every partition"}, status=503)
        rows: list[dict[str, Any]] = [
            {"data": {"seq": seq, "COUNT": count, "SUM(seq)": seq * count}}
            for seq, count in self.stored.items()
        ]
        series: list[dict[str, Any]] = []
        if "breakdowns" not in body["query"]:
            rows = [{"data": {"COUNT": self.stored.total()}}]
            series = [{"data": {"COUNT": self.points}}]
        coverage = {"complete": self.complete, "partitions": [{"undecided": 2}]}
        data = {"results": rows, "series": series}
        return web.json_response({"data": data, "coverage": coverage}, status=201)


async def ask(store: Store, acknowledged: set[int], answers: list[Answers]) -> None:
    """Ask the store so many times, of these numbers."""
    app = web.Application()
    app.router.add_post("/1/query_results/d", store.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        target = Target(f"http://127.0.0.1:{runner.addresses[0][1]}", "key", "d")
        load = Load(target, 1, 1)
        load.outcome.acknowledged |= acknowledged
        running = Scenario("test", cast(Any, None), target, load, 0.0)
        async with asking(running) as told:
            answers.append(told)
            async with asyncio.timeout(30):
                await store.enough.wait()
    finally:
        await runner.cleanup()


async def test_answers_that_keep_every_promise_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.cluster.asking.PAUSE_MAX_S", 0.0)
    told: list[Answers] = []
    await ask(Store(1, 2, 3), {1, 2}, told)
    assert told[0].counts["complete"] >= ASKED - ASKERS
    assert told[0].undecided_max == 2
    await ask(Store(1, complete=False), {1, 2}, told)  # says so itself
    assert told[1].counts["incomplete"] + told[1].counts["status 503"] >= ASKED - ASKERS


@pytest.mark.parametrize(
    ("store", "wrong"),
    [
        (Store(1, 2, 2), "counted twice"),
        (Store(1, 2, 2, complete=False), "counted twice"),
        (Store(1), "missing in a complete answer"),
        (Store(1, 2, points=1), "series differ"),
    ],
)
async def test_broken_promises_are_found(
    store: Store, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.cluster.asking.PAUSE_MAX_S", 0.0)
    with pytest.raises(AssertionError, match=wrong):
        await ask(store, {1, 2}, [])
