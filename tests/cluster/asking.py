"""Questions while a scenario goes on: each answer is judged by what it says it covers (I2, I7).

No answer may count an event twice. One that calls itself complete, for a receipt, lacks none of the
events that were acknowledged until then; its series count what its totals count.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.cluster.harness import Scenario
from tests.system.stored import ALL_TIME

ASKERS = 2
WINDOW = 1_000  # numbers asked for at once
PAUSE_MAX_S = 0.2
WHOLE_S = 90.0  # for a complete answer after everything was mended
_TIMEOUT = aiohttp.ClientTimeout(total=60)
_PAST_S, _AHEAD_S = 900, 60
Json = dict[str, Any]  # an answer, as it came


@dataclass(slots=True)
class Answers:
    """What was asked and answered. whole: set by every complete answer. wrong: broken promises."""

    counts: Counter[str] = field(default_factory=Counter)
    undecided_max: int = 0
    slowest_s: float = 0.0
    wrong: list[str] = field(default_factory=list)
    whole: asyncio.Event = field(default_factory=asyncio.Event)

    async def next_whole(self) -> None:
        """Wait for a complete answer from now on. Raises TimeoutError."""
        self.whole.clear()
        async with asyncio.timeout(WHOLE_S):
            await self.whole.wait()

    def line(self) -> str:
        """For people."""
        counts = ", ".join(f"{what} {count}" for what, count in sorted(self.counts.items()))
        return (
            f"answers meanwhile: {counts}; up to {self.undecided_max} batches undecided in one; "
            f"slowest {self.slowest_s:.1f} s"
        )


@asynccontextmanager
async def asking(running: Scenario) -> AsyncIterator[Answers]:
    """Ask all the time while the block runs. Raises AssertionError if a promise was broken."""
    answers, stop = Answers(), asyncio.Event()
    askers = [Asker(running, answers, random.Random(n)) for n in range(ASKERS)]
    tasks = [asyncio.create_task(asker.run(stop)) for asker in askers]
    try:
        yield answers
    finally:
        stop.set()
        await asyncio.gather(*tasks)
        running.note(answers.line())
    assert not answers.wrong, answers.wrong[:5]


class Asker:
    """Asks one question after the other."""

    def __init__(self, running: Scenario, answers: Answers, chance: random.Random) -> None:
        self._running = running
        self._answers = answers
        self._chance = chance

    async def run(self, stop: asyncio.Event) -> None:
        """Until told to stop."""
        headers = {"X-Honeycomb-Team": self._running.target.key}
        async with aiohttp.ClientSession(headers=headers, timeout=_TIMEOUT) as session:
            while not stop.is_set():
                ask = self._ask_numbers if self._chance.random() < 0.8 else self._ask_series
                if self._running.load.outcome.acknowledged:
                    await ask(session)
                await asyncio.sleep(self._chance.uniform(0, PAUSE_MAX_S))

    async def _ask_numbers(self, session: aiohttp.ClientSession) -> None:
        """How often some numbers are counted."""
        acknowledged = set(self._running.load.outcome.acknowledged)
        mode = self._chance.choice(["require", "wait", "accept"])
        last = max(acknowledged)
        newest = self._chance.random() < 0.7
        low = max(1, last - WINDOW if newest else self._chance.randrange(1, last + 1))
        answer = await self._post(session, mode, {
            "query": {
                "calculations": [{"op": "COUNT"}, {"op": "SUM", "column": "seq"}],
                "breakdowns": ["seq"],
                "filters": [
                    {"column": "seq", "op": ">=", "value": low},
                    {"column": "seq", "op": "<", "value": low + WINDOW},
                ],
                **ALL_TIME,
            },
            "disable_series": True,
        })  # fmt: skip
        if answer is None:
            return
        rows = {row["data"]["seq"]: row["data"] for row in answer["data"]["results"]}
        self._blame("counted twice", [seq for seq, row in rows.items() if row["COUNT"] > 1])
        sums = [seq for seq, row in rows.items() if row["SUM(seq)"] != seq * row["COUNT"]]
        self._blame("summed wrongly", sums)
        if answer["coverage"]["complete"]:
            wanted = {seq for seq in acknowledged if low <= seq < low + WINDOW}
            self._blame("missing in a complete answer", sorted(wanted - rows.keys()))
        elif mode == "require":
            self._blame("incomplete though completeness was required", [low])

    async def _ask_series(self, session: aiohttp.ClientSession) -> None:
        """Whether series and totals count the same events."""
        now_s = int(time.time())
        answer = await self._post(session, "wait", {
            "query": {
                "calculations": [{"op": "COUNT"}],
                "start_time": now_s - _PAST_S,
                "end_time": now_s + _AHEAD_S,
                "granularity": 10,
            },
        })  # fmt: skip
        if answer is None or "series_incomplete" in answer["coverage"]:
            return
        total = _count(answer["data"]["results"])
        if _count(answer["data"]["series"]) != total:
            self._answers.wrong.append(f"series differ from {total}: {answer}"[:2_000])

    async def _post(self, session: aiohttp.ClientSession, mode: str, body: Json) -> Json | None:
        """An answer that covers, if it can, all that was acknowledged until now."""
        target = self._running.target
        url = self._chance.choice((target.url, *target.others))
        receipt = self._running.load.outcome.receipt()
        body |= {"wait_s": 30, "coverage": mode, "after": receipt, "limit": 10_000}
        begin_s = time.monotonic()
        try:
            async with session.post(f"{url}/1/query_results/{target.dataset}", json=body) as told:
                status, answer = told.status, await told.json()
        except (aiohttp.ClientError, TimeoutError):
            self._answers.counts["no answer"] += 1
            return None
        self._answers.slowest_s = max(self._answers.slowest_s, time.monotonic() - begin_s)
        if status != 201 or "data" not in answer:
            self._answers.counts[f"status {status}"] += 1
            if status == 500:  # what is broken is told as 503, or as incomplete
                self._answers.wrong.append(f"500: {answer}"[:500])
            return None
        coverage = answer["coverage"]
        self._answers.counts["complete" if coverage["complete"] else "incomplete"] += 1
        if coverage["complete"]:
            self._answers.whole.set()
        undecided = sum(one.get("undecided", 0) for one in coverage["partitions"])
        self._answers.undecided_max = max(self._answers.undecided_max, undecided)
        return dict(answer)

    def _blame(self, what: str, numbers: Sequence[int]) -> None:
        if numbers:
            self._answers.wrong.append(f"{len(numbers)} {what}: {list(numbers[:20])}")


def _count(rows: Sequence[Json]) -> float:
    return sum(float(row["data"]["COUNT"]) for row in rows)
