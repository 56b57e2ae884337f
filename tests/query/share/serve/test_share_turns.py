"""An indexer's shares: every environment gets its turn, whatever others ask for and wait for."""

import asyncio
import gc
import threading
import weakref
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession, web

from common.errors import BellwetherError
from indexer.config import IndexerConfig
from query.plan.plan import Need, Plan, ShareRequest, State
from query.share.compute.answer import ShareAnswer
from query.share.compute.computation import Computation
from query.share.compute.database import DatabaseLimits, Databases
from query.share.serve.route import ShareEndpoint
from query.share.view.view import DatasetView, ViewRequest
from segment.parquet.selected import SelectedEncoders
from tests.query.share.rows import Row, Views, block, view
from tests.waiting import PATIENCE_S, eventually

FILTER = {"field": "x", "op": "matches"}


def plan(env: str, key: str = "a", **more: Any) -> Plan:
    needs = (Need(State.COUNT),)
    given = {"dataset": "d", "start_ns": 0, "end_ns": 10**18, "needs": needs, **more}
    return Plan(env=env, key=key, **given)


class Gate:
    """Holds the computations of some environments, or of a key, until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *held: str, heavy: str = "") -> None:
        self.opened = threading.Event()
        self.began: list[str] = []
        self.keys: list[str] = []
        run = Computation.run

        def wait_and_run(computation: Computation) -> ShareAnswer:
            asked = computation._plan
            self.began.append(asked.env)
            self.keys.append(asked.key)
            while (asked.env in held or asked.key == heavy) and not computation._cancelled.is_set():
                if self.opened.wait(0.01):
                    break
            return run(computation)

        monkeypatch.setattr(Computation, "run", wait_and_run)

    async def until_began(self, count: int) -> None:
        await eventually(lambda: len(self.began) >= count)
        assert len(self.began) == count


class SlowViews(Views):
    """Shares of plans that wait for a position never get their view."""

    def lease(
        self, partition: int, dataset: str, wanted: ViewRequest
    ) -> AbstractAsyncContextManager[DatasetView]:
        return self._never(partition) if wanted.timeout_ms else self._lease(partition, dataset)

    @asynccontextmanager
    async def _never(self, partition: int) -> AsyncIterator[DatasetView]:
        await asyncio.sleep(3600)
        yield self.held[partition]


@asynccontextmanager
async def indexer(**more: int) -> AsyncIterator["Asking"]:
    views = SlowViews([view(0, blocks=[block([Row(0, {"x": 1})])])])
    endpoint = ShareEndpoint(
        views, Databases(DatabaseLimits(256, 1), 4), SelectedEncoders(), **more
    )
    app = web.Application()
    app.router.add_post("/internal/share", endpoint.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession() as http:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/internal/share"
        asking = Asking(http, url, endpoint)
        yield asking
        for task in asking.tasks:
            task.cancel()
        await asyncio.gather(*asking.tasks, return_exceptions=True)
    await runner.cleanup()
    endpoint.close()


class Asking:
    """A query role's calls."""

    def __init__(self, http: ClientSession, url: str, endpoint: ShareEndpoint) -> None:
        self._http = http
        self._endpoint = endpoint
        self._url = url
        self.tasks: list[asyncio.Task[int]] = []

    async def until_waiting(self, count: int) -> None:
        """Until so many shares wait for a slot."""
        await eventually(lambda: self._endpoint._slots.waiting == count)

    async def until_inside(self, count: int) -> None:
        """Until the indexer has so many shares, with or without their views."""
        await eventually(lambda: self._endpoint._inside.running == count)

    def ask(self, plan: Plan | bytes) -> "asyncio.Task[int]":
        """The status of a share."""
        body = plan if isinstance(plan, bytes) else msgspec.json.encode(ShareRequest(plan, (0,)))
        self.tasks.append(asyncio.create_task(self._post(body)))
        return self.tasks[-1]

    async def _post(self, body: bytes) -> int:
        async with self._http.post(self._url, data=body) as answer:
            self.last = await answer.read()
            return answer.status


async def test_a_newcomer_is_answered_while_another_environment_holds_and_waits_for_all_it_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate(monkeypatch, "shop")
    async with indexer(running_max=2, waiting_max=6) as asking:
        attack = [asking.ask(plan("shop")) for _ in range(20)]
        await asyncio.wait(attack, return_when=asyncio.FIRST_COMPLETED)
        async with asyncio.timeout(PATIENCE_S):
            assert await asking.ask(plan("bank")) == 200
        assert gate.began == ["shop", "bank"]
        gate.opened.set()
        statuses = await asyncio.gather(*attack)
        assert set(statuses) == {200, 429}
        assert statuses.count(200) == 6  # of 8 places; two thirds are one key's


async def test_shares_that_wait_for_a_position_leave_room_for_others() -> None:
    async with indexer(running_max=2, waiting_max=6) as asking:
        attack = [asking.ask(plan("shop", wait_ms=60_000)) for _ in range(20)]
        await asyncio.wait(attack, return_when=asyncio.FIRST_COMPLETED)
        assert [await asking.ask(plan("bank")) for _ in range(5)] == [200] * 5


async def test_a_share_that_nobody_waits_for_any_more_leaves_the_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate(monkeypatch, "shop")
    async with indexer(running_max=1, waiting_max=6) as asking:
        first = asking.ask(plan("shop"))
        await gate.until_began(1)
        waiting = asking.ask(plan("farm"))
        await asking.until_waiting(1)
        waiting.cancel()
        await asking.until_waiting(0)
        last = asking.ask(plan("bank"))
        await asking.until_waiting(1)
        gate.opened.set()
        assert [await first, await last] == [200, 200]
        assert gate.began == ["shop", "bank"]


