"""A gesture changes what it is about and nothing else; fields beside the graphs complete."""

from typing import Any

import pytest

from tests.page.running import run_script
from tests.system.harness import System

pytestmark = [pytest.mark.system, pytest.mark.scenario]


@pytest.fixture(scope="module")
def found(filled: System) -> dict[str, Any]:
    """What was asked, shown and offered."""
    seen: dict[str, Any] = run_script("scenarios/gestures.mjs", filled.url, filled.key)
    return seen


def test_a_group_that_is_chosen_leaves_the_range_in_its_words(found: dict[str, Any]) -> None:
    assert found["only"].endswith("GROUP BY build.id SINCE yesterday")
    assert found["these"].endswith("SINCE yesterday")


def test_a_press_on_a_graph_is_no_zoom_and_a_drag_is_one(found: dict[str, Any]) -> None:
    assert found["pressed"] == found["only"]
    assert "SINCE 20" in found["zoomed"]
    assert "b1040" in found["zoomed"]


def test_a_cell_of_a_heatmap_tells_its_numbers_to_pointer_and_keys(found: dict[str, Any]) -> None:
    assert "events in a cell" in found["key"]
    for words in (found["hovered"], found["said"], found["read"]):
        assert "event" in words
        assert " to " in words
    assert "events in a cell" not in found["read"]


@pytest.mark.parametrize("place", ["typed", "traces"])
def test_fields_and_values_are_offered_as_one_types(found: dict[str, Any], place: str) -> None:
    offers = {name: " ".join(some) for name, some in found[place].items()}
    assert ("build.id" if place == "typed" else "root.name") in offers["field"]
    assert ("b1041" if place == "typed" else "checkout") in offers["value"]


def test_a_search_for_traces_offers_no_clause_that_it_refuses(found: dict[str, Any]) -> None:
    assert any("LAST" in one for one in found["traces"]["clause"])
    assert not any("GROUP BY" in one for one in found["traces"]["clause"])
    assert found["errors"] == found["foreign"] == []
