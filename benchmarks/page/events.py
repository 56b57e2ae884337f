"""What the measured page shows: 100 groups over 1,000 steps, a long trace, and a steady load."""

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.serving.shepherd_client import ShepherdClient

MANY: Final = "many"  # dataset of many groups
LOAD: Final = "load"  # dataset that events are sent to all the time
SPANS: Final = "spans"
TRACE: Final = "5eed" * 8
GROUPS: Final = 100
STEPS: Final = 1_000
STEP_S: Final = 6
_BODY_EVENTS: Final = 5_000
_LOAD_EVENTS: Final = 200  # of a request of the load


@dataclass(frozen=True, slots=True)
class Size:
    """spans: of the trace. first: events of the load before anything is measured."""

    groups: int = GROUPS
    steps: int = STEPS
    spans: int = 10_000
    first: int = 100_000


QUICK: Final = Size(groups=10, steps=50, spans=500, first=2_000)


def fill(client: ShepherdClient, size: Size, seed: int, now_s: float) -> tuple[int, int]:
    """Send everything that stands still; returns (start, end) of the groups, unix seconds."""
    dice = random.Random(seed)
    end = int(now_s) // STEP_S * STEP_S
    start = end - size.steps * STEP_S
    _send(client, MANY, _groups(size, start, dice))
    _send(client, SPANS, _trace(size.spans, now_s - 600, dice))
    _send(client, LOAD, (_request(dice, now_s - 3_500 * dice.random()) for _ in range(size.first)))
    _wait(client, MANY, size.groups * size.steps)
    _wait(client, SPANS, size.spans)
    _wait(client, LOAD, size.first)
    return start, end


def _groups(size: Size, start: int, dice: random.Random) -> Iterator[dict[str, Any]]:
    """One event for each group and step: a line that wanders for each group."""
    at = [100.0 + 10 * number for number in range(size.groups)]
    for step in range(size.steps):
        for number in range(size.groups):
            at[number] = max(1.0, at[number] * dice.lognormvariate(0, 0.05))
            data = {"host": f"host {number:03d}", "duration_ms": round(at[number], 3)}
            yield _event(start + step * STEP_S + 1, data)


def _trace(spans: int, begin_s: float, dice: random.Random) -> Iterator[dict[str, Any]]:
    """A trace of services that call each other, up to eight deep."""
    parents = [(0, 0)]
    for number in range(spans):
        data: dict[str, Any] = {
            "trace.trace_id": TRACE,
            "trace.span_id": f"{number:016x}",
            "name": f"step {dice.randrange(200)}" if number else "checkout",
            "service.name": f"service-{dice.randrange(8)}",
            "duration_ms": round(dice.lognormvariate(2, 1), 3) if number else 60_000.0,
        }
        if number:
            parent, depth = dice.choice(parents[-400:])
            data["trace.parent_id"] = f"{parent:016x}"
            if depth < 8:
                parents.append((number, depth + 1))
            if dice.random() < 0.01:
                data["error"] = True
        yield _event(begin_s + 60 * number / spans, data)


def _request(dice: random.Random, time_s: float) -> dict[str, Any]:
    data = {
        "service": f"service-{dice.randrange(5)}",
        "duration_ms": round(dice.lognormvariate(3, 1), 3),
        "status": 500 if dice.random() < 0.02 else 200,
        "user": dice.randrange(100_000),
    }
    return _event(time_s, data)


def _event(time_s: float, data: dict[str, Any]) -> dict[str, Any]:
    return {"time": f"{time_s:.6f}", "data": data}


def _send(client: ShepherdClient, dataset: str, events: Iterator[dict[str, Any]]) -> None:
    some: list[dict[str, Any]] = []
    for one in events:
        some.append(one)
        if len(some) == _BODY_EVENTS:
            client.request("POST", f"/1/batch/{dataset}", some)
            some = []
    if some:
        client.request("POST", f"/1/batch/{dataset}", some)


def _wait(client: ShepherdClient, dataset: str, events: int) -> None:
    """Until all of them are in answers. Raises RuntimeError after two minutes."""
    query = {"calculations": [{"op": "COUNT"}], "start_time": 1, "end_time": 4_000_000_000}
    until = time.monotonic() + 120
    while True:
        body = {"query": query, "disable_series": True, "wait_s": 30}
        answer = client.request("POST", f"/1/query_results/{dataset}", body)
        rows = (answer.get("data") or {}).get("results") or [{"data": {"COUNT": 0}}]
        if rows[0]["data"]["COUNT"] == events:
            return
        if time.monotonic() > until:
            raise RuntimeError(f"{dataset}: {rows[0]['data']['COUNT']} of {events} events")
        time.sleep(0.2)


@dataclass
class Load:
    """Events that are sent at a steady rate beside what is measured, as a context manager."""

    client: ShepherdClient
    per_s: int
    seed: int
    sent: int = 0
    late: int = 0  # requests that began when the next one was due
    problem: str = ""
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> "Load":
        if self.per_s:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        dice = random.Random(self.seed)
        every_s = _LOAD_EVENTS / self.per_s
        due = time.monotonic()
        while not self._ended.wait(max(0.0, due - time.monotonic())):
            now_s = time.time()
            body = [_request(dice, now_s) for _ in range(_LOAD_EVENTS)]
            try:
                self.client.request("POST", f"/1/batch/{LOAD}", body)
            except (RuntimeError, OSError) as error:
                self.problem = str(error)
                return
            self.sent += _LOAD_EVENTS
            due += every_s
            self.late += due < time.monotonic()
