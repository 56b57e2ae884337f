"""Every view with the keyboard alone: each place is reached, its focus is seen, what closes gives
the focus back. A box in a heatmap, a point and a part of the time are chosen by keys, and the page
of events, the open event and the order of rows are in the address.
"""

import os
from typing import Any

import pytest

from tests.page.running import run_script
from tests.system.harness import System

pytestmark = [pytest.mark.system, pytest.mark.scenario]
SCRIPTS = ("question", "answer", "events", "traces", "around")


@pytest.fixture(scope="module")
def found(filled: System) -> dict[str, Any]:
    """What each script saw, by its name."""
    folder = os.environ.get("BELLWETHER_SCREENSHOTS", "")
    arguments = (filled.url, filled.key, folder)
    return {one: run_script(f"scenarios/keyboard/{one}.mjs", *arguments) for one in SCRIPTS}


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_focus_is_seen_in_every_place(found: dict[str, Any], script: str) -> None:
    assert found[script]["unseen"] == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_error_is_thrown_meanwhile(found: dict[str, Any], script: str) -> None:
    assert found[script]["errors"] == []
    assert found[script]["foreign"] == []


def test_a_question_is_built_in_rows_and_as_text(found: dict[str, Any]) -> None:
    seen = found["question"]["seen"]
    assert seen["skip"] > 50  # px: the link to the content is seen once it has the focus
    assert "MAX(duration_ms) WHERE duration_ms > 1 GROUP BY region" in seen["rows"]
    assert seen["changed"] == "duration_ms > 12"
    assert seen["time"].endswith("LIMIT 20 LAST 30m")
    assert 'WHERE region = "eu"' in seen["found"]
    assert seen["text"] == "COUNT GROUP BY region LAST 1h"
    assert seen["answer"].startswith("COUNT over time")


def test_a_box_a_point_and_a_part_of_the_time_are_chosen(found: dict[str, Any]) -> None:
    seen = found["answer"]["seen"]
    [numbers] = seen["box"]["ranges"]
    assert numbers["column"] == "duration_ms"
    assert numbers["from"] < numbers["to"]
    assert seen["box"]["start_time"] < seen["box"]["end_time"]
    assert "a heatmap over time" in seen["boxFocus"]
    assert ":" in seen["said"]
    assert seen["second"] == "Without this"
    assert "SINCE" in seen["zoomed"]


def test_a_marker_is_put_changed_and_deleted(found: dict[str, Any]) -> None:
    seen = found["answer"]["seen"]
    assert "COUNT over time" in seen["back"]  # where it was put
    assert seen["markers"] == 0


def test_the_order_of_rows_goes_back_and_forward(found: dict[str, Any]) -> None:
    seen = found["answer"]["seen"]
    order, rows, usual = seen["sort"]
    assert order == "+region"
    assert rows == ["ap", "eu", "us", "(missing)"]  # what is missing comes last either way
    assert seen["unsorted"] == usual
    assert seen["again"] == rows
    assert seen["row"] == seen["rowAgain"] == rows[1]
    assert f'region = "{rows[1]}"' in seen["only"]


def test_an_event_and_its_page_are_in_the_address(found: dict[str, Any]) -> None:
    seen = found["events"]["seen"]
    event, whole = seen["first"]
    assert event.startswith(whole)
    assert seen["next"] < whole  # the newest come first
    assert seen["back"] == seen["last"]
    assert seen["forward"] == seen["link"] == seen["crossed"] < seen["last"]
    assert seen["same"] is True
    assert seen["asked"][1:] == [None, None]


def test_traces_are_found_compared_and_read(found: dict[str, Any]) -> None:
    seen = found["traces"]["seen"]
    assert seen["folded"] == 1 < seen["unfolded"]
    assert seen["closed"] == "spans"
    assert "reserve stock" in seen["found"]
    assert seen["opened"].endswith("fa11" * 8)


def test_fields_history_and_the_description_of_the_api_are_used(found: dict[str, Any]) -> None:
    seen = found["around"]["seen"]
    assert seen["described"] == "edit the description of user_id"
    assert "region = " in seen["value"]
    assert seen["history"] == seen["value"]
    assert seen["docs"] == "#op-exampleTraces"
    assert seen["out"] == "Key"
