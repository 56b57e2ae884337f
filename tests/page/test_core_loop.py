"""The page in a real browser: log in, ask, see what differs, the events, the fields, a trace.

Nothing foreign is loaded, no error is thrown, no view has a serious finding of axe, values of
events are shown as text, and of a trace of 10,000 spans only what is seen is drawn.
"""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.npm import folder_with
from tests.clients.test_browser import NAMES
from tests.system.harness import System, running

pytestmark = pytest.mark.system
SCRIPT = Path(__file__).with_name("core_loop.mjs")
HOSTILE = "<img src=x onerror='globalThis.injected=1'>"
SPANS = 10_000
VIEWS = ("start", "query", "differs", "events", "fields", "traces", "trace")


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


def spans(now_s: float) -> list[dict[str, Any]]:
    """One trace of many spans."""
    trace = "ab" * 16
    found: list[dict[str, Any]] = []
    for at in range(SPANS):
        data: dict[str, Any] = {
            "trace.trace_id": trace,
            "trace.span_id": f"{at:016x}",
            "name": "checkout" if not at else f"step {at}",
            "service.name": "web",
            "duration_ms": 60_000.0 if not at else 2.5,
        }
        if at:
            data["trace.parent_id"] = f"{(at - 1) // 50:016x}" if at < 500 else f"{at % 50:016x}"
        found.append({"data": data, "time": f"{now_s - 60 + at * 0.005:.6f}"})
    return found


@pytest.fixture(scope="module")
def browser() -> str:
    """A browser's program."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    missing = "no Chromium is installed: the page is not tried in a browser"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="module")
def seen(browser: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the script saw."""
    packages = folder_with("page", "playwright-core@1.65.1", "axe-core@4.14.1")
    folder = tmp_path_factory.mktemp("page")
    shots = Path(os.environ.get("BELLWETHER_SCREENSHOTS", folder))
    with running(folder) as system:
        fill(system)
        link = re.search(r"http://\S+/ui/#login=\S+", system.output)
        assert link is not None, system.output
        done = subprocess.run(
            ["node", str(SCRIPT), browser, link[0], str(shots)],
            cwd=packages,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        yield json.loads(done.stdout.splitlines()[-1])


def fill(system: System) -> None:
    now_s = time.time()
    system.send("shop", events(now_s))
    sent = spans(now_s)
    for at in range(0, SPANS, 2_000):
        system.send("spans", sent[at : at + 2_000])
    count = {"calculations": [{"op": "COUNT"}]}

    def counted(dataset: str) -> int:
        return int(system.ask(dataset, count)["data"]["results"][0]["data"]["COUNT"])

    system.wait_until(lambda: counted("shop") == 600 and counted("spans") == SPANS, "the events")


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


def test_of_a_trace_of_10_000_spans_only_what_is_seen_is_drawn(seen: dict[str, Any]) -> None:
    assert seen["drawn"]["trace"] < 5_000  # elements, some for each of at most 200 rows


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
