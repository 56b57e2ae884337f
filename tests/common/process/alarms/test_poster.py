"""Alarms are posted to a real receiver: in order, until taken, also over a restart."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from common import limits
from common.clock import ManualClock
from common.metrics import alarm_posts_total
from common.process.alarms.board import AlarmBoard
from common.process.alarms.config import AlarmsConfig
from common.process.alarms.poster import AlarmPoster
from tests.waiting import PATIENCE_S

SECRET = "planted-token-in-the-address"
WHO = ("indexer", "indexer-a-1", "a")


class Receiver:
    """Takes posts; refuses with `statuses` first."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.statuses: list[int] = []
        self.url = ""
        self.tries = 0
        self.changed = asyncio.Condition()

    async def handle(self, request: web.Request) -> web.Response:
        self.tries += 1
        body = await request.json()
        status = self.statuses.pop(0) if self.statuses else 200
        known = any(notice["id"] == body["id"] for notice in self.taken)
        if status == 200 and not known:  # an answer that was lost has it posted again
            self.taken.append(body)
        async with self.changed:
            self.changed.notify_all()
        headers = {"Location": "/elsewhere"} if 300 <= status < 400 else {}
        return web.Response(status=status, headers=headers, text=json.dumps(SECRET))

    def states(self) -> list[tuple[str, str]]:
        return [(notice["alarm"], notice["state"]) for notice in self.taken]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post(f"/{SECRET}", receiver.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/{SECRET}"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@asynccontextmanager
async def posting(url: str, folder: Path) -> AsyncIterator[AlarmBoard]:
    """A board whose alarms are posted; leaving is the role's clean stop."""
    board = AlarmBoard(ManualClock())
    poster = AlarmPoster(board, AlarmsConfig(url=url), ManualClock(), folder, WHO)
    task = asyncio.create_task(poster.run())
    await asyncio.sleep(0)
    try:
        yield board
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(receiver: Receiver, count: int) -> None:
    async with asyncio.timeout(PATIENCE_S), receiver.changed:
        await receiver.changed.wait_for(lambda: len(receiver.taken) >= count)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.process.alarms.poster._FIRST_WAIT_S", 0.01)


async def test_beginning_and_end_are_posted_in_order_with_what_to_do(tmp_path: Path) -> None:
    async with receiving() as receiver, posting(receiver.url, tmp_path) as board:
        board.set("gap", "offsets 1 to 2", 3)
        board.set("gap", "offsets 1 to 2", 3)
        board.set("pushes_back", "slow")
        board.set("gap", None, 3)
        await until(receiver, 3)
        assert receiver.states() == [("gap", "begun"), ("pushes_back", "begun"), ("gap", "ended")]
        first = receiver.taken[0]
        assert (first["partition"], first["text"]) == (3, "offsets 1 to 2")
        assert first["severity"] == "page"
        assert first["remedy"]
        assert (first["role"], first["instance"], first["zone"]) == WHO
        assert len({notice["id"] for notice in receiver.taken}) == 3


@pytest.mark.parametrize("status", [500, 503, 429, 301, 404])
async def test_what_the_receiver_cannot_take_now_is_posted_again(
    tmp_path: Path, status: int
) -> None:
    async with receiving() as receiver, posting(receiver.url, tmp_path) as board:
        receiver.statuses = [status, status]
        board.set("gap", "text", 1)
        board.set("gap", None, 1)
        await until(receiver, 2)
        assert receiver.states() == [("gap", "begun"), ("gap", "ended")]
        assert receiver.tries == 4


async def test_a_notice_that_is_refused_for_good_does_not_hold_up_the_next(tmp_path: Path) -> None:
    refused = alarm_posts_total.labels("refused")._value
    before = refused.get()
    async with receiving() as receiver, posting(receiver.url, tmp_path) as board:
        receiver.statuses = [400]
        board.set("gap", "text", 1)
        board.set("pushes_back", "text")
        await until(receiver, 1)
        assert receiver.states() == [("pushes_back", "begun")]
    assert refused.get() == before + 1


async def test_what_waited_when_the_role_was_killed_is_posted_by_the_next(tmp_path: Path) -> None:
    async with posting("http://127.0.0.1:9/nobody", tmp_path) as board:
        board.set("gap", "text", 1)
    async with receiving() as receiver, posting(receiver.url, tmp_path) as board:
        board.set("gap", "text", 1)  # still so: it began only once
        await until(receiver, 1)
        board.set("gap", None, 1)
        await until(receiver, 2)
        assert receiver.states() == [("gap", "begun"), ("gap", "ended")]


async def test_what_is_over_after_a_restart_gets_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ALARM_SETTLE_S", 0.05)
    async with receiving() as receiver:
        async with posting(receiver.url, tmp_path) as board:
            board.set("gap", "text", 1)
            await until(receiver, 1)
        async with posting(receiver.url, tmp_path):
            await until(receiver, 2)
        assert receiver.states() == [("gap", "begun"), ("gap", "ended")]


async def test_no_more_than_a_bounded_number_waits_and_the_newest_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ALARM_NOTICES_MAX", 3)
    dropped = alarm_posts_total.labels("dropped")._value
    before = dropped.get()
    async with posting("http://127.0.0.1:9/nobody", tmp_path) as board:
        for partition in range(5):
            board.set("gap", "text", partition)
    assert dropped.get() == before + 2
    kept = json.loads((tmp_path / "alarms.json").read_bytes())
    assert [notice["partition"] for notice in kept["waiting"]] == [2, 3, 4]


async def test_the_address_is_never_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "common")
    async with receiving() as receiver, posting(receiver.url, tmp_path) as board:
        receiver.statuses = [500, 301, 400]
        board.set("gap", "text", 1)
        async with asyncio.timeout(PATIENCE_S), receiver.changed:
            await receiver.changed.wait_for(lambda: receiver.tries >= 3)
    async with posting(f"http://127.0.0.1:9/{SECRET}", tmp_path) as board:
        board.set("pushes_back", "text")
        await asyncio.sleep(0.05)
    logged = "".join(str(vars(record)) for record in caplog.records if "aiohttp" not in record.name)
    assert "alarm not posted" in logged
    assert SECRET not in logged
    assert SECRET not in repr(AlarmsConfig(url=receiver.url))


def test_an_address_that_cannot_be_posted_to_is_refused_at_the_start() -> None:
    for url in ("ftp://host/x", "host/x", "http://a b"):
        with pytest.raises(ValueError, match="url must begin"):
            AlarmsConfig(url=url)
