"""A rolling restart of real processes under load: nothing fails or lacks anything, all once."""

import asyncio
import contextlib
import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from bellwether.commands.operate.rolling_restart import EXIT_HELD
from common.locks.files import FileLocks
from common.process.members import ROLLING_RESTART, RollingRestart
from tests.system import counts
from tests.system.harness import ROOT, System, running

pytestmark = pytest.mark.system
ROLES = ("shepherd", "query", "indexer")


class Supervised:
    """A role beside `up`, in a zone of its own, started again whenever it ends."""

    def __init__(self, system: System, role: str, zone: str) -> None:
        self.starts = 0
        environ = {k: v for k, v in os.environ.items() if not k.startswith("BELLWETHER_")}
        self._environ = {
            **environ,
            **system.environ,
            "PYTHONPATH": str(ROOT),
            "BELLWETHER_NODE_ZONE": zone,
            "BELLWETHER_SHEPHERD_PORT": "0",
        }
        self._command = [sys.executable, "-m", "bellwether", role, "--data", str(system.data)]
        self._output = system.folder / f"{role}-{zone}.out"
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._supervise)
        self._thread.start()

    def _supervise(self) -> None:
        while not self._stopping:
            self.starts += 1
            with self._output.open("ab") as output:
                self._process = subprocess.Popen(
                    self._command,
                    env=self._environ,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
            self._process.wait()

    def stop(self) -> None:
        """Let it end for good."""
        self._stopping = True
        while self._thread.is_alive():
            if self._process is not None:
                self._process.terminate()
            self._thread.join(1.0)


@contextlib.contextmanager
def pairs(folder: Path) -> Iterator[System]:
    """`up --twins`, and a second shepherd and query role in the other zone."""
    with running(folder, "--twins") as system, contextlib.ExitStack() as stack:
        for role in ("shepherd", "query"):
            stack.callback(Supervised(system, role, "b").stop)
        system.wait_until(
            lambda: all(len(system.members(role)) == 2 for role in ROLES), "two of every role"
        )
        for role in ROLES:
            system.wait_role_ready(role)
        yield system


@dataclass
class Told:
    """What clients were told."""

    acknowledged: set[int] = field(default_factory=set)
    failed: list[str] = field(default_factory=list)
    asked: int = 0
    moved: int = 0  # connections refused: the next address was taken


class Clients:
    """Senders and askers that know every shepherd and move on when a connection is refused."""

    def __init__(self, system: System, http: aiohttp.ClientSession, told: Told) -> None:
        self._system = system
        self._http = http
        self._told = told
        self._numbers = itertools.count(1)
        self.stopping = asyncio.Event()

    async def post(self, path: str, body: object, turn: int) -> tuple[int, Any]:
        """To one shepherd after the other, as long as connections are refused."""
        for attempt in range(200):
            urls = await asyncio.to_thread(self._urls)
            url = urls[(turn + attempt) % len(urls)] if urls else self._system.url
            try:
                async with self._http.post(url + path, json=body) as answer:
                    return answer.status, await answer.json(content_type=None)
            except aiohttp.ClientConnectorError:
                self._told.moved += 1
                await asyncio.sleep(0.02)
        raise AssertionError("every shepherd refuses connections")

    def _urls(self) -> list[str]:
        return sorted(member.public_url for member in self._system.members("shepherd"))

    async def send(self, turn: int) -> None:
        while not self.stopping.is_set():
            numbers = list(itertools.islice(self._numbers, 5))
            try:
                events = [{"data": {"seq": seq}} for seq in numbers]
                status, answer = await self.post("/1/batch/load", events, turn)
            except (aiohttp.ClientError, TimeoutError) as error:
                self._told.failed.append(f"send: {error!r}")
                continue
            if status != 200 or any(one["status"] != 202 for one in answer):
                self._told.failed.append(f"send: {status} {answer}")
                continue
            self._told.acknowledged.update(numbers)
            await asyncio.sleep(0.02)

    async def ask(self, turn: int) -> None:
        body = {
            "query": {"calculations": [{"op": "COUNT"}]},
            "wait_s": 30,
            "coverage": "require",
            "disable_series": True,
        }
        while not self.stopping.is_set():
            try:
                status, answer = await self.post("/1/query_results/load", body, turn)
            except (aiohttp.ClientError, TimeoutError) as error:
                self._told.failed.append(f"ask: {error!r}")
                continue
            if status not in (200, 201) or not answer["coverage"]["complete"]:
                self._told.failed.append(f"ask: {status} {json.dumps(answer)[:600]}")
            self._told.asked += 1
            await asyncio.sleep(0.1)


def running_now(system: System, zones: tuple[str, ...]) -> set[tuple[str, str]]:
    """Role and instance of what runs in these zones (of everything if there are none)."""
    members = [(role, member) for role in ROLES for member in system.members(role)]
    return {(role, m.instance) for role, m in members if not zones or m.zone in zones}


def restart_of_another_operator(system: System) -> subprocess.CompletedProcess[str]:
    """What the command says while somebody else restarts."""
    with contextlib.closing(FileLocks(system.data / "locks")) as locks:
        mark = RollingRestart(by="somebody@elsewhere", since_ns=1, zone="a")
        assert locks.acquire(ROLLING_RESTART, msgspec.json.encode(mark))
        return restart(system)


def restart(system: System, *options: str) -> subprocess.CompletedProcess[str]:
    data = ("--data", str(system.data))
    return system.run("rolling-restart", *data, "--watch-s", "0.5", *options)


@pytest.mark.parametrize(
    "zones", [("b",), pytest.param((), marks=pytest.mark.scenario)], ids=["one zone", "everything"]
)
async def test_restart_under_load_fails_nothing(tmp_path: Path, zones: tuple[str, ...]) -> None:
    told = Told()
    options = [word for zone in zones for word in ("--zone", zone)]
    with pairs(tmp_path) as system:
        before = running_now(system, zones)
        refused = await asyncio.to_thread(restart_of_another_operator, system)
        assert refused.returncode == EXIT_HELD, refused.stdout + refused.stderr
        assert "somebody@elsewhere" in refused.stderr
        planned = await asyncio.to_thread(restart, system, "--dry-run", *options)
        assert planned.returncode == 0, planned.stdout + planned.stderr
        assert [line.split()[1] for line in planned.stdout.splitlines()] == sorted(
            role for role, _ in before
        )
        # whoever asks before the first event would be told that there is no such dataset
        assert system.http("POST", "/1/datasets", {"name": "load"}).status == 201
        timeout = aiohttp.ClientTimeout(total=40)
        headers = {"X-Honeycomb-Team": system.key}
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as http:
            clients = Clients(system, http, told)
            working = [asyncio.create_task(clients.send(n)) for n in range(3)]
            working += [asyncio.create_task(clients.ask(n)) for n in range(2)]
            await asyncio.sleep(1)
            done = await asyncio.to_thread(restart, system, *options)
            clients.stopping.set()
            await asyncio.gather(*working)
        assert done.returncode == 0, done.stdout + done.stderr
        after = running_now(system, zones)
        assert len(before) == len(after) == (3 if zones else 6)
        assert not before & after
        receipt = system.send("other", [{"data": {"n": 1}}])
        distinct = {"op": "COUNT_DISTINCT", "column": "seq"}
        spec = {"calculations": [{"op": "COUNT"}, distinct], "time_range": 7_200}
        system.wait_until(
            lambda: _count(system, spec, receipt)["COUNT"] >= len(told.acknowledged), "all events"
        )
        found = _count(system, spec, receipt)
        counts.show(
            f"rolling restart: {len(told.acknowledged)} events acknowledged, {told.asked} queries, "
            f"{told.moved} connections refused, {len(told.failed)} failed"
        )
        assert told.failed == []
        assert told.asked > 10
        assert found["COUNT"] == len(told.acknowledged)
        report = await asyncio.to_thread(system.run, "verify", "--data", str(system.data))
        assert report.returncode == 0, report.stdout + report.stderr


def _count(system: System, spec: dict[str, Any], receipt: str) -> dict[str, int]:
    body = {"query": spec, "wait_s": 30, "coverage": "require", "disable_series": True}
    answer = system.http(
        "POST", "/1/query_results/load", body, {"X-Bellwether-After": receipt}, timeout_s=40
    )
    assert answer.status == 201, answer.body
    found: dict[str, int] = answer.json()["data"]["results"][0]["data"]
    return found
