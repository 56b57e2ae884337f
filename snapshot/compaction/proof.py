"""Proves that an output holds its inputs: it is cut back into them, and their digests compared.

A digest covers every value, offset and place of a segment's rows in log order, so an output whose
pieces have the digests of its inputs' manifests holds exactly their rows (I2, I3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.errors import DamagedObject
from segment.columns.digest import digest_version, digests_of_pieces
from snapshot.compaction.merge import Source, read_rows
from snapshot.documents.manifest import SegmentEntry


@dataclass(frozen=True, slots=True)
class Unproved:
    """An input that an output does not hold as its manifest names it."""

    entry: SegmentEntry
    why: str


def unproved_inputs(
    file: Path | bytes, inputs: Sequence[SegmentEntry], rows: int
) -> list[Unproved]:
    """The inputs that an output does not hold exactly; empty: it is proved.

    file: of the output, or its bytes; its SHA-256 was checked. rows: of the output according to its
    document. Raises DamagedObject.
    """
    block = read_rows([Source(file)], far=inputs[0].far)
    named = sum(entry.rows for entry in inputs)
    if not block.rows == rows == named:
        raise DamagedObject(f"an output has {block.rows} rows, its inputs have {named}")
    if (np.diff(block.offset) < 0).any():
        raise DamagedObject("the rows of an output are not in log order")
    firsts = np.searchsorted(block.offset, [entry.first_offset for entry in inputs])
    ends = np.searchsorted(block.offset, [entry.end_offset for entry in inputs])
    found: list[Unproved] = []
    asked: dict[int, list[int]] = {}  # by version of the digest
    for number, entry in enumerate(inputs):
        first, end = int(firsts[number]), int(ends[number])
        if end - first != entry.rows:
            found.append(Unproved(entry, f"{end - first} rows instead of {entry.rows}"))
            continue
        try:
            version = digest_version(entry.digest)
        except ValueError as error:
            found.append(Unproved(entry, str(error)))
            continue
        asked.setdefault(version, []).append(number)
    for version, numbers in asked.items():
        digests = digests_of_pieces(block, firsts[numbers], ends[numbers], version)
        found += [
            Unproved(inputs[number], "its content has another digest")
            for number, digest in zip(numbers, digests, strict=True)
            if digest != inputs[number].digest
        ]
    return found
