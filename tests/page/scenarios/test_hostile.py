"""Datasets, fields, values and spans whose names are markup, 10,000 characters long, or written
from right to left: every view shows them as text and stays as wide as its screen.
"""

import json
import os
from typing import Any
from urllib.parse import quote

import pytest

from tests.page import odd_data
from tests.page.running import run_script
from tests.system.harness import System

pytestmark = [pytest.mark.system, pytest.mark.scenario]

DATASET = quote(odd_data.HOSTILE_DATASET, safe="")
FIELD = f'"{odd_data.HOSTILE_FIELD}"'
SELECTION = json.dumps([{"column": "duration_ms", "op": ">", "value": 500}])
MARKUP = "<script>globalThis.injected=1</script>"


def _query(ask: str, **more: str) -> str:
    rest = "".join(f"&{name}={quote(value, safe='')}" for name, value in more.items())
    return f"/ui/query/{DATASET}?ask={quote(ask, safe='')}{rest}"


GROUPED = f"HEATMAP(duration_ms), COUNT GROUP BY {FIELD} LAST 2h"
VIEWS = [
    {"name": "start", "path": "/ui/", "wait": odd_data.HOSTILE_DATASET},
    {"name": "groups", "path": _query(GROUPED), "wait": "3 groups"},
    {
        "name": "differs",
        "path": _query("COUNT LAST 2h", tab="differs", selection=SELECTION),
        "wait": "kind = markup",
    },
    {"name": "events", "path": _query("COUNT LAST 2h", tab="events"), "wait": "<script>"},
    {"name": "fields", "path": f"/ui/fields/{DATASET}", "wait": "duration_ms"},
    {"name": "trace", "path": f"/ui/trace/{odd_data.HOSTILE_TRACE}", "wait": "240 spans"},
    {"name": "traces", "path": "/ui/traces?ask=LAST%202h", "wait": "bad0bad0"},
]
# where the markup of a value has to be read
OF_VALUES = ("groups", "differs", "events", "fields", "trace", "traces")


@pytest.fixture(scope="module")
def found(filled: System) -> dict[str, Any]:
    """What each view showed."""
    folder = os.environ.get("BELLWETHER_SCREENSHOTS", "")
    texts = [odd_data.HOSTILE_DATASET, odd_data.HOSTILE_FIELD, MARKUP]
    arguments = (filled.url, filled.key, folder, json.dumps(VIEWS), json.dumps(texts))
    seen: dict[str, Any] = run_script("scenarios/hostile.mjs", *arguments)
    return seen


def test_the_names_of_a_dataset_and_a_field_are_text(found: dict[str, Any]) -> None:
    assert odd_data.HOSTILE_DATASET in found["found"]["start"]["shown"]
    for view in ("groups", "fields"):
        assert odd_data.HOSTILE_FIELD in found["found"][view]["shown"], view


@pytest.mark.parametrize("view", OF_VALUES)
def test_markup_in_a_value_is_text(found: dict[str, Any], view: str) -> None:
    assert MARKUP in found["found"][view]["shown"]


def test_no_view_makes_an_element_of_it(found: dict[str, Any]) -> None:
    assert {name: one["made"] for name, one in found["found"].items() if one["made"]} == {}
    assert not any(one["injected"] for one in found["found"].values())
    assert found["foreign"] == []
    assert found["errors"] == []


def test_ten_thousand_characters_make_no_view_wider_than_its_screen(found: dict[str, Any]) -> None:
    wider = {name: one["wider"] for name, one in found["found"].items() if one["wider"] > 0}
    assert wider == {}


def test_ten_thousand_characters_push_nothing_out_of_sight(found: dict[str, Any]) -> None:
    # screens of 900 pixels; a row of 10,000 characters that wraps would fill many of them
    assert max(one["longest"] for one in found["found"].values()) < 10 * 900
