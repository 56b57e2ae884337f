"""No text makes the transcoder read or write outside of its memory (every access verified)."""

import pytest

from tests.checked_mode import tried_in_checked_mode

pytestmark = pytest.mark.slow
MODULE = "tests.shepherd.otlp.json.checked"


def test_damaged_texts_with_every_access_checked() -> None:
    assert tried_in_checked_mode(MODULE, seconds=2, seed=11) > 0


@pytest.mark.scenario
def test_damaged_texts_with_every_access_checked_for_long() -> None:
    for seed in range(5):
        assert tried_in_checked_mode(MODULE, seconds=60, seed=seed) > 0
