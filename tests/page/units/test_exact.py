"""Whole numbers keep all of their digits in the page: as they are read, and as they are sent."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.page.units.node import answer_of

pytestmark = pytest.mark.slow
TEXTS = st.text(max_size=8) | st.sampled_from(
    ["12345678901234567890", '"9007199254740993"', "\\1e5"]
)
SCALARS = (
    st.integers(-(2**63), 2**63 - 1)
    | st.sampled_from([2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 0, 1_800_000_000_123_456_789])
    | TEXTS
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)
)


def again(texts: list[str]) -> list[Any]:
    return [json.loads(text) for text in answer_of("exact.mjs", texts)]


@settings(
    max_examples=2, phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None
)
@given(st.lists(VALUES, min_size=20, max_size=60))
def test_json_that_was_read_is_written_as_the_same_values(values: list[Any]) -> None:
    for value, found in zip(values, again([json.dumps(one) for one in values]), strict=True):
        assert found == value


def test_long_numbers_in_the_middle_of_texts_and_names_stay_texts() -> None:
    value = {
        "9007199254740993": ["a 9007199254740993, b", 9007199254740993, {"x": "-1"}],
        "t": True,
    }
    (found,) = again([json.dumps(value)])
    assert found == value
