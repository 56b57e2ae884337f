"""Pages of small files are found and copied, and of damaged ones no byte outside of the arrays."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segment.parquet.compiled.small_files import small_cells
from segment.parquet.small import SmallPages

ROWS = 11
KINDS = np.array([2, 0, 4], np.uint8)
OPTIONAL = np.array([0, 0, 1], np.uint8)


def page(body: bytes) -> bytes:
    """A page of 11 rows, PLAIN, with a checksum of 0."""
    size = bytes([len(body) << 1 & 127 | 128, len(body) >> 6])
    return (
        b"\x15\0\x15" + size + b"\x15" + size + b"\x15\0\x1c\x15\x16\x15\0\x15\6\x15\6\0\0" + body
    )


NUMBERS = page(np.arange(ROWS).tobytes())
FLAGS = page(bytes([0b1010_1010, 0b101]))
LEVELS = b"\3" + bytes([0b110]) + b"\6\1"  # rows 1 and 2 by bits, then a run of three ones
TEXTS = page(b"\4\0\0\0" + LEVELS + b"".join(b"\2\0\0\0ab" for _ in range(5)))
FILE = b"PAR1" + NUMBERS + FLAGS + TEXTS


def pages_of(*files: bytes) -> SmallPages:
    """Files of these three columns."""
    begins = np.cumsum([0, *map(len, files)])
    count = len(files)
    return SmallPages(
        np.frombuffer(b"".join(files), np.uint8), begins[:-1], begins[1:],
        np.full(count, ROWS), np.full(count, 3), np.tile(np.arange(3), count),
        np.tile(OPTIONAL, count), KINDS,
    )  # fmt: skip


def test_values_of_files_follow_each_other() -> None:
    cells = small_cells(pages_of(FILE, FILE))
    assert cells is not None
    assert cells.sizes.tolist() == [22, 22, 10]
    number_at, bit_at, text_at = cells.begins.tolist()
    assert cells.whole[number_at : number_at + 22].tolist() == [*range(ROWS)] * 2
    bits = np.unpackbits(cells.whole.view(np.uint8), bitorder="little")[bit_at : bit_at + 22]
    assert bits.tolist() == [0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 1] * 2
    rows = cells.whole.view(np.uint32)[cells.row_begins[2] :][:10].tolist()
    assert rows == [1, 2, 8, 9, 10, 12, 13, 19, 20, 21]
    offsets = cells.whole[text_at : text_at + 11]
    assert np.diff(offsets).tolist() == [2] * 10
    texts = cells.whole.view(np.uint8)[offsets[0] : offsets[-1]].tobytes()
    assert texts == b"ab" * 10


def file_of_texts(*texts: bytes, sizes: Sequence[int] | None = None) -> bytes:
    """A file with these texts. sizes: which their lengths claim."""
    claimed = map(len, texts) if sizes is None else sizes
    body = [size.to_bytes(4, "little") + text for size, text in zip(claimed, texts, strict=True)]
    return b"PAR1" + NUMBERS + FLAGS + page(b"\4\0\0\0" + LEVELS + b"".join(body))


@pytest.mark.parametrize(
    "files",
    [
        # one without texts, of which there should be five: the other would take their lengths' room
        (file_of_texts(b"", b"", b"", b"", b"x" * 20), file_of_texts()),
        (file_of_texts(b"", b"", b"", b"", b"", sizes=[16, 0, 0, 0, 0]),),
    ],
)
def test_a_text_takes_no_room_of_the_lengths_of_others(files: tuple[bytes, ...]) -> None:
    assert small_cells(pages_of(*files)) is None


@given(st.lists(st.tuples(st.integers(4, len(FILE) - 1), st.integers(0, 255)), max_size=4))
def test_a_damaged_file_is_refused_or_has_as_many_values(changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(FILE)
    for at, byte in changes:
        damaged[at] = byte
    cells = small_cells(pages_of(FILE, bytes(damaged)))
    assert cells is None or cells.sizes[:2].tolist() == [22, 22]
    if not changes:
        assert cells is not None


@given(st.integers(4, len(FILE) - 1))
def test_a_file_that_ends_early_is_refused(size: int) -> None:
    assert small_cells(pages_of(FILE[:size], FILE)) is None
