"""Parts of words of a segment's texts, by which a search for a text leaves the segment out.

A search finds a text anywhere, within words too, so that not whole words are kept but *grams*:
5 characters in a row that are letters or `_`, and 8 of letters, digits and `_` with a digit among
them. A text of the segment that holds another one has all grams of it. Letters are read in lower
case, as a search reads them (`query.share.search.pattern`); other characters are in no gram.

Each kind has a table of bits, one per hash. It is made large, and halved while it may be: by laying
one half over the other while few bits are set, else by forgetting the half of all grams whose hash
has the highest bit set. So a filter has a bound, and says less of a segment with very many ids.
"""

import functools
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from segment.parquet.encoders import texts_of
from segment.summary.sizes import (
    GRAM_BITS_MIN,
    GRAM_HALVES_MAX,
    GRAM_SET_MAX,
    LETTER_GRAM_BITS_MAX,
    MIXED_GRAM_BITS_MAX,
)

Bytes = npt.NDArray[np.uint8]
Hashes = npt.NDArray[np.uint64]
_INDEX_BITS: Final = 22  # of a hash: bits of a table before it is halved
_CHUNK: Final = 1 << 18  # characters at once, so that what is computed of them stays in the cache
_FEW: Final = 400_000  # indexes of a table of at most half the size
_LONGEST: Final = 8  # bytes of a gram, which fit into a number
_LETTERS_ONLY: Final = np.uint64(2**40 - 1)  # the first five of them
_ODD: Final = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))  # of each kind
_SHIFT: Final = np.uint64(64 - _INDEX_BITS)

_CODES: Final = np.arange(256, dtype=np.uint8)
_LOWER: Final = np.where((_CODES >= 65) & (_CODES <= 90), _CODES + 32, _CODES).astype(np.uint8)
_IS_LETTER: Final = ((_CODES >= 97) & (_CODES <= 122)) | (_CODES == 95)
_IS_WORD: Final = _IS_LETTER | ((_CODES >= 48) & (_CODES <= 57))
# The only other characters that are the same as an ASCII letter where case does not matter.
_ALSO_LETTERS: Final = (("\u212a", "k"), ("\u017f", "s"))


class GramTable(msgspec.Struct, frozen=True, array_like=True):
    """The grams of one kind. bits: a power of two of them, little-endian within bytes.

    forgotten: nothing is known of grams whose index has one of so many bits set, of those above the
    bits that choose one of the table.
    """

    bits: bytes
    forgotten: int


class Grams(msgspec.Struct, frozen=True, array_like=True):
    """The grams of all texts. A table that would say too little is left out."""

    letters: GramTable | None
    mixed: GramTable | None


class _Sought(NamedTuple):
    """The indexes of the grams of a text in tables that were not halved."""

    letters: tuple[int, ...]
    mixed: tuple[int, ...]


def may_hold(grams: Grams, text: str) -> bool:
    """Whether a text of the segment may hold this one, whatever the case."""
    sought = _grams_of(text)
    return _may_have(grams.letters, sought.letters) and _may_have(grams.mixed, sought.mixed)


def _may_have(table: GramTable | None, sought: tuple[int, ...]) -> bool:
    if table is None:
        return True
    last = len(table.bits) * 8 - 1
    forgotten = last << table.forgotten & ~last
    for index in sought:
        at = index & last
        if not index & forgotten and not table.bits[at >> 3] >> (at & 7) & 1:
            return False
    return True


@functools.lru_cache(maxsize=64)
def _grams_of(text: str) -> _Sought:
    data = np.frombuffer(_known_of(text).encode("utf-8", "surrogatepass"), np.uint8)
    letters, mixed = _hashes(_padded(data), len(data))
    return _Sought(*(tuple(np.unique(one).tolist()) for one in (letters, mixed)))


def _known_of(text: str) -> str:
    """The text without those letters: JSON may write them as escapes, which are in no gram."""
    for other, _ in _ALSO_LETTERS:
        text = text.replace(other, " ")
    return text


class _Indexes:
    """The indexes of one kind of grams. While they are few, no large table is made for them."""

    def __init__(self) -> None:
        self._few: list[Hashes] = []
        self._count = 0
        self._table: npt.NDArray[np.bool_] | None = None

    def add(self, found: Hashes) -> None:
        """Add indexes of grams."""
        self._few.append(found)
        self._count += len(found)
        if self._count > _FEW:
            self._table = self._set_in(1 << _INDEX_BITS)

    def table(self) -> npt.NDArray[np.bool_]:
        """A table of all, which may be smaller where halving would make it so."""
        if self._table is not None:
            return self._set_in(1 << _INDEX_BITS)
        size = GRAM_BITS_MIN
        while self._count > GRAM_SET_MAX * size:
            size *= 2
        return self._set_in(size)

    def _set_in(self, size: int) -> npt.NDArray[np.bool_]:
        table = np.zeros(size, np.bool_) if self._table is None else self._table
        for found in self._few:
            table[found & np.uint64(size - 1)] = True
        self._few = []
        return table


