"""Compiled code goes to the tests' own folder; this has to be said before it is imported."""

import pytest

from shepherd.otlp.decode.load_compiled import use_cache
from tests.kernel_cache import KERNEL_CACHE

use_cache(KERNEL_CACHE)

from shepherd.otlp.decode.compiled.decoder import KernelDecoder  # noqa: E402 - after use_cache

SEEDS = (0x0123456789ABCDEF, 0x1F3D5B79A2C4E6F8)


@pytest.fixture(scope="session")
def decoder() -> KernelDecoder:
    """The compiled decoder; whoever is first waits for the compiler."""
    return KernelDecoder(SEEDS)


@pytest.fixture
def handed() -> list[int]:
    """What a counting decoder handed to the reference."""
    return []


@pytest.fixture
def counting(handed: list[int]) -> KernelDecoder:
    """A decoder that notes in `handed` how many items it handed to the reference."""
    return KernelDecoder(SEEDS, on_fallback=handed.append)
