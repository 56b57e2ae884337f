"""The events themselves, asked of a real `up`: over pages, restarts and twins, by commands."""

import csv
import io
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.system.harness import System, running

pytestmark = pytest.mark.system
BASE_S = 1_700_000_000


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("rows"), "--twins") as found:
        yield found


def rows(system: System, dataset: str, **body: Any) -> Any:
    answer = system.http("POST", "/bw/1/rows", json.dumps({"dataset": dataset, **body}).encode())
    assert answer.status == 200, answer.body
    return answer.json()


def fresh(rng: random.Random, number: int) -> dict[str, Any]:
    data: dict[str, Any] = {
        "n": number,
        "big": 2**63 - 1 - number,
        "odd": rng.choice([5, 5.5, "5", True, "", "é\n"]),
        "a.b": [number, {"k": None}],
    }
    if number % 50 == 0:
        data["wide"] = {f"w{i}": i for i in range(100)}
    time_ns = (BASE_S + rng.randrange(100)) * 10**9 + rng.randrange(3)
    return {"data": data, "time": f"{time_ns}", "samplerate": rng.choice([1, 10])}


@pytest.mark.scenario
def test_all_pages_give_every_event_once_while_others_arrive_and_roles_restart(
    system: System,
) -> None:
    rng = random.Random(7)
    sent = [fresh(rng, number) for number in range(600)]
    for at in range(0, 600, 100):
        system.send("paged", sent[at : at + 100])
        if at == 200:
            assert system.run("cut").returncode == 0  # some in segments, some in memory
    body = {"start_time": BASE_S, "end_time": BASE_S + 100, "coverage": "require"}
    system.wait_until(
        lambda: len(rows(system, "paged", limit=1_000, **body)["rows"]) == 600, "the events"
    )
    seen: list[dict[str, Any]] = []
    cursor, page = None, 0
    while True:
        more = {} if cursor is None else {"cursor": cursor}
        answer = rows(system, "paged", limit=70, **body, **more)
        seen += answer["rows"]
        cursor, page = answer["next"], page + 1
        if cursor is None:
            break
        late = {"data": {"late": page}, "time": f"{BASE_S + 99}"}  # where the pages have been
        system.send("paged", [late])
        if page == 2:
            system.wait_role_ready("query", not_pid=system.kill_role("query"))
        if page == 4:
            system.kill_role("indexer", "a")  # its twin answers, or it is back
        if page == 6:
            assert system.run("cut").returncode == 0
    mine = [row for row in seen if "late" not in row["data"]]
    assert len(mine) == 600
    assert [row["time"] for row in seen] == sorted((r["time"] for r in seen), reverse=True)
    by_number = {row["data"]["n"]: row for row in mine}
    for event in sent:
        row = by_number[event["data"]["n"]]
        assert row["data"] == event["data"]
        assert [type(v) for v in row["data"].values()] == [
            type(event["data"][name]) for name in row["data"]
        ]
        assert row["samplerate"] == event["samplerate"]
    assert len([row for row in seen if "late" in row["data"]]) <= page


def test_commands_show_events_whole_and_programs_can_read_them(system: System) -> None:
    system.send("shown", [{"data": {"n": n, "text": f'line\n"{n}", x'}} for n in range(30)])
    system.wait_until(lambda: len(rows(system, "shown", limit=99)["rows"]) == 30, "the events")
    lines = system.run("rows", "shown", "--all", "--json").stdout.splitlines()
    assert sorted(json.loads(line)["data"]["n"] for line in lines) == list(range(30))
    done = system.run("rows", "shown", "WHERE n < 3", "--csv", "-n", "10")
    read = list(csv.DictReader(io.StringIO(done.stdout)))
    assert sorted((row["n"], row["text"]) for row in read) == [
        (str(n), f'line\n"{n}", x') for n in range(3)
    ]
    assert done.stderr == ""
    table = system.run("rows", "shown", "--fields", "n", "-n", "5")
    assert len(table.stdout.splitlines()) == 6
    assert "there are more" in table.stderr
    selected = system.run("query", "shown", "SELECT * WHERE n = 7 LIMIT 1")
    assert "└─ text" in selected.stdout
    assert "├─ n     7" in selected.stdout


def test_what_does_not_exist_is_told_with_what_is_near(system: System) -> None:
    system.send("near", [{"data": {"status": 200}, "time": "2015-05-17T10:00:00Z"}])
    system.wait_until(
        lambda: bool(rows(system, "near", start_time=0, end_time=2 * BASE_S)["rows"]), "the event"
    )
    for command in (
        ("rows", "naer"),
        ("fields", "naer"),
        ("tail", "naer"),
        ("query", "naer", "COUNT"),
    ):
        done = system.run(*command)
        assert done.returncode != 0, command
        assert 'did you mean "near"?' in done.stderr, command
    empty = system.run("rows", "near")
    assert "the newest of near is of 2015-05-17 10:00:00" in empty.stderr
    assert "SINCE 2015-05-17" in empty.stderr
    wrong = system.run("rows", "near", "WHERE statsu = 200 SINCE 2015-05-17")
    assert "no event has a field `statsu`; did you mean `status`?" in wrong.stderr
    assert "did you mean `status`?" in system.run("fields", "near", "statsu").stderr
    found = system.run("fields", "near", "STAT*").stdout.splitlines()
    assert found[1].split()[:4] == ["status", "integer", "100", "%"]
    assert found[1].split()[-1] == "200"
    counted = system.run("fields", "near", "stat", "--last", "2h").stdout.splitlines()
    assert counted[1].split()[:2] == ["status", "integer"]
