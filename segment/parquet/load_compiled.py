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
from segment.parquet.column_chunk.values import Bits, Column, Doubles, Ints, SmallInts, Values
from segment.parquet.encoders import Encoders, Texts, texts_of
from segment.parquet.file import small_file, write_file
from segment.parquet.reference import ReferenceEncoders
from segment.parquet.small import SYSTEM_KINDS, SmallPages, SmallTable

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
    from segment.parquet.compiled.encoders import COMPILED

    for function in COMPILED:
        cast(Any, function).disable_compile()
    return kernel


def _make() -> Encoders:
    from segment.parquet.compiled.encoders import KernelEncoders

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
    small = _small_trial(encoders)
    cells = _cells_trial(encoders, small)
    seeded = ((long, 0), (ids, 115))
    hashes = [encoders.hashes(_texts(some), seed).tobytes() for some, seed in seeded]
    arrays = (part.tobytes() for part in (*pairs, *by_row))
    return b"".join((file, small, cells, *hashes, *arrays))


def _small_trial(encoders: Encoders) -> bytes:
    """A small file: integers, doubles, booleans and texts, in every row and in some."""
    rows = np.arange(11, dtype=np.int64)
    some = np.array([1, 2, 9], np.uint32)
    doubles = np.array([0.0, -1.5, 2.5, -0.0, 7e300, 3.0, 1.0, 0.0, 5.0, -2.0, 9.5])
    texts = _texts(["b", "", "ab"])
    numbers = [rows - 5, doubles.view(np.int64), np.array([0b1010_1100_101, 0, 0], np.int64)]
    parts = [rows[:1] * 0, *numbers, np.append(some, 0).astype(np.uint32).view(np.int64)]
    text_at = 8 * sum(map(len, parts))
    parts.append(texts.offsets + text_at + 8 * len(texts.offsets))
    data = np.concatenate((texts.data, np.zeros(-len(texts.data) % 8 + 8, np.uint8)))
    whole = np.concatenate([part.view(np.uint8) for part in parts] + [data])
    row_at = 4 * (1 + sum(map(len, numbers))) // 2
    table = SmallTable(
        whole=whole,
        sizes=np.array([11, 11, 11, 3, 3]),
        begins=np.array([1, 12, 8 * 8 * 23, text_at // 8, 1]),
        row_begins=np.array([0, 0, 0, row_at, row_at]),
        names=_texts(["i", "F", "b", "s", "i2"]),
        types=np.array([2, 1, 0, 4, 2], np.uint8),
        system_names=np.frombuffer(b"\x01t\x01r\x01o\x01p", np.uint8),
        digest_head=np.frombuffer(b"head", np.uint8),
        system=np.concatenate([rows] * 4),
    )
    about: dict[str, Any] = {"metadata": {}, "sorting": (), "created_by": "trial"}
    if (written := encoders.small(table)) is not None:
        return small_file(written, 11, **about)
    columns = [Column(name, None, Ints(rows)) for name in "tro"]
    columns.append(Column("p", None, SmallInts(rows.astype(np.int32))))
    columns += [
        Column("f:i:i", None, Ints(numbers[0])),
        Column("f:%46:f", None, Doubles(doubles)),
        Column("f:b:b", None, Bits(numbers[2].view(np.uint8), 0, 11)),
        Column("f:s:s", some, texts),
        Column("f:i2:i", some, Ints(numbers[0][:3])),
    ]
    return write_file(encoders, columns, 11, small=True, **about)


def _cells_trial(encoders: Encoders, file: bytes) -> bytes:
    """The values of the trial's small file twice: integers, row numbers and texts."""
    footer_at = len(file) - 8 - int.from_bytes(file[-8:-4], "little")
    pages = SmallPages(
        data=np.frombuffer(file * 2, np.uint8),
        begins=np.array([0, len(file)]),
        ends=np.array([footer_at, len(file) + footer_at]),
        rows=np.array([11, 11]),
        pages=np.array([9, 9]),
        columns=np.tile(np.arange(9), 2),
        optional=np.tile(np.array([0, 0, 0, 0, 0, 0, 0, 1, 1], np.uint8), 2),
        kinds=np.concatenate((SYSTEM_KINDS, np.array([2, 1, 0, 4, 2], np.uint8))),
    )
    cells = encoders.small_cells(pages)
    if cells is None:  # the reference leaves it to its caller
        place, texts = np.tile(np.arange(11), 2), b"bab" * 2
        return place.tobytes() + np.array([1, 2, 9, 12, 13, 20], np.uint32).tobytes() + texts
    place_at, text_at, row_at = cells.begins[3], cells.begins[7], cells.row_begins[7]
    begin, end = cells.whole[[text_at, text_at + 6]].tolist()
    place, rows = cells.whole[place_at : place_at + 22], cells.whole.view(np.uint32)
    some = rows[row_at : row_at + 6].tobytes()
    return place.tobytes() + some + cells.whole.view(np.uint8)[begin:end].tobytes()


def _texts(texts: list[str]) -> Texts:
    return texts_of(pa.array(texts, pa.large_string()))
