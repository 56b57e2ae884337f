"""The page in a real browser: log in, ask, see what differs, the events, the fields, a trace.

Nothing foreign is loaded, no error is thrown, no view has a serious finding of axe, values of
events are shown as text, and of a trace of 10,000 spans only what is seen is drawn.
"""

import os
import time
from typing import Any

import pytest

from tests.page import odd_data
from tests.page.running import login_link, page_setting, run_script
from tests.system.harness import System, running

pytestmark = pytest.mark.system
HOSTILE = "<img src=x onerror='globalThis.injected=1'>"
SENT = 2_000  # events of one request
VIEWS = ("start", "query", "differs", "events", "fields", "traces", "trace", "open", "compare")


def events(now_s: float) -> list[dict[str, Any]]:
    """Requests of which one build is slow, some failed, and some have a name that is no name."""
    found = []
    for at in range(600):
        slow = at % 3 == 0
        data: dict[str, Any] = {
            "build": "b1041" if slow else f"b{at % 5}",
            "duration_ms": 700.0 + at if slow else 5.0 + at % 40,
            "service": "web" if at % 2 else HOSTILE,
        }
        if at % 10 == 0:
            data |= {"error": True, "message": "frame_too_large"}
        found.append({"data": data, "time": f"{now_s - 10 * at - 20:.3f}"})
    return found


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the script saw."""
    folder = tmp_path_factory.mktemp("page")
    shots = os.environ.get("BELLWETHER_SCREENSHOTS") or str(folder)
    with running(folder, *page_setting()) as system:
        fill(system)
        found: dict[str, Any] = run_script("core_loop.mjs", login_link(system.output), shots)
    return found


def fill(system: System) -> None:
    """Send everything and wait until a question finds all of it."""
    now_s = time.time()
    sent = {
        "shop": events(now_s),
        "spans": odd_data.large_trace(now_s),
        "jobs": odd_data.open_trace(now_s) + odd_data.ended_trace(now_s - 300),
    }
    for dataset, some in sent.items():
        for at in range(0, len(some), SENT):
            system.send(dataset, some[at : at + SENT])
    body = {"query": {"calculations": [{"op": "COUNT"}]}, "disable_series": True, "wait_s": 10}

    def found(dataset: str) -> int:
        answer = system.http("POST", f"/1/query_results/{dataset}", body)
        rows = answer.json().get("data", {}).get("results", []) if answer.status == 201 else []
        return int(rows[0]["data"]["COUNT"]) if rows else 0

    for dataset, some in sent.items():
        system.wait_until(lambda: found(dataset) == len(some), f"the events of {dataset}")  # noqa: B023


def test_the_link_that_up_prints_logs_in_and_leads_to_the_datasets(seen: dict[str, Any]) -> None:
    assert seen["views"]["start"]["datasets"] >= 2
    assert "#" not in seen["views"]["start"]["address"]


def test_a_typed_question_is_answered_with_graphs_rows_and_its_coverage(
    seen: dict[str, Any],
) -> None:
    query = seen["views"]["query"]
    assert query["asked"] == "HEATMAP(duration_ms), COUNT GROUP BY build LAST 2h"
    assert query["canvases"] >= 2
    assert "complete to" in query["text"]
    assert "b1041" in query["text"]


def test_what_differs_events_fields_and_traces_say_what_is_known(seen: dict[str, Any]) -> None:
    views = seen["views"]
    assert "build" in views["differs"]["text"]
    assert "frame_too_large" in views["events"]["text"]
    assert "duration_ms" in views["fields"]["text"]
    assert "checkout" in views["traces"]["text"]
    assert "10,000 spans" in views["trace"]["text"]


def test_a_description_can_be_written_beside_its_field(seen: dict[str, Any]) -> None:
    assert "what a request took" in seen["views"]["fields"]["text"]


def test_what_was_announced_and_has_not_ended_is_told(seen: dict[str, Any]) -> None:
    assert "2 not finished (announced)" in seen["views"]["open"]["text"]


def test_two_traces_beside_each_other_say_what_differs(seen: dict[str, Any]) -> None:
    assert "register" in seen["views"]["compare"]["text"].splitlines()[0]


def test_of_a_trace_of_10_000_spans_only_what_is_seen_is_drawn(seen: dict[str, Any]) -> None:
    assert 10 <= seen["drawn"]["trace"] <= 200


def test_values_of_events_are_text_and_nothing_foreign_is_loaded(seen: dict[str, Any]) -> None:
    assert HOSTILE in seen["views"]["events"]["text"]
    assert seen["views"]["hostile"]["injected"] is False
    assert seen["foreign"] == []
    assert seen["console"] == []


def test_a_wrong_key_is_told(seen: dict[str, Any]) -> None:
    assert "There is no such key." in seen["views"]["login"]["text"]


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_has_no_serious_finding_of_accessibility(seen: dict[str, Any], view: str) -> None:
    assert seen["axe"][view] == []
