"""Loads compiled code and tests it against the reference before it serves."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from common.kernels import precompile

T = TypeVar("T")


def load_tried(
    folder: Path,
    sources: Sequence[ModuleType],
    make: Callable[[], T],
    reference: T,
    trial: Callable[[T], object],
    differs: str,
) -> T:
    """The implementation of `make`, its compiled code in `folder`. `make` imports the kernel.

    trial: computes an implementation's results for the trial's input, to be compared.
    Raises RuntimeError with the text `differs` if they are not equal to the reference's.
    """
    precompile.use_cache(folder, sources)
    compiled = make()
    if trial(compiled) != trial(reference):
        raise RuntimeError(differs)
    return compiled
