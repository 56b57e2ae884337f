"""Compiled code is loaded and tried against the reference before it serves."""

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
    """What `make` gives, with its compiled code kept in `folder`. `make` imports the kernel itself.

    trial: what an implementation gives for the trial's input, to be compared.
    Raises RuntimeError with the text `differs` if it is not what the reference gives.
    """
    precompile.use_cache(folder, sources)
    compiled = make()
    if trial(compiled) != trial(reference):
        raise RuntimeError(differs)
    return compiled
