"""The indexer's process: claims every partition, answers, hands over, stops cleanly (I6)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession, web

from common import limits
from common.model.record_value import encode_event_line, events_record
from common.process.members import Member, list_members, list_partition_holders
from common.process.role import RoleContext
from common.process.web import INTERNAL_TOKEN_HEADER
from indexer.config import IndexerConfig
from indexer.server import serve
from indexer.shred.selected import SelectedShredder
from indexer.tail.filtered import filtered_lines
from indexer.tail.registry import TailRegistry
from indexer.tail.tail import TAIL_LIMITS, TailLimits, TailRecord, TailSubscription
from query.wire.tail import TailFilter, TailRequest
from tests.indexer.harness import DATASET, QUICK, append, open_context
from tests.waiting import eventually

PARTITIONS = 3


@asynccontextmanager
async def running_indexer(
    context: RoleContext,
    config: IndexerConfig = QUICK,
    shredder: SelectedShredder | None = None,
    tail_limits: TailLimits = TAIL_LIMITS,
) -> AsyncIterator[ClientSession]:
    """A running indexer and a session to it."""
    task = asyncio.create_task(serve(context, config, shredder, tail_limits))

    async def announced() -> bool:
        assert not task.done(), task
        return any(m.instance == context.instance for m in _members(context))

    await eventually(announced)
    (member,) = [m for m in _members(context) if m.instance == context.instance]
    headers = {INTERNAL_TOKEN_HEADER: context.internal_token}
    async with ClientSession(member.url, headers=headers) as session:

        async def ready() -> bool:
            return (await session.get("/readyz")).status == 200

        await eventually(ready)
        yield session
        context.stop.set()
        await task
    assert context.instance not in [m.instance for m in _members(context)]


def _members(context: RoleContext) -> list[Member]:
    return list_members(context.backends.locks, "indexer")


async def test_indexer_claims_all_cuts_on_demand_and_tells_status_and_columns(
    tmp_path: Path,
) -> None:
    async with (
        open_context(tmp_path, partitions=PARTITIONS) as context,
        running_indexer(context) as session,
    ):
        for partition in range(PARTITIONS):
            await append(context.backends.log, [partition * 10 + 1], partition=partition)
        answer = await (await session.post("/internal/cut?wait=1")).json()
        told = answer["partitions"]
        assert {n: one["published"] for n, one in told.items()} == dict.fromkeys("012", True)
        assert all(one["manifest"].startswith("manifests/") for one in told.values())
        status = await (await session.get("/internal/status")).json()
        assert {p["segments"] for p in status["partitions"].values()} == {1}
        assert {p["stopped_reason"] for p in status["partitions"].values()} == {None}
        asked = {"dataset": DATASET}
        page = await (await session.post("/internal/columns", json=asked)).json()
        columns = page["columns"]
        assert not page["more"]
        assert [(c["name"], c["types"]) for c in columns] == [("n", ["i"])]
        assert columns[0]["first_seen_ns"] < columns[0]["last_seen_ns"]


async def test_a_query_role_that_knows_no_pages_gets_all_columns_or_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_context(tmp_path) as context, running_indexer(context) as session:
        line = encode_event_line(1_700_000_000 * 10**9, 1, b'{"a":1,"b":2}')
        about = {"team": "t", "env": "e", "dataset": DATASET, "depth": 0, "via": "test"}
        await context.backends.log.append(
            0, events_record(**about, batch=bytes(16), lines=[line], unless=())
        )
        await session.post("/internal/cut?wait=1")
        asked = {"dataset": DATASET}
        of_all = await session.get("/internal/columns", params=asked)
        assert [column["name"] for column in await of_all.json()] == ["a", "b"]
        monkeypatch.setattr("common.limits.COLUMNS_PAGE_BYTES_MAX", 1)
        assert (await session.get("/internal/columns", params=asked)).status == 422
        assert (await session.get("/internal/columns")).status == 400


async def test_internal_endpoints_need_the_token(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, running_indexer(context) as session:
        refused = await session.get("/internal/status", headers={INTERNAL_TOKEN_HEADER: "no"})
        assert refused.status == 401
        assert (await session.post("/internal/columns")).status == 400


async def test_tail_follows_events_with_their_own_bytes(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, running_indexer(context) as session:
        answer = await session.get(f"/internal/tail?dataset={DATASET}")
        await append(context.backends.log, [5, 6])
        lines = [await answer.content.readline() for _ in range(2)]
        assert lines == [
            b'{"time":1700000000000000005,"samplerate":1,"data":{"n":5}}\n',
            b'{"time":1700000000000000006,"samplerate":1,"data":{"n":6}}\n',
        ]
        answer.close()


async def test_tail_with_conditions_looks_seldom_at_a_busy_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    def look(*asked: Any) -> bytes:
        nonlocal looks
        looks += 1
        return filtered_lines(*asked)

    monkeypatch.setattr("indexer.tail.filtered.filtered_lines", look)
    rarely = TailLimits(filtered_pause_s=600.0)
    asked = TailRequest(DATASET, TailFilter(fields=("n",)))
    async with (
        open_context(tmp_path) as context,
        running_indexer(context, tail_limits=rarely) as session,
    ):
        answer = await session.post("/internal/tail", data=msgspec.json.encode(asked))
        await append(context.backends.log, [5])
        assert b'"n":5' in await answer.content.readline()
        for n in range(6, 12):
            await append(context.backends.log, [n])
            await asyncio.sleep(limits.TAIL_PAUSE_S)  # a tail without conditions looks so often
        assert looks == 1
        answer.close()


async def test_tail_of_a_quiet_dataset_ends_with_its_reader(tmp_path: Path) -> None:
    path = f"/internal/tail?dataset={DATASET}"
    one = TailLimits(tails_max=1, hang_up_check_s=0.05)
    async with (
        open_context(tmp_path) as context,
        running_indexer(context, tail_limits=one) as session,
    ):
        first = await session.get(path)
        assert (first.status, (await session.get(path)).status) == (200, 429)
        first.close()
        answers = []

        async def has_place() -> bool:
            answers.append(await session.get(path))
            return answers[-1].status == 200

        await eventually(has_place)
        answers[-1].close()


async def test_reader_that_leaves_a_busy_tail_is_no_fault(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = 0

    async def gone(response: web.StreamResponse, data: bytes) -> None:
        nonlocal left
        left += 1
        raise ConnectionResetError("Cannot write to closing transport")

    monkeypatch.setattr(web.StreamResponse, "write", gone)
    async with open_context(tmp_path) as context, running_indexer(context) as session:
        answer = await session.get(f"/internal/tail?dataset={DATASET}")
        await append(context.backends.log, [5])
        await answer.content.read()
        answer.close()
    assert left == 1
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_tail_shows_events_of_any_time_unless_asked_for_later_ones() -> None:
    tails = TailRegistry()
    every, later = (
        tails.open(TailSubscription(DATASET)),
        tails.open(TailSubscription(DATASET, after_ns=0)),
    )
    lines = b'{"t":-5,"r":1,"d":{"n":1}}\n{"t":1,"r":1,"d":{"n":2}}\n'
    tails.publish(DATASET, 0, [TailRecord(bytes(16), lines)])
    assert (await every.take()).count(b"\n") == 2
    assert await later.take() == b'{"time":1,"samplerate":1,"data":{"n":2}}\n'


async def test_tail_tells_the_batches_of_the_partitions_that_are_asked_for() -> None:
    tails = TailRegistry()
    tail = tails.open(TailSubscription(DATASET, partitions=frozenset({3}), batches=True))
    line = b'{"t":1,"r":1,"d":{}}\n'
    assert tails.followed_datasets(2) == frozenset()
    assert tails.followed_datasets(3) == {DATASET}
    tails.publish(DATASET, 2, [TailRecord(b"\x01" * 16, line)])
    tails.publish(DATASET, 3, [TailRecord(b"\x02" * 16, 2 * line), TailRecord(bytes(16), line)])
    shown = b'{"time":1,"samplerate":1,"data":{}}\n'
    headings = [b"#3 " + b"02" * 16 + b"\n", b"#3 " + b"00" * 16 + b"\n"]
    assert await tail.take() == headings[0] + 2 * shown + headings[1] + shown


async def test_second_indexer_of_the_zone_waits_and_takes_over(tmp_path: Path) -> None:
    async with (
        open_context(tmp_path) as first,
        open_context(tmp_path, "a") as again,
        open_context(tmp_path, "b") as twin,
    ):

        async def holders_are(instances: set[str]) -> bool:
            holders = list_partition_holders(first.backends.locks).get(0, [])
            return {member.instance for member in holders} == instances

        second = replace(again, instance="second", folder=tmp_path / "second")
        waiting = asyncio.create_task(serve(second, QUICK))
        try:
            await eventually(lambda: holders_are({"second"}))
            other = asyncio.create_task(serve(first, QUICK))
            async with running_indexer(twin):
                assert await holders_are({"second", "indexer-b"})
                second.stop.set()
                await waiting
                await eventually(lambda: holders_are({"indexer-a", "indexer-b"}))
            first.stop.set()
            await other
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
