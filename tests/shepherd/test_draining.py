"""A stopping shepherd is left by its clients before it stops answering; none of them fails."""

import asyncio
import socket
from pathlib import Path

from aiohttp import ClientConnectorError, ClientSession

from common.locks.files import FileLocks
from common.process.auth import KEY_HEADER
from common.process.members import Member, encode_member
from common.process.web import INTERNAL_TOKEN_HEADER
from shepherd.config import ShepherdConfig
from tests.shepherd.harness import KEY, TOKEN, Shepherd, shepherd
from tests.waiting import eventually

EVENT = b'{"n":1}'


def announce_another(folder: Path) -> FileLocks:
    """There is somebody to turn to."""
    locks = FileLocks(folder / "locks")
    other = Member("shepherd", "another", "http://127.0.0.1:1", "b", 1, 1, "1")
    assert locks.acquire("roles/shepherd/another", encode_member(other))
    return locks


async def stored_in(folder: Path) -> int:
    """How many events a shepherd that has ended left there."""
    async with shepherd(folder) as again:
        return len(await again.events("web"))


async def ask_to_stop(running: Shepherd) -> None:
    headers = {INTERNAL_TOKEN_HEADER: TOKEN}
    async with running.http.post(f"{running.internal}/internal/stop", headers=headers) as answer:
        assert answer.status == 202


async def test_stop_needs_the_token(tmp_path: Path) -> None:
    async with shepherd(tmp_path) as running:
        async with running.http.post(f"{running.internal}/internal/stop") as answer:
            assert answer.status == 401
        assert not running.stop.is_set()


async def test_stopping_one_is_not_ready_still_answers_and_closes_its_connections(
    tmp_path: Path,
) -> None:
    config = ShepherdConfig(port=0, drain_ms=3_000)
    async with shepherd(tmp_path, config) as running:
        others = announce_another(tmp_path)
        status, _, headers = await running.post("/1/events/web", EVENT)
        assert (status, headers.get("Connection")) == (200, None)
        await ask_to_stop(running)
        async with running.http.get(f"{running.internal}/readyz") as answer:
            assert answer.status == 503
            assert (await answer.json())["reason"] == "it is stopping"
        status, _, headers = await running.post("/1/events/web", EVENT)
        assert (status, headers.get("Connection")) == (200, "close")
        assert len(await running.events("web")) == 2
        others.close()


async def test_two_on_one_port_hand_over_without_a_failed_request(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = ShepherdConfig(port=port, reuse_port=True, drain_ms=300)
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
    stopping = asyncio.Event()
    sent = refused = 0

    async def send(http: ClientSession) -> None:
        nonlocal sent, refused
        while not stopping.is_set():
            try:
                async with http.post(f"http://127.0.0.1:{port}/1/events/web", data=EVENT) as answer:
                    assert answer.status == 200
                    sent += 1
            except ClientConnectorError:  # what any client repeats
                refused += 1

    async def until_sent(count: int) -> None:
        await eventually(lambda: sent >= count)

    async with shepherd(folders[1], config) as second:
        async with ClientSession(headers={KEY_HEADER: KEY}) as http:
            async with shepherd(folders[0], config) as first:
                others = announce_another(folders[0])
                senders = [asyncio.create_task(send(http)) for _ in range(8)]
                await until_sent(100)
                await ask_to_stop(first)
            # the first has ended, and answered everything it took
            others.close()
            await until_sent(sent + 100)
            stopping.set()
            await asyncio.gather(*senders)
        at_first = await stored_in(folders[0])
        assert (refused, at_first + len(await second.events("web"))) == (0, sent)
