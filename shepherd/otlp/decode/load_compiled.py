"""Loads the compiled decoder and tests it against the reference before it serves."""

from collections.abc import Callable
from pathlib import Path

import common.scan.kernel
import shepherd.otlp.decode.kernel
from common import limits
from common.kernels import precompile
from common.kernels.trial import load_tried
from shepherd.otlp.decode.interface import Decoder
from shepherd.otlp.decode.reference.decoder import ReferenceDecoder
from shepherd.otlp.decode.trial import tried

SOURCES = (common.scan.kernel, shepherd.otlp.decode.kernel)
_SEEDS = (0x0123456789ABCDEF, 0x1F3D5B79A2C4E6F8)


def compile_all(folder: Path) -> None:
    """Compile every function that decoding calls. Raises any error of the compiler."""
    load(folder, _SEEDS, lambda _: None)


def load(
    folder: Path,
    seeds: tuple[int, int],
    on_fallback: Callable[[int], None],
    string_max: int = limits.STRING_BYTES_MAX,
) -> Decoder:
    """The compiled decoder, after its results matched the reference. Raises if they do not."""

    def make() -> Decoder:
        from shepherd.otlp.decode.compiled.decoder import KernelDecoder

        return KernelDecoder(seeds, on_fallback=on_fallback, string_max=string_max)

    differs = "the compiled decoder differs from the reference in a trial"
    reference: Decoder = ReferenceDecoder(string_max)
    return load_tried(folder, SOURCES, make, reference, tried, differs)


def use_cache(folder: Path) -> None:
    """Keep compiled code in this folder. Call it before importing a module of the kernel."""
    precompile.use_cache(folder, SOURCES)