class GramBuilder:
    """Gathers the grams of a segment's texts, of any number of columns."""

    def __init__(self) -> None:
        self._kinds = _Indexes(), _Indexes()

    def add(self, values: pa.Array) -> None:
        """Add texts (large_string without nulls)."""
        for other, letter in _ALSO_LETTERS:
            if pc.any(pc.match_substring(values, other)).as_py():
                values = pc.replace_substring(values, other, letter)
        offsets, data = texts_of(values)
        begin, end = int(offsets[0]), int(offsets[-1])
        for at in range(begin, end, _CHUNK):
            after = min(at + _CHUNK, end)
            chunk = _padded(data[at : min(after + _LONGEST - 1, end)])
            cuts = offsets[np.searchsorted(offsets, at, "right") : np.searchsorted(
                offsets, after + _LONGEST - 1
            )] - at  # fmt: skip
            for kind, found in zip(self._kinds, _hashes(chunk, after - at, cuts), strict=True):
                kind.add(found)

    def made(self) -> Grams:
        """The grams of what was added."""
        letters, mixed = (kind.table() for kind in self._kinds)
        return Grams(_halved(letters, LETTER_GRAM_BITS_MAX), _halved(mixed, MIXED_GRAM_BITS_MAX))


def _padded(data: Bytes) -> Bytes:
    return np.concatenate((_LOWER[data], np.zeros(2 * _LONGEST, np.uint8)))


def _hashes(
    chunk: Bytes, count: int, cuts: npt.NDArray[np.int64] | None = None
) -> tuple[Hashes, Hashes]:
    """Indexes of the grams of letters and of mixed ones that begin in the first `count` bytes.

    chunk: lower case, with at least 8 bytes after those. cuts: where a text ends and another
    begins.
    """
    letter, word = _IS_LETTER[chunk], _IS_WORD[chunk]
    letters4, words2 = _runs(letter), word[:-1] & word[1:]
    words4 = words2[:-2] & words2[2:]
    letters = (letters4[:-1] & letter[4:])[:count]
    mixed = (words4[:-4] & words4[4:])[:count]
    mixed &= ~(letters4[:-4] & letters4[4:])[:count]
    if cuts is not None:
        for cut in range(1, _LONGEST):  # a gram may not begin so little before the end of its text
            ends = cuts[(cuts >= cut) & (cuts - cut < count)] - cut
            mixed[ends] = False
            if cut < 5:
                letters[ends] = False
    grams = _numbers(chunk, count)
    of_letters = (grams[letters] & _LETTERS_ONLY) * _ODD[0]
    of_mixed = grams[mixed] * _ODD[1]
    return _index(of_letters), _index(of_mixed)


def _runs(letter: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Whether four letters begin here."""
    two = letter[:-1] & letter[1:]
    runs: npt.NDArray[np.bool_] = two[:-2] & two[2:]
    return runs


def _numbers(chunk: Bytes, count: int) -> Hashes:
    """The eight bytes from each of the first `count` on, as one number."""
    found = np.empty(-(-count // _LONGEST) * _LONGEST, np.uint64)
    each = len(found) // _LONGEST
    for first in range(_LONGEST):
        found[first::_LONGEST] = chunk[first : first + each * _LONGEST].view("<u8")
    return found[:count]


def _index(products: Hashes) -> Hashes:
    mixed = products ^ (products >> np.uint64(29))
    return (mixed * _ODD[0]) >> _SHIFT


def _halved(table: npt.NDArray[np.bool_], bits_max: int) -> GramTable | None:
    """The smallest table that says enough; None: there is none of at most so many bits."""
    while len(table) > GRAM_BITS_MIN:
        low, high = np.split(table, 2)
        both = low | high
        if np.count_nonzero(both) > GRAM_SET_MAX * len(both):
            break
        table = both
    forgotten = 0
    while len(table) > bits_max:
        forgotten, table = forgotten + 1, table[: len(table) // 2]
    if forgotten > GRAM_HALVES_MAX:
        return None
    return GramTable(np.packbits(table, bitorder="little").tobytes(), forgotten)
