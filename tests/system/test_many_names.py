"""Ever-new field names through a real `up`: each is found, each is listed once, memory is bounded.

The small test counts; what memory does is measured and printed by the scenario.
"""

import json
import random
import string
from pathlib import Path
from typing import Any

import pytest

from tests.system.harness import System, running

pytestmark = pytest.mark.slow

LETTERS = string.ascii_letters + string.digits
FIELDS = 20


def events_of(rng: random.Random, count: int) -> list[dict[str, Any]]:
    """Events of names of 20 to 60 letters that do not come again."""
    return [
        {"data": {"".join(rng.choices(LETTERS, k=rng.randrange(20, 61))): n for n in range(FIELDS)}}
        for _ in range(count)
    ]


def listed(system: System, size: int) -> list[str]:
    """The names on all pages of columns, in the order in which they come."""
    names: list[str] = []
    target = f"/1/columns/names?page%5Bsize%5D={size}"
    while target:
        answer = system.http("GET", target, timeout_s=120)
        assert answer.status == 200, answer.body[:300]
        names += [column["key_name"] for column in answer.json()]
        target = answer.headers.get("Link", "").removeprefix("<").removesuffix('>; rel="next"')
    return names


def count(system: System, name: str) -> int:
    spec = {"calculations": [{"op": "COUNT"}], "filters": [{"column": name, "op": "exists"}]}
    (row,) = system.ask("names", spec)["data"]["results"]
    return int(row["data"]["COUNT"])


def resident_mib(system: System) -> dict[str, int]:
    """Memory of each role's process that is real."""
    found = {}
    for role, pids in system.pids().items():
        pages = [Path(f"/proc/{pid}/statm").read_text("ascii").split()[1] for pid in pids]
        found[role] = sum(map(int, pages)) * 4_096 // 2**20
    return found


def test_every_one_of_many_names_is_found_and_listed_once(tmp_path: Path) -> None:
    rng = random.Random(3)
    sent = [events_of(rng, 40) for _ in range(3)]
    with running(tmp_path) as system:
        for number, events in enumerate(sent):
            system.send("names", events)
            if number == 1:  # some are in segments, others in live rows
                assert system.http("POST", "/bw/1/cut", timeout_s=120).status == 200
        wanted = sorted(name for events in sent for one in events for name in one["data"])
        spec = {"calculations": [{"op": "COUNT"}]}
        system.wait_until(
            lambda: system.ask("names", spec)["data"]["results"][0]["data"]["COUNT"] == 120,
            "all events to be indexed",
        )
        assert listed(system, 700) == wanted
        for name in (wanted[0], wanted[-1]):
            assert count(system, name) == 1
        system.stop()
        system.start()
        assert listed(system, 10_000) == wanted
        shown = system.http("GET", "/1/datasets/names").json()
        assert shown["regular_columns_count"] == len(wanted) == 120 * FIELDS


@pytest.mark.scenario
def test_memory_after_58_mb_of_ever_new_names_is_within_500_mib_of_before(tmp_path: Path) -> None:
    rng = random.Random(5)
    with running(tmp_path) as system:
        system.send("other", [{"data": {"a": 1}}])
        before = resident_mib(system)
        sent, some = 0, []
        while sent < 58_000_000:
            events = events_of(rng, 900)
            sent += len(json.dumps(events))
            system.send("names", events)
            some.append(next(iter(events[-1]["data"])))
        told = {"before": before, "sent": resident_mib(system)}
        assert system.http("POST", "/bw/1/cut", timeout_s=300).status == 200
        told["cut"] = _settled(system)
        names = listed(system, 10_000)
        assert len(names) == len(set(names)) == len(some) * 900 * FIELDS
        told["listed"] = _settled(system)
        assert [count(system, name) for name in some[:3]] == [1, 1, 1]
        told["asked"] = _settled(system)
        system.stop()
        system.start()
        assert system.http("GET", "/1/columns/names", timeout_s=120).status == 200
        told["restarted and listed"] = _settled(system)
        for when, roles in told.items():
            print(f"{when:22} MiB: {roles}")
        for when in ("cut", "listed", "asked", "restarted and listed"):
            for role, most in before.items():
                assert told[when][role] < most + 500, (when, role)


def _settled(system: System) -> dict[str, int]:
    """Memory once it no longer falls: what is free is given back within some 15 s."""
    least, still = resident_mib(system), 0

    def is_still() -> bool:
        nonlocal least, still
        now = resident_mib(system)
        still = 0 if now["indexer"] < least["indexer"] else still + 1
        least = now
        return still > 400  # looks of 50 ms

    system.wait_until(is_still, "memory to be given back", 120)
    return least
