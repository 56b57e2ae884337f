"""The rows of the builder are the specification: what they show, read again, is the same."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from query.text.parser import parse_text
from tests.page.units.node import answer_of
from tests.query.text.test_written import NAMES_SAID, NOW_S, TEXTS, sayable

# What is chosen rather than typed: the time, and the settings.
SETTINGS = ("time_range", "start_time", "end_time", "time_axis", "granularity", "limit",
            "usage_mode", "compare_time_offset_seconds")  # fmt: skip


def rows_of(specs: list[dict[str, Any]]) -> list[str]:
    found: list[str] = answer_of("pieces.mjs", specs)
    return found


def without_settings(spec: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in spec.items() if name not in SETTINGS}


def check(specs: list[dict[str, Any]]) -> None:
    typed = [without_settings(spec) for spec in specs]
    for spec, text in zip(typed, rows_of(typed), strict=True):
        assert parse_text(text, NOW_S) == spec, text


@pytest.mark.slow
def test_rows_of_what_people_ask_mean_the_same() -> None:
    asked = [parse_text(text, NOW_S) for text in TEXTS]
    check([spec for spec in asked if "rows" not in spec])


@pytest.mark.slow
@settings(  # each example starts a process: many specifications, and none made smaller
    max_examples=2,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(sayable(NAMES_SAID), min_size=15, max_size=15))
def test_rows_of_any_specification_mean_the_same(specs: list[dict[str, Any]]) -> None:
    check(specs)
