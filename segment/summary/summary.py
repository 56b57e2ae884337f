"""The summary of a segment: its values, and their bytes in the object store.

The bytes are a head of 40 bytes, `BWSUM`, two zero bytes and the format (1), then the SHA-256 of
the rest, which is one MessagePack value. Whatever is of another format or damaged counts as absent.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final, Self

import msgspec

from common.errors import BellwetherError
from segment.columns import ColumnKey
from segment.columns.key import parse_physical
from segment.summary.grams import Grams, may_hold
from segment.summary.sizes import COLUMNS_MAX, SUMMARY_BYTES_MAX

SUMMARY_FORMAT: Final = 1
_MAGIC: Final = b"BWSUM\0\0"
_HEAD: Final = len(_MAGIC) + 1 + hashlib.sha256().digest_size
_COLUMN_OBJECT_BYTES: Final = 300  # of a key and a view of its bytes, approximately

Value = int | float | bool | bytes  # texts as UTF-8, since some are cut


class NoSummary(BellwetherError):
    """The bytes are no summary that this program can use."""


class ColumnSummary(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What the present values of one column are. Texts (also of JSON) are UTF-8.

    rows: number of present values; size_bytes: of them, 8 per number, 1 per boolean.
    low, high: no value is less than `low` or greater than `high`, NaN aside; None: there is none.
        Texts are rounded to BOUND_BYTES and compared by bytes.
    has_nan: whether a value is not a number.
    distinct: number of distinct values; -0.0 is 0.0.
    values: the most frequent values with their counts, most frequent first, then in their order.
    values_complete: whether they are all distinct values there are, and none is cut.
    others_most: every value that is not listed occurs at most so often.
    hashes: the smallest XXH64 hashes of the distinct values, ascending, 8 bytes each,
        little-endian; of a number, whole ones as an integer, its 8 bytes.
    prefixes: first `prefix_bytes` bytes of texts, ascending; a shorter one is a whole text.
    prefixes_complete: whether every text begins with one of them; else they are a sample.
    """

    rows: int
    size_bytes: int
    distinct: int
    low: Value | None = None
    high: Value | None = None
    has_nan: bool = False
    values: tuple[tuple[Value, int], ...] = ()
    values_complete: bool = False
    others_most: int = 0
    hashes: bytes = b""
    prefixes: tuple[bytes, ...] = ()
    prefix_bytes: int = 0
    prefixes_complete: bool = False


class _Body(msgspec.Struct, frozen=True, array_like=True):
    object_hash: str
    rows: int
    complete: bool
    columns: dict[str, msgspec.Raw]
    grams: Grams | None = None  # earlier programs made none, and read no more than they know


class SegmentSummary:
    """What is known of each column of a segment. Columns are decoded when they are asked for.

    rows: of the segment.
    complete: whether `keys` are all columns of the segment.
    """

    __slots__ = ("_columns", "_grams", "complete", "held_bytes", "keys", "object_hash", "rows")

    def __init__(self, body: _Body, held_bytes: int) -> None:
        self.object_hash = body.object_hash
        self.rows = body.rows
        self.complete = body.complete
        self._columns = body.columns
        self._grams = body.grams
        keys = (parse_physical(name) for name in body.columns)
        self.keys = frozenset(key for key in keys if key is not None)
        self.held_bytes = held_bytes

    def column(self, key: ColumnKey) -> ColumnSummary | None:
        """The summary of one column, if there is one. Raises NoSummary."""
        raw = self._columns.get(key.physical)
        if raw is None:
            return None
        try:
            return msgspec.msgpack.decode(raw, type=ColumnSummary)
        except msgspec.MsgspecError as error:
            raise NoSummary(f"column of segment {self.object_hash}: {error}") from error

    @property
    def is_of_texts(self) -> bool:
        """Whether it says which texts may be there: it was made by a program that knew how."""
        return self._grams is not None

    def may_hold(self, text: str) -> bool:
        """Whether a text or JSON of the segment may hold this text, whatever the case."""
        return self._grams is None or may_hold(self._grams, text)

    @classmethod
    def decode(cls, data: bytes, object_hash: str) -> Self:
        """Read the summary of that segment. Raises NoSummary."""
        head, body = data[:_HEAD], data[_HEAD:]
        if head[: len(_MAGIC) + 1] != _MAGIC + bytes([SUMMARY_FORMAT]):
            raise NoSummary(f"summary of segment {object_hash} is not of format {SUMMARY_FORMAT}")
        if head[len(_MAGIC) + 1 :] != hashlib.sha256(body).digest():
            raise NoSummary(f"summary of segment {object_hash} is damaged")
        try:
            decoded = msgspec.msgpack.decode(body, type=_Body)
            found = cls(decoded, len(data) + _COLUMN_OBJECT_BYTES * len(decoded.columns))
        except (msgspec.MsgspecError, ValueError) as error:
            raise NoSummary(f"summary of segment {object_hash}: {error}") from error
        if found.object_hash != object_hash:
            raise NoSummary(f"summary of segment {object_hash} is of {found.object_hash}")
        return found


