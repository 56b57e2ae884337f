"""The memory of a pass: one array of words and one of bytes, allocated once for all passes (I11).

A pass ends when any table is full; its cells become a block and the next pass begins. So no shape
of data needs more memory, and the steady state allocates nothing but its results. An event that
does not fit into an empty pass goes to the reference.

The tables of names are emptied before each call. A call has one dataset, so no name, order or load
of one tenant's data affects another, and the result depends on the records alone (I3).

One array with tables at fixed offsets: compiled code then needs one base address instead of twenty
(which it would keep on the stack), and numba counts references of two objects per call instead of
twenty (atomic operations). Measured on wide events: 0.6 µs per event. Guard words between tables
never change; tests and the checked mode verify them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from common.kernels.compile import SENTINEL_BYTES, Bytes, Int64s
from common.scan.kernel.containers import DEPTH_MAX

# Sizes of a pass.
ROWS_MAX: Final = 32_768
CELLS_MAX: Final = 786_432  # a call of the indexer has 16,384 rows: one pass for 48 fields each
NAMES_MAX: Final = 16_384  # names, and (parent, name) pairs
SLOTS: Final = 2 * NAMES_MAX  # a power of two; at most half full
COLUMNS_MAX: Final = NAMES_MAX * 8  # a column is field * 8 + type
ARENA_BYTES: Final = 2_097_152  # text of names
NAMES_KEPT: Final = NAMES_MAX * 3 // 4  # with more of them the next pass begins with empty tables
ARENA_KEPT: Final = ARENA_BYTES // 2
FALLBACKS_MAX: Final = 256  # lines for the reference
FALLBACKS_FEW: Final = 16  # with more, a pass ends when they are too large a part of it
FALLBACK_SHARE: Final = 8  # one line in 8, or a quarter of the bytes, is too large a part
TEXT_BYTES: Final = 25_165_824

_GUARD_WORDS: Final = 8
_GUARD: Final = -0x0123456789ABCDEF

# --- counters: the words at the beginning
(
    RECORD,  # index of the record being read
    AT,  # offset of the next line in the buffer; negative: the first of that record
    INDEX_IN_RECORD,  # events of that record before it
    ROWS,
    CELLS,
    STAMP,  # FIELD_LAST is relative to this
    NODES,
    FIELDS,
    ARENA,  # bytes used
    FALLBACKS,
    SEED,
    SEED_MORE,
    PROBED_OUT,  # names not found within the limit of probes
    BYTES,  # of the lines read
    FALLBACK_BYTES,
    FALLBACK_RECORD,  # of the last line left to the fallback; negative: none in this pass
    COUNTERS,
) = range(17)

# --- tables: where each begins
COUNTS_END: Final = COUNTERS + _GUARD_WORDS
# per cell: row << 32 | column (a dead one has column 0), and its value: the integer, the bits of
# the double, 0 or 1, or of a text: start << 32 | size << 1 | flag
CELL: Final = COUNTS_END
CELL_END: Final = CELL + 2 * CELLS_MAX + _GUARD_WORDS
# per (parent, name) pair; 8 words: one cache line
NODE: Final = CELL_END
NODE_WORDS: Final = 8
NODE_TEXT, NODE_SIZE, NODE_PARENT, NODE_QUOTED, NODE_FIELD, NODE_SLOT = range(6)
NODE_NEXT: Final = 6  # the node that came after it last time
NODE_INSIDE: Final = 7  # the node that came first inside its object last time
NODE_END: Final = NODE + NODE_WORDS * NAMES_MAX + _GUARD_WORDS
NODE_HASHED: Final = NODE_END  # upper half of the hash, node + 1
NODE_HASHED_END: Final = NODE_HASHED + SLOTS + _GUARD_WORDS
# per full name
FIELD: Final = NODE_HASHED_END
FIELD_WORDS: Final = 4
FIELD_TEXT, FIELD_SIZE, FIELD_SLOT = range(3)
FIELD_LAST: Final = 3  # STAMP + the cell in which it was seen last
FIELD_END: Final = FIELD + FIELD_WORDS * NAMES_MAX + _GUARD_WORDS
FIELD_HASHED: Final = FIELD_END
FIELD_HASHED_END: Final = FIELD_HASHED + SLOTS + _GUARD_WORDS
# containers open while JSON text is checked; nodes of the objects open around a member
OPENED: Final = FIELD_HASHED_END
OPENED_END: Final = OPENED + DEPTH_MAX + _GUARD_WORDS
PARENTS: Final = OPENED_END
PARENTS_END: Final = PARENTS + DEPTH_MAX + _GUARD_WORDS
# per line for the reference: row, record, start and end of the line
FALLBACK_LINE: Final = PARENTS_END
FALLBACK_WORDS: Final = 4
FALLBACK_END: Final = FALLBACK_LINE + FALLBACK_WORDS * FALLBACKS_MAX + _GUARD_WORDS
# per row
TIME: Final = FALLBACK_END
TIME_END: Final = TIME + ROWS_MAX + _GUARD_WORDS
RATE: Final = TIME_END
RATE_END: Final = RATE + ROWS_MAX + _GUARD_WORDS
ROW_INDEX: Final = RATE_END
ROW_INDEX_END: Final = ROW_INDEX + ROWS_MAX + _GUARD_WORDS
ROW_RECORD: Final = ROW_INDEX_END
ROW_RECORD_END: Final = ROW_RECORD + ROWS_MAX + _GUARD_WORDS
# per column: its cells and the most bytes of their texts; then where its next row, value and text
# are written
COLUMN: Final = ROW_RECORD_END
COLUMN_WORDS: Final = 8
COLUMN_CELLS, COLUMN_BYTES, TO_ROW, TO_VALUE, TO_TEXT = range(5)
COLUMN_END: Final = COLUMN + COLUMN_WORDS * COLUMNS_MAX + _GUARD_WORDS
# per column that has a cell: where its parts are in the output
LAID: Final = COLUMN_END
LAID_WORDS: Final = 6
LAID_COLUMN, LAID_CELLS, LAID_ROWS, LAID_VALUES, LAID_TEXT, LAID_TEXT_END = range(6)
LAID_END: Final = LAID + LAID_WORDS * COLUMNS_MAX + _GUARD_WORDS

_ENDS = (
    COUNTS_END, CELL_END, NODE_END, NODE_HASHED_END, FIELD_END, FIELD_HASHED_END, OPENED_END,
    PARENTS_END, FALLBACK_END, TIME_END, RATE_END, ROW_INDEX_END, ROW_RECORD_END, COLUMN_END,
    LAID_END,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Memory:
    """The buffers of one pass.

    words: counters and tables, 30 MB; the system backs pages once they are used.
    arena: the text of names.
    text: the records that a pass reads, with padding.
    """

    words: Int64s
    arena: Bytes
    text: Bytes

    def __repr__(self) -> str:
        return f"Memory({self.words.nbytes + self.arena.nbytes + self.text.nbytes} bytes)"

    def rows(self, table: int, rows: int) -> Int64s:
        """The first `rows` words of a table that has one word per row; a view."""
        return self.words[table : table + rows]

    def intact(self) -> bool:
        """Whether every guard word is unchanged: nothing was written outside a table."""
        return all((self.words[end - _GUARD_WORDS : end] == _GUARD).all() for end in _ENDS)


def make_memory(seed: int, seed_more: int) -> Memory:
    """Memory for one pass at a time. seed, seed_more: the secret seeds of the hashes of names."""
    words = np.zeros(LAID_END, np.int64)
    for end in _ENDS:
        words[end - _GUARD_WORDS : end] = _GUARD
    words[SEED], words[SEED_MORE] = seed, seed_more
    arena = np.zeros(ARENA_BYTES + SENTINEL_BYTES, np.uint8)
    return Memory(words, arena, np.zeros(TEXT_BYTES + SENTINEL_BYTES, np.uint8))
