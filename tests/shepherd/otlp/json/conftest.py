"""Compiled code goes to the tests' own folder; this has to be said before it is imported."""

import pytest

from shepherd.otlp.json.load_compiled import use_cache
from tests.kernel_cache import KERNEL_CACHE

use_cache(KERNEL_CACHE)

from shepherd.otlp.json.compiled.transcoder import KernelTranscoder  # noqa: E402 - after use_cache


@pytest.fixture(scope="session")
def transcoder() -> KernelTranscoder:
    """The compiled transcoder; the first test that uses it waits for the compiler."""
    return KernelTranscoder()