async def test_a_share_that_waits_for_a_position_ends_when_nobody_waits_for_it() -> None:
    async with indexer(running_max=2, waiting_max=6) as asking:
        waiting = asking.ask(plan("shop", wait_ms=60_000))
        await asking.until_inside(1)
        waiting.cancel()
        await asking.until_inside(0)


async def test_a_share_whose_time_is_up_leaves_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch, "shop")
    async with indexer(running_max=1) as asking:
        first = asking.ask(plan("shop"))
        await gate.until_began(1)
        assert await asking.ask(plan("bank", timeout_ms=100)) == 503
        gate.opened.set()
        assert await first == 200


async def test_an_older_query_role_is_answered_and_what_is_not_known_is_refused() -> None:
    request = msgspec.json.decode(msgspec.json.encode(ShareRequest(plan("e"), (0,))))
    older = {name: value for name, value in request["plan"].items() if name not in ("env", "key")}
    newer = {**request["plan"], "of_a_later_version": 1}
    async with indexer() as asking:
        assert await asking.ask(msgspec.json.encode({**request, "plan": older})) == 200
        assert await asking.ask(msgspec.json.encode({**request, "plan": newer})) == 400
        assert b"of_a_later_version" in asking.last
        assert await asking.ask(msgspec.json.encode({**request, "version": 1_000})) == 400
        assert b"version 1000" in asking.last


@pytest.mark.parametrize(
    ("why", "more"),
    [
        (b"partition is asked for once", {"partitions": [0, 0, 0]}),
        (b"a step takes", {"step_ns": 0}),
        (b"a step takes", {"step_ns": -1}),
        (b"not a regular expression: missing )", {"filters": [{**FILTER, "values": ["("]}]}),
        (b"matches has 0 values, not 1", {"filters": [FILTER]}),
        (b"at least one filter", {"filters": [{"field": "", "op": "none-of"}]}),
        (b"matches has 0", {"filters": [{"field": "", "op": "any-of", "inside": [FILTER]}]}),
        (b"a key for each breakdown", {"breakdowns": ["x", "y"], "groups": [[1]]}),
        (b"number needs a field", {"needs": [{"state": "number"}]}),
        (b"one row or more", {"needs": [], "rows": {"limit": -1, "bytes_max": 1}}),
    ],
)
async def test_what_no_query_role_asks_is_refused_by_name(why: bytes, more: dict[str, Any]) -> None:
    request = msgspec.json.decode(msgspec.json.encode(ShareRequest(plan("e"), (0,))))
    if "partitions" in more:
        body = {**request, **more}
    else:
        body = {**request, "plan": {**request["plan"], **more}}
    async with indexer() as asking:
        assert await asking.ask(msgspec.json.encode(body)) == 400
        assert why in asking.last


async def test_nothing_of_a_share_that_was_refused_waits_for_garbage_to_be_collected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    errors: list[weakref.ref[BaseException]] = []
    run = Computation.run

    def noted(computation: Computation) -> ShareAnswer:
        try:
            return run(computation)
        except BellwetherError as error:  # its traceback has the states so far
            errors.append(weakref.ref(error))
            raise

    monkeypatch.setattr(Computation, "run", noted)
    async with indexer() as asking:
        shares = asking._endpoint._databases
        shares.allowed = replace(shares.allowed, rows_max=0)
        gc.disable()
        try:
            assert await asking.ask(plan("e", breakdowns=("x",))) == 422
            await eventually(lambda: errors[0]() is None)
        finally:
            gc.enable()


async def test_a_refusal_says_whether_the_asker_or_all_others_use_the_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate(monkeypatch, "shop", "bank")
    async with indexer(running_max=1, waiting_max=1) as asking:
        for env in ("shop", "bank"):
            asking.ask(plan(env))
        await gate.until_began(1)
        await asking.until_waiting(1)
        told = []
        for env in ("shop", "farm"):
            assert await asking.ask(plan(env)) == 429
            told.append(msgspec.json.decode(asking.last)["whole"])
        assert told == [False, True]
        gate.opened.set()


async def test_one_environment_computes_no_more_shares_than_it_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate(monkeypatch, "shop")
    async with indexer(running_max=4, env_running_max=2) as asking:
        attack = [asking.ask(plan("shop", f"key{n}")) for n in range(6)]
        await gate.until_began(3)  # the third is one more, of a key that has none
        assert await asking.ask(plan("bank")) == 200
        assert gate.began == ["shop", "shop", "shop", "bank"]
        gate.opened.set()
        assert await asyncio.gather(*attack) == [200] * 6


async def test_questions_of_another_key_and_of_another_environment_go_on_beside_heavy_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate(monkeypatch, heavy="attacker")
    async with indexer(running_max=4, waiting_max=12, env_running_max=2) as asking:
        attack = [asking.ask(plan("shop", "attacker")) for _ in range(8)]
        await gate.until_began(2)
        for _ in range(5):
            assert await asking.ask(plan("shop", "colleague")) == 200
            assert await asking.ask(plan("bank", "other")) == 200
        assert gate.keys.count("attacker") == 2
        gate.opened.set()
        assert await asyncio.gather(*attack) == [200] * 8


def test_shares_of_one_environment_follow_the_processors_unless_set() -> None:
    at_once = [IndexerConfig(share_threads=2).shares_at_once(n) for n in (1, 2, 4, 16)]
    assert at_once == [2, 2, 2, 8]
    assert IndexerConfig(shares_of_environment=3).shares_at_once(16) == 3
