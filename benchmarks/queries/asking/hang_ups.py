"""How long an indexer goes on computing after the caller of a question has hung up.

The question is asked over HTTP at the public address. When its share runs, as the indexer's metrics
tell, the connection is closed; the time ends when the metrics tell that no share runs any more.
Reading the metrics takes some milliseconds, which are included.
"""

import http.client
import random
import time
from collections.abc import Callable
from urllib.request import urlopen

import orjson

from benchmarks.queries.asking.spans import EIGHT
from benchmarks.queries.engines.ours import Bellwether
from benchmarks.queries.rows.shape import Shape
from common.locks.files import FileLocks
from common.process.members import list_partition_holders

_RUNNING = b"\nbellwether_shares_running "
_HEAVY = "COUNT by user"  # of the eight: the one that takes longest
_TRIES = 20  # for each time that is measured: a question may be answered before it is hung up
_STEP_S = 0.002
_WAIT_S = 60.0


def hang_ups(build: Bellwether, shape: Shape, count: int, seed: int) -> list[float]:
    """Seconds, of so many questions; fewer where questions are answered too soon."""
    locks = FileLocks(build.installation.folder / "data" / "locks")
    urls = {one.url for holders in list_partition_holders(locks).values() for one in holders}
    locks.close()
    dice = random.Random(seed)
    question = next(one for one in EIGHT if one.name.startswith(_HEAVY))
    found: list[float] = []

    def runs() -> bool:
        return any(_running(url) for url in urls)

    for _ in range(count * _TRIES):
        if len(found) == count:
            break
        _until(lambda: not runs())
        path, body = build.question(question.ask(dice, shape))
        host, port = build.installation.url.removeprefix("http://").split(":")
        connection = http.client.HTTPConnection(host, int(port))
        head = {"X-Honeycomb-Team": build.installation.key, "Content-Type": "application/json"}
        connection.request("POST", path, orjson.dumps(body), head)
        until = time.monotonic() + 1.0
        while not (began := runs()) and time.monotonic() < until:
            time.sleep(_STEP_S)
        connection.close()
        hung_up = time.monotonic()
        if began and runs():
            _until(lambda: not runs())
            found.append(time.monotonic() - hung_up)
    return found


def _running(url: str) -> int:
    with urlopen(f"{url}/metrics", timeout=_WAIT_S) as answer:
        told: bytes = answer.read()
    return int(float(told.split(_RUNNING, 1)[1].split(b"\n", 1)[0]))


def _until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + _WAIT_S
    while not condition():
        if time.monotonic() > until:
            raise RuntimeError(f"shares still run after {_WAIT_S:.0f} s")
        time.sleep(_STEP_S)
