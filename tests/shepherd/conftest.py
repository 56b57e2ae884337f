"""Tests that ask for `config` run with the fast path and without it: the answers are the same."""

import pytest

from shepherd.config import ShepherdConfig


@pytest.fixture(params=[True, False], ids=["fast path", "aiohttp"])
def config(request: pytest.FixtureRequest) -> ShepherdConfig:
    """A shepherd on a free port."""
    return ShepherdConfig(port=0, fast_path=request.param)
