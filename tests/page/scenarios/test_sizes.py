"""Much of everything: 2,000 fields stay usable, and of 10,000 spans only what is seen is drawn."""

from typing import Any

import pytest

from tests.page import odd_data
from tests.page.running import run_script
from tests.system.counts import show
from tests.system.harness import System

pytestmark = [pytest.mark.system, pytest.mark.scenario]
ROWS_MAX = 200


@pytest.fixture(scope="module")
def found(filled: System) -> dict[str, Any]:
    """What was drawn and asked for."""
    given = (odd_data.WIDE_DATASET, odd_data.LARGE_TRACE, f"{odd_data.SPANS:,} spans")
    seen: dict[str, Any] = run_script("scenarios/sizes.mjs", filled.url, filled.key, *given)
    show(
        f"of {odd_data.FIELDS} fields {seen['fields']['elements']} elements are drawn; of "
        f"{odd_data.SPANS} spans at most {max(seen['trace']['rows'])} rows"
    )
    return seen


def test_fields_of_thousands_are_drawn_in_parts_and_found_by_a_word(found: dict[str, Any]) -> None:
    assert found["fields"]["elements"] < 5_000
    assert found["fields"]["found"] is True


def test_completion_offers_few_of_thousands_and_narrows_with_each_letter(
    found: dict[str, Any],
) -> None:
    assert 1 < found["completion"]["offered"] <= 60
    narrowed = found["completion"]["narrowed"]
    assert len(narrowed) == 1, narrowed
    assert "field_1987" in narrowed[0]


def test_of_a_trace_of_10_000_spans_at_most_200_rows_are_drawn_wherever_one_scrolls(
    found: dict[str, Any],
) -> None:
    assert min(found["trace"]["rows"]) >= 10
    assert max(found["trace"]["rows"]) <= ROWS_MAX
    assert found["trace"]["last"].startswith("step ")


def test_a_trace_of_10_000_spans_is_one_request(found: dict[str, Any]) -> None:
    assert len(found["trace"]["asked"]) == 1, found["trace"]["asked"]
    assert found["trace"]["askedAfter"] == found["trace"]["asked"]
    assert found["errors"] == []
