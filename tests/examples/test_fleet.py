"""Replacements that processes begin, and others end: how many, how far, where, and how long."""

import signal

import pytest

from compose.servers.zookeeper import Zookeeper
from tests.examples.conftest import Examples

pytestmark = pytest.mark.system
PROGRAM = "fleet/replace_node.py"
W3C = "00-{:032x}-00f067aa0ba902b7-01"
BEELINE = "1;trace_id={:032x},parent_id=00f067aa0ba902b7,context=e30="


def test_the_page_is_right(examples: Examples, zookeeper_server: Zookeeper) -> None:
    zookeeper = f"127.0.0.1:{zookeeper_server.members[0].port}"

    def words(*requests: str, where: str = "north", batch: str = "tonight") -> list[str]:
        named = [word for request in requests for word in ("--request", request)]
        return ["--zookeeper", zookeeper, "--datacenter", where, "--batch", batch, *named]

    usual = [f"u{number}" for number in range(200)]
    examples.run(PROGRAM, *words(*usual[:100], batch="usual"))
    examples.run(PROGRAM, *words(*usual[100:], where="east", batch="usual"))
    places = ("west", "west", "south", "west")
    for number, where in enumerate(places):  # each is begun by one process, and goes on in another
        begun = words(f"r{number}", where=where)
        context = (W3C, BEELINE)[number % 2].format(0xA0 << 120 | number)
        examples.run(PROGRAM, *begun, "--steps", "2", "--context", context)
        examples.run(PROGRAM, *begun, "--steps", "3", "--host", "host-2", "--clock-skew", "2")
    last = words("r4")
    hanging = examples.start(PROGRAM, *last, "--announce", "--hang-in", "wait_capacity")
    assert hanging.stdout is not None
    assert hanging.stdout.readline() == "hanging in wait_capacity\n"
    killed = ("states", 'WHERE batch = "tonight" AND request = r4 LAST 1h')
    hanging.send_signal(signal.SIGKILL)
    hanging.communicate()
    (one,) = examples.ask(*killed)["unfinished"]
    assert (one["step"], one["known"]) == ("wait_capacity", "announced")
    ended = examples.start(PROGRAM, *last, "--hang-in", "healthy")
    assert ended.stdout is not None
    assert ended.stdout.readline() == "hanging in healthy\n"
    ended.send_signal(signal.SIGTERM)
    ended.communicate()
    assert ended.returncode == 143
    examples.run(PROGRAM, *last, "--host", "host-3", "--clock-skew", "-0.5")
    answer = examples.ask("states", 'WHERE batch = "tonight" LAST 1h')
    assert answer["instances"] == 5  # not ten: a process that goes on, goes on with the trace
    looping = {one["instance"]: one for one in answer["unfinished"] if one["known"] == "inferred"}
    assert len(looping) == 4
    assert {one["step"] for one in looping.values()} == {"wait_capacity"}
    assert {one["next"] for one in looping.values()} == {"wait_capacity"}
    again = {one["instance"] for one in answer["repeated"] if one["step"] == "wait_capacity"}
    assert again >= set(looping)
    where = examples.groups(
        "fleet",
        'COUNT_DISTINCT(request) WHERE batch = "tonight" AND state.name = wait_capacity '
        "AND state.attempt > 1 GROUP BY datacenter LAST 1d",
    )
    assert {one["datacenter"]: one["COUNT_DISTINCT(request)"] for one in where} == {
        "west": 3, "south": 1,
    }  # fmt: skip
    took = examples.groups(
        "fleet", "COUNT(replaced_in_ms), P50(replaced_in_ms) GROUP BY datacenter LAST 1d"
    )
    counts = {one["datacenter"]: one["COUNT(replaced_in_ms)"] for one in took}
    assert {place: counts[place] for place in ("north", "east")} == {"north": 101, "east": 100}
    assert all(
        one["P50(replaced_in_ms)"] > 0 for one in took if one["datacenter"] in ("north", "east")
    )
