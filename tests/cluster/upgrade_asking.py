"""Questions during an upgrade: to each query role by itself, and as clients ask the shepherds."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from compose.cluster.roles import Role
from tests.cluster.harness import Scenario
from tests.old_build.recorded import assert_same, rows
from tests.system.stored import ALL_TIME

SENDERS = 3
ASK_TIMEOUT = aiohttp.ClientTimeout(total=90)
Json = dict[str, Any]


@dataclass
class Told:
    """What one asker was told."""

    asked: int = 0
    away: int = 0  # nobody listened: the role was being restarted
    slowest_s: float = 0.0
    wrong: list[str] = field(default_factory=list)


class Asker:
    """Asks one address the fixed questions and the count of the load, all the time."""

    def __init__(
        self, running: Scenario, role: Role | None, urls: list[str], fixed: list[Json]
    ) -> None:
        """role: the query role that is asked; None: clients ask the shepherds at these URLs."""
        self.name = "clients" if role is None else role.name
        self._role = role
        self.told = Told()
        self._running = running
        self._urls = urls
        self._fixed = fixed

    async def run(self, stop: asyncio.Event) -> None:
        """Until told to stop."""
        turn = 0
        headers = {"X-Honeycomb-Team": self._running.target.key}
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(
            headers=headers, timeout=ASK_TIMEOUT, connector=connector
        ) as http:
            while not stop.is_set():
                try:
                    await self._ask(http, turn)
                except (aiohttp.ClientConnectorError, ConnectionRefusedError):
                    self.told.away += 1
                except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                    # by the role's own address: it was accepted when the role began to stop
                    if self._role is None:
                        self.told.wrong.append(repr(error))
                    self.told.away += 1
                except (AssertionError, aiohttp.ClientError, TimeoutError) as error:
                    self.told.wrong.append(f"{type(error).__name__}: {error}"[:600])
                turn += 1
                await asyncio.sleep(0.3)

    async def _ask(self, http: aiohttp.ClientSession, turn: int) -> None:
        url = self._urls[turn % len(self._urls)]
        begin_s = time.monotonic()
        if turn % 2:
            fixed = self._fixed[turn // 2 % len(self._fixed)]
            found = await ask(http, url, fixed["dataset"], fixed["spec"])
            assert_same(rows(found), rows(fixed["results"]), str(fixed["spec"])[:300])
        else:
            outcome = self._running.load.outcome
            known, receipt = len(outcome.acknowledged), outcome.receipt()
            spec = {"calculations": [{"op": "COUNT"}], **ALL_TIME}
            found = await ask(http, url, self._running.target.dataset, spec, after=receipt)
            count = sum(row["data"]["COUNT"] for row in found)
            most = len(outcome.acknowledged) + len(outcome.unknown) + SENDERS * 40
            assert known <= count <= most, f"{known} were acknowledged, {count} counted"
        self.told.asked += 1
        self.told.slowest_s = max(self.told.slowest_s, time.monotonic() - begin_s)


async def ask(
    http: aiohttp.ClientSession, url: str, dataset: str, spec: Json, *, after: str = ""
) -> list[Json]:
    """The rows of a complete answer. Raises AssertionError for any other."""
    body = {"query": spec, "disable_series": True, "wait_s": 60, "after": after}
    async with http.post(f"{url}/1/query_results/{dataset}", json=body) as answer:
        text = await answer.text()
        assert answer.status == 201, f"{answer.status} {text[:400]}"
        result: Json = await answer.json()
    assert result["complete"], "the query was not finished in time"
    assert result["coverage"]["complete"], f"incomplete: {str(result['coverage'])[:500]}"
    found: list[Json] = result["data"]["results"]
    return found


@asynccontextmanager
async def asked_meanwhile(running: Scenario, fixed: list[Json]) -> AsyncIterator[None]:
    """Each query role is asked by itself, and clients ask the shepherds. Raises AssertionError."""
    roles = running.cluster.roles
    askers = [Asker(running, role, [role.url], fixed) for role in roles.of("query")]
    public = [role.public_url for role in roles.of("shepherd")]
    askers.append(Asker(running, None, public, fixed))
    stop = asyncio.Event()
    tasks = [asyncio.create_task(asker.run(stop)) for asker in askers]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)
        for asker in askers:
            told = asker.told
            running.note(
                f"{asker.name}: {told.asked} answers, {told.away} times away, "
                f"{len(told.wrong)} wrong or failed, slowest {told.slowest_s:.1f} s"
            )
        wrong = {asker.name: asker.told.wrong[:5] for asker in askers if asker.told.wrong}
        assert not wrong, (running.notes, wrong)  # also when something else has failed
    assert all(asker.told.asked > 10 for asker in askers)
