"""Loads the compiled encoders and compares them with the reference before they write a segment."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa

import common.scan.kernel
import segment.parquet.kernel
from common.kernels.trial import load_tried
from segment.parquet.encoders import Encoders, Texts, texts_of
from segment.parquet.file import write_file
from segment.parquet.reference import ReferenceEncoders
from segment.parquet.values import Bits, Column, Doubles, Ints, SmallInts, Values

SOURCES = (common.scan.kernel, segment.parquet.kernel)
_ROWS = 3_000
_SEED = 1


def compile_all(folder: Path) -> None:
    """Compile every function that writing calls. Raises any error of the compiler."""
    load(folder)


def load(folder: Path) -> Encoders:
    """The compiled encoders, after their bytes equalled the reference's. Raises otherwise.

    Afterwards no function is compiled for arrays of other types: such a call raises TypeError.
    """
    differs = "the compiled encoders differ from the reference on a trial file"
    reference: Encoders = ReferenceEncoders()
    kernel = load_tried(folder, SOURCES, _make, reference, _trial, differs)
    from segment.parquet.compiled import COMPILED

    for function in COMPILED:
        cast(Any, function).disable_compile()
    return kernel


def _make() -> Encoders:
    from segment.parquet.compiled import KernelEncoders

    return KernelEncoders()


def _trial(encoders: Encoders) -> bytes:
    """A file with columns of every kind, in every row and in some; pairs of texts; cells by row."""
    dice = random.Random(_SEED)
    numbers = np.array([dice.getrandbits(63) - 2**62 for _ in range(_ROWS)])
    doubles = np.array([dice.choice((0.0, -0.0, float("nan"), dice.random())) for _ in numbers])
    ids = [f"{dice.getrandbits(64):016x}" for _ in numbers]
    labels = [dice.choice(("", "north", "süd")) * dice.randint(1, 2) for _ in numbers]
    long = [label * dice.choice((1, 30)) + str(at) for at, label in enumerate(labels)]
    bits = np.array([dice.getrandbits(8) for _ in numbers], np.uint8)
    rows = np.array([row for row in range(_ROWS) if dice.random() < 0.1 or row > 2_500], np.uint32)
    kinds: dict[str, Callable[[int], Values]] = {
        "deltas": lambda size: Ints(numbers[:size]),
        "repeating": lambda size: Ints(numbers[:size] % 7),
        "ascending": lambda size: Ints(np.arange(size), nearly_sorted=True),
        "small": lambda size: SmallInts(np.arange(size, dtype=np.int32) % 100),
        "doubles": lambda size: Doubles(doubles[:size]),
        "bits": lambda size: Bits(bits, 3, size),
        "ids": lambda size: _texts(ids[:size]),
        "words": lambda size: _texts(labels[:size]),
        "long": lambda size: _texts(long[:size]),
    }
    columns = [Column(name, None, some(_ROWS), name == "ids") for name, some in kinds.items()]
    columns += [Column(f"some {name}", rows, some(len(rows))) for name, some in kinds.items()]
    file = write_file(encoders, columns, _ROWS, metadata={}, sorting=(), created_by="trial")
    back = np.arange(_ROWS, dtype=np.uint32)[::-1].copy()
    pairs = encoders.pairs(_texts(ids), back, _texts(long), back // 2)
    twice = np.concatenate((rows, rows))
    ends = np.arange(7, len(twice) + 1, 7)
    by_row = encoders.by_row(twice, np.append(0, ends[:-1]), ends, _ROWS)
    return b"".join((file, *(part.tobytes() for part in (*pairs, *by_row))))


def _texts(texts: list[str]) -> Texts:
    return texts_of(pa.array(texts, pa.large_string()))
