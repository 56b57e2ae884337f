"""The compiled encoders, from the tests' own folder."""

import pytest

from segment.parquet.encoders import Encoders
from segment.parquet.load_compiled import load
from segment.parquet.reference import ReferenceEncoders
from tests.kernel_cache import KERNEL_CACHE


@pytest.fixture(scope="session")
def kernel() -> Encoders:
    """The first test waits for the compiler."""
    return load(KERNEL_CACHE)


@pytest.fixture(params=["reference", "kernel"])
def encoders(request: pytest.FixtureRequest) -> Encoders:
    """Each implementation in turn."""
    if request.param == "kernel":
        found: Encoders = request.getfixturevalue("kernel")
        return found
    return ReferenceEncoders()
