"""Six tasks in a real browser: what each ends with, and how many actions it took.

The actions and seconds are printed at the end of the run beside the number of actions of the
vendor's documented way (`vendor.py`); only the actions are compared.
"""

import json
import time
from typing import Any

import pytest

from tests.page import data
from tests.page.running import login_link, page_setting, run_script
from tests.page.tasks.vendor import WAYS
from tests.system.counts import show
from tests.system.harness import System, running

pytestmark = [pytest.mark.system, pytest.mark.scenario]


def fill(system: System) -> dict[str, Any]:
    """Send everything and wait for it; what the script has to know of it."""
    now_s = time.time()
    sent = {"shop": data.requests(now_s), "logs": data.logs(now_s)}
    for name, events in sent.items():
        receipt = system.send(name, events)
        count = system.ask(name, {"calculations": [{"op": "COUNT"}]}, after=receipt)
        assert count["data"]["results"][0]["data"]["COUNT"] == len(events)
    return {
        "spike": data.SPIKE,
        "spikeS": now_s - data.SPIKE_AGO_S + 1.5,
        "user": data.USER,
        "word": data.WORD,
        "build": data.SLOW_BUILD,
    }


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What both scripts saw: of an empty environment, and of one with data."""
    with running(tmp_path_factory.mktemp("tasks"), *page_setting()) as system:
        first = run_script("tasks/first_event.mjs", login_link(system.output), system.key)
        told = fill(system)
        made = system.run("keys", "create", "colleague", "--read-only", "--data", str(system.data))
        other = made.stdout.split()[-1]
        assert made.returncode == 0, made.stderr
        others = run_script("tasks/loop.mjs", system.url, system.key, other, json.dumps(told))
    found = {"tasks": {**first["tasks"], **others["tasks"]}}
    found["errors"] = first["errors"] + others["errors"]
    found["foreign"] = first["foreign"] + others["foreign"]
    for line in _table(found["tasks"]):
        show(line)
    return found


def _table(tasks: dict[str, Any]) -> list[str]:
    lines = [f"{'task':34} {'actions':>7} {'seconds':>7} {'vendor':>7}"]
    for name, one in tasks.items():
        theirs = len(WAYS[name].actions)
        lines.append(f"{name:34} {len(one['actions']):7} {one['seconds']:7.1f} {theirs:7}")
        lines.append(f"    {', '.join(one['actions'])}")
    return lines


@pytest.mark.parametrize("name", WAYS)
def test_a_task_takes_no_more_actions_than_the_vendors_documented_way(
    seen: dict[str, Any], name: str
) -> None:
    ours = seen["tasks"][name]["actions"]
    assert len(ours) <= len(WAYS[name].actions), ours


def test_the_first_event_is_noticed_and_drawn(seen: dict[str, Any]) -> None:
    facts = seen["tasks"]["first event to graph"]["facts"]
    assert facts["graph"] == 1
    assert "1" in facts["groups"]
    assert (facts["keyShown"], facts["kept"]) == (False, False)


def test_a_box_in_the_heatmap_names_the_slow_build_first(seen: dict[str, Any]) -> None:
    fields = seen["tasks"]["the slow build from the heatmap"]["facts"]["fields"]
    assert fields[0].startswith(f"build.id = {data.SLOW_BUILD}:"), fields


def test_a_click_on_the_spike_leads_to_its_events(seen: dict[str, Any]) -> None:
    facts = seen["tasks"]["the events behind a spike"]["facts"]
    assert facts["rows"] == 50
    assert facts["ofSpike"] >= 40, facts


def test_the_failing_trace_of_one_user_opens_with_the_span_to_blame(seen: dict[str, Any]) -> None:
    facts = seen["tasks"]["one user's failing trace"]["facts"]
    assert facts["traces"] == 1
    assert facts["trace"] == data.FAILING_TRACE
    failed = [one for one in facts["spans"] if "✕" in one]
    assert len(failed) == 1
    assert "charge card" in failed[0]
    assert len(facts["spans"]) == 4


def test_a_word_in_the_logs_finds_its_line_alone(seen: dict[str, Any]) -> None:
    head, *rows = seen["tasks"]["a word in the logs"]["facts"]["rows"]
    assert "body" in head
    assert len(rows) == 1
    assert data.WORD in rows[0]


def test_a_colleague_with_another_key_sees_the_same_answer_without_asking_again(
    seen: dict[str, Any],
) -> None:
    facts = seen["tasks"]["a link shared with a colleague"]["facts"]
    assert facts["mine"] == facts["theirs"]
    assert len(facts["mine"]) > 3
    assert facts["asked"] == 0
    assert facts["keyInLink"] is False
    assert "colleague" in facts["who"]


def test_nothing_foreign_is_loaded_and_nothing_fails_meanwhile(seen: dict[str, Any]) -> None:
    assert seen["foreign"] == []
    assert seen["errors"] == []
