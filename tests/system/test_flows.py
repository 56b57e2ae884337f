"""States, flows and comparisons of a real `up`, asked by the commands."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.system.harness import System, running

pytestmark = pytest.mark.system
STATES = ("request", "launch", "healthy", "done")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("flows")) as found:
        send(found)
        yield found


def state(job: int, name: str, begun_s: float, ms: float, **more: Any) -> dict[str, Any]:
    data = {
        "name": "state",
        "state.machine": "replace",
        "state.name": name,
        "trace.trace_id": f"a{job:031x}",
        "trace.span_id": f"{job:08x}{STATES.index(name):08x}",
        "duration_ms": ms,
        "service.instance.id": f"host {job % 2}",
        "version": 1 + (job >= 20),
        **more,
    }
    time_text = datetime.fromtimestamp(begun_s, UTC).isoformat()
    return {"time": time_text, "data": data}


def send(system: System) -> None:
    """40 jobs; those from 20 on begin to launch before the request is over. One more is killed
    in a state that it announced, another one in a state that it did not announce.
    """
    events = []
    now_s = time.time()
    for job in range(40):
        at_s = now_s - 3_000 + job
        for number, name in enumerate(STATES):
            following = (*STATES, "")[number + 1]
            early_s = 0.5 if job >= 20 and name == "launch" else 0.0
            begun_s = at_s + number * 2 - early_s
            events.append(state(job, name, begun_s, 1_999, **{"state.next": following}))
    events.append(state(50, "request", now_s - 400, 1_000, **{"state.next": "launch"}))
    announced = {"meta.annotation_type": "span_start", "duration_ms": 0}
    events.append(state(50, "launch", now_s - 399, 0, **announced))
    events.append(state(51, "request", now_s - 300, 1_000, **{"state.next": "launch"}))
    system.send("jobs", events)


def wait_for_events(system: System, events: int, *words: str) -> None:
    """Wait until a question is about so many events; before the first one it is refused."""

    def there() -> bool:
        done = system.run(*words, "--json")
        return done.returncode == 0 and json.loads(done.stdout)["events"] == events

    system.wait_until(there, f"{events} events")


def asked(system: System, *words: str) -> Any:
    done = system.run(*words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_states_tell_how_long_what_follows_and_who_is_where(system: System) -> None:
    words = ("states", 'WHERE state.machine = "replace" LAST 1h')
    wait_for_events(system, 163, *words)
    answer = asked(system, *words)
    assert answer["coverage"]["complete"]
    assert {one["step"]: one["count"] for one in answer["steps"]} == {
        "request": 42, "launch": 41, "healthy": 40, "done": 40,
    }  # fmt: skip
    follows = {(one["from"], one["to"]): one["count"] for one in answer["transitions"]}
    assert follows == {
        ("request", "launch"): 41, ("launch", "healthy"): 40, ("healthy", "done"): 40,
    }  # fmt: skip
    unfinished = [(one["instance"], one["step"], one["known"]) for one in answer["unfinished"]]
    assert unfinished == [
        (f"a{50:031x}", "launch", "announced"), (f"a{51:031x}", "request", "inferred"),
    ]  # fmt: skip
    assert answer["unfinished"][0]["longer_than_p99"]
    assert asked(system, *words, "--silent", "5m")["unfinished"][0]["known"] == "interrupted"
    printed = system.run(*words)
    assert printed.returncode == 0, printed.stderr
    assert "announced" in printed.stdout
    assert "42 instances, 163 steps" in printed.stderr


def test_flow_tells_which_pairs_began_to_overlap(system: System) -> None:
    words = ("flow", "WHERE version = 2 LAST 1h", "--step", "state.name")
    words += ("--against", "WHERE version = 1", "--dataset", "jobs")
    answer = asked(system, *words)
    (found,) = answer["against"]["overlaps"]
    assert (found["first"], found["second"]) == ("launch", "request")
    assert (found["instances"], found["instances_against"]) == (20, 0)
    assert answer["against"]["transitions"] == []
    printed = system.run(*words)
    assert "changed: what follows: none differ" in printed.stdout
    same = asked(system, *words[:-4], "--against", "WHERE version = 2")
    assert same["against"]["overlaps"] == []


def test_flows_take_conditions_on_other_spans(system: System) -> None:
    def instances(*words: str) -> Any:
        return asked(system, "flow", *words, "--step", "state.name", "--dataset", "jobs")

    killed = instances('WHERE none.state.name = "done" LAST 1h')
    assert (killed["instances"], killed["events"]) == (2, 3)
    assert killed["margin_s"] == 3_600
    done = instances('WHERE any.state.name = "done" AND state.name = "launch" LAST 1h')
    assert (done["instances"], done["events"]) == (40, 40)
    assert instances('WHERE root.state.name = "no such" LAST 1h')["steps"] == []
    both = instances("WHERE root.version = 2 LAST 1h", "--against", "WHERE root.version = 1")
    (found,) = both["against"]["overlaps"]
    assert (found["instances"], found["instances_against"]) == (20, 0)
    mixed = system.run("flow", "LAST 1h", "--against", "WHERE root.version = 1 OR version = 2")
    assert mixed.returncode != 0
    assert "against" in mixed.stderr
    assert "joined by AND, not by OR" in mixed.stderr


def test_what_cannot_be_read_is_told(system: System) -> None:
    refused = system.http("POST", "/bw/1/flows", {"stp": "name"})
    assert refused.status == 422 or refused.status == 400
    for path, of_search in (
        ("flows", {}),
        ("traces", {}),
        ("traces/compare", {"trace": f"a{0:031x}"}),
    ):
        for names in ([], [""], ["a\0"], ["x" * 5_000]):
            wanted = {"against": {"datasets": names}} if of_search else {"datasets": names}
            answer = system.http("POST", f"/bw/1/{path}", of_search | wanted)
            assert answer.status == 422, (path, names)
    bad = system.run("flow", "WHERE version =")
    assert bad.returncode != 0
    assert "version" in bad.stderr
    nothing = asked(system, "flow", "--step", "no.such.field", "--dataset", "jobs")
    assert nothing["steps"] == []
    assert any("no.such.field" in note for note in nothing["notes"])


def create_cluster(trace: str, at_s: float, *, second_balancer: bool) -> list[dict[str, Any]]:
    """A plan that creates a cluster: where the second balancer is missing, an error was dropped."""
    steps = ["plan", "create network", "create balancer", "plan", "create hosts"]
    steps += ["create balancer"] if second_balancer else []
    steps += ["plan"]
    spans = [("create_cluster", "", 7_000.0, "front")]
    spans += [(f"{name} i-{trace[:8]}", "0", 900.0, "planner") for name in steps]
    return [
        {
            "time": datetime.fromtimestamp(at_s + number, UTC).isoformat(),
            "data": {
                "name": name, "service.name": service, "duration_ms": ms,
                "trace.trace_id": trace, "trace.span_id": f"{trace[:8]}{number}",
                **({"trace.parent_id": f"{trace[:8]}0"} if parent else {}),
            },
        }
        for number, (name, parent, ms, service) in enumerate(spans)
    ]  # fmt: skip


def test_the_comparison_names_the_missing_call_first(system: System) -> None:
    now_s = time.time()
    good = [f"9{n:07x}{n:024x}" for n in range(40)]
    bad = f"b{7:031x}"
    events = [
        event
        for number, trace in enumerate(good)
        for event in create_cluster(trace, now_s - 2_000 + number, second_balancer=True)
    ]
    events += create_cluster(bad, now_s - 100, second_balancer=False)
    system.send("plans", events)
    words = ("flow", "LAST 1h", "--dataset", "plans")
    wait_for_events(system, len(events), *words)
    conditions = 'WHERE none.error = true AND root.name = "create_cluster" LAST 1h'
    for other in ((good[3], bad), (bad, "--against", conditions)):
        answer = asked(system, "trace", "compare", *other)
        assert answer["counts"] == {"missing": 1}
        (found,) = answer["differences"]
        assert (found["what"], found["parent"]) == ("missing", "create_cluster")
        assert found["name"].startswith("create balancer")
        assert answer["trace"] == {"id": bad, "spans": 7}
        assert answer["coverage"]["complete"]
        printed = system.run("trace", "compare", *other)
        assert printed.stdout.splitlines()[1].startswith("missing   planner: create balancer")
    assert answer["reference"]["traces"] == 30
    assert bad != answer["reference"]["id"]
    alike = system.run("trace", "compare", good[1], good[2])
    assert "no difference" in alike.stdout
    assert system.run("trace", "compare", good[1], "c" * 32).returncode != 0
    empty = system.run("trace", "compare", bad, "--against", 'WHERE root.name = "nothing" LAST 1h')
    assert "no other trace meets the conditions" in empty.stderr