def is_newer_format(data: bytes) -> bool:
    """Whether the bytes are a summary of a format after this program's."""
    return data.startswith(_MAGIC) and data[len(_MAGIC) :][:1] > bytes([SUMMARY_FORMAT])


def encode_summary(
    object_hash: str,
    rows: int,
    columns: Mapping[ColumnKey, ColumnSummary],
    *,
    complete: bool,
    grams: Grams | None = None,
) -> bytes:
    """The bytes of a summary, at most SUMMARY_BYTES_MAX; the same columns give the same bytes.

    complete: whether these are all columns of the segment. grams: of all of its texts.
    What does not fit is left out, in this order: samples of prefixes, hashes, values that are not
    all of a column, prefixes and values that are, at last the columns with the fewest rows.
    """
    kept = sorted(columns, key=lambda key: (-columns[key].rows, key))[:COLUMNS_MAX]
    level, room = 0, _ROOM - len(msgspec.msgpack.encode(grams))
    while True:
        encoded = {key: msgspec.msgpack.encode(_cut(columns[key], level)) for key in kept}
        if sum(len(one) + len(key.physical) for key, one in encoded.items()) < room:
            break
        if level < _LEVELS:
            level += 1
        else:
            kept = kept[: len(kept) * 3 // 4]
    raw = {key.physical: msgspec.Raw(encoded[key]) for key in sorted(kept)}
    body = msgspec.msgpack.encode(
        _Body(object_hash, rows, complete and len(kept) == len(columns), raw, grams)
    )
    return _MAGIC + bytes([SUMMARY_FORMAT]) + hashlib.sha256(body).digest() + body


_ROOM: Final = SUMMARY_BYTES_MAX - 16 * 1024  # the rest is for heads of names and values
_LEVELS: Final = 4


def _cut(column: ColumnSummary, level: int) -> ColumnSummary:
    """The column without what is left out first. level: 0: nothing; up to _LEVELS."""
    without: dict[str, object] = {}
    if level >= (4 if column.prefixes_complete else 1):
        without |= {"prefixes": (), "prefix_bytes": 0, "prefixes_complete": False}
    if level >= 2:
        without["hashes"] = b""
    if level >= (4 if column.values_complete else 3):
        most = max((count for _, count in column.values), default=column.others_most)
        without |= {"values": (), "values_complete": False, "others_most": most}
    return msgspec.structs.replace(column, **without) if without else column


def all_columns(summary: SegmentSummary) -> Iterable[tuple[ColumnKey, ColumnSummary]]:
    """Every column of a summary in order. Raises NoSummary."""
    for key in sorted(summary.keys):
        column = summary.column(key)
        if column is not None:
            yield key, column
