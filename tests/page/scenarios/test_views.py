"""Every view in light and dark, 1280 and 390 pixels wide: a picture of each to look at, nothing
serious for axe, and nothing that makes the page wider than the screen.

Pictures go to `BELLWETHER_SCREENSHOTS` (CONTRIBUTING.md).
"""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.page import data, odd_data
from tests.page.running import run_script
from tests.system.harness import System

pytestmark = [pytest.mark.system, pytest.mark.scenario]


def _query(ask: str, dataset: str = "shop", **more: object) -> str:
    rest = "".join(f"&{name}={quote(str(value), safe='')}" for name, value in more.items())
    return f"/ui/query/{quote(dataset, safe='')}?ask={quote(ask, safe='')}{rest}"


SLOW = json.dumps([{"column": "duration_ms", "op": ">", "value": 500}])
VIEWS: list[dict[str, Any]] = [
    {"name": "start", "path": "/ui/", "wait": "shop"},
    {
        "name": "query",
        "path": _query("HEATMAP(duration_ms), COUNT GROUP BY build.id LAST 2h"),
        "wait": "complete to",
    },
    {
        "name": "stacked",
        "path": _query("COUNT GROUP BY region LAST 2h", form="stacked"),
        "wait": "complete to",
    },
    {
        "name": "compared",
        "path": _query("P99(duration_ms) LAST 30m COMPARE 30m"),
        "wait": "complete to",
    },
    {"name": "fault", "path": _query("COUNT WHER duration_ms > 5"), "wait": "WHER"},
    {"name": "nothing", "path": _query("COUNT WHERE region = mars LAST 2h"), "wait": "No event"},
    {"name": "keys", "path": _query("COUNT LAST 2h"), "wait": "complete to", "keys": ["?"]},
    {"name": "times", "path": _query("COUNT LAST 2h"), "wait": "complete to", "keys": ["t"]},
    {"name": "asked", "path": _query("COUNT LAST 2h"), "wait": "complete to", "keys": ["h"]},
    {
        "name": "differs",
        "path": _query("COUNT LAST 2h", tab="differs", selection=SLOW),
        "wait": "build.id = b1041",
    },
    {
        "name": "events",
        "path": _query("COUNT WHERE error = true LAST 2h", tab="events"),
        "wait": "frame_too_large",
    },
    {"name": "fields", "path": "/ui/fields/shop", "wait": "duration_ms"},
    {"name": "traces", "path": "/ui/traces?ask=LAST%202h", "wait": "checkout"},
    {
        "name": "trace",
        "path": f"/ui/trace/{data.FAILING_TRACE}",
        "wait": "charge card",
    },
    {"name": "large", "path": f"/ui/trace/{odd_data.LARGE_TRACE}", "wait": "step 1"},
    {"name": "open", "path": f"/ui/trace/{odd_data.OPEN_TRACE}", "wait": "create instances"},
    {
        "name": "two",
        "path": f"/ui/compare/{data.FAILING_TRACE}/{'600d' * 8}",
        "wait": "charge card",
    },
    {"name": "history", "path": "/ui/history", "wait": "COUNT"},
]


@pytest.fixture(scope="module")
def found(filled: System, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What was seen in each view, by its name, scheme and width."""
    folder = Path(os.environ.get("BELLWETHER_SCREENSHOTS") or tmp_path_factory.mktemp("shots"))
    folder.mkdir(parents=True, exist_ok=True)
    arguments = (filled.url, filled.key, str(folder), json.dumps(VIEWS))
    seen: dict[str, Any] = run_script("scenarios/views.mjs", *arguments, seconds=900)
    return seen


def test_every_view_is_shown_in_both_schemes_and_widths(found: dict[str, Any]) -> None:
    assert len(found["found"]) == 4 * len(VIEWS)
    assert {one["where"]: one["failed"] for one in found["found"] if "failed" in one} == {}


def test_axe_finds_nothing_serious(found: dict[str, Any]) -> None:
    assert {one["where"]: one["axe"] for one in found["found"] if one["axe"]} == {}


def test_no_view_is_wider_than_its_screen(found: dict[str, Any]) -> None:
    assert {one["where"]: one["wider"] for one in found["found"] if one["wider"] > 0} == {}


def test_nothing_foreign_is_loaded_and_nothing_fails(found: dict[str, Any]) -> None:
    assert found["foreign"] == []
    assert found["errors"] == []
