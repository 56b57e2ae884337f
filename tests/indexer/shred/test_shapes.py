"""Shapes of data that hurt give what the reference gives, which reads the doubtful lines alone."""

import pytest

from indexer.shred.compiled.shredder import KernelShredder
from tests.fuzz.shapes import SHAPES, records
from tests.indexer.shred.conftest import SEEDS
from tests.indexer.shred.same import assert_same

_HANDED = ("doubtful", "bad", "too many bytes", "30 digits")


@pytest.mark.parametrize("name", SHAPES)
def test_a_hostile_shape(name: str) -> None:
    fallbacks: list[int] = []
    kernel = KernelShredder(SEEDS, on_fallback=fallbacks.append)
    assert_same(kernel, records(name, 60_000))
    assert kernel.intact()
    assert not fallbacks or any(word in name for word in _HANDED)
