"""The memory of one pass: one array of words and two of bytes, made once, used again (I11).

A pass ends where the lines or their table are full; the caller copies its lines and the next pass
begins. So every body fits. One array has all tables at fixed offsets, for the reasons given in
`indexer.shred.kernel.memory`; guard words between them never change.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from common import limits
from common.kernels.compile import SENTINEL_BYTES, Bytes, Int64s
from common.scan.kernel.containers import DEPTH_MAX
from common.scan.kernel.record_lines import LINE_ROOM

ROWS_MAX: Final = 8_192  # lines of a pass
# The largest event fits an empty pass, and after it a text of which every byte is escaped, before
# it is known to be too much.
OUT_BYTES: Final = limits.EVENT_BYTES_MAX + LINE_ROOM + 6 * limits.STRING_BYTES_MAX + 256
BODY_BYTES: Final = 1_048_576  # larger bodies get a buffer of their own

_GUARD_WORDS: Final = 8
_GUARD: Final = -0x0123456789ABCDEF

# --- the element read last: the words at the beginning
(
    DATA_AT,
    DATA_END,
    DATA_BLANKS,  # 1: there may be line breaks between tokens
    TIME_AT,  # negative: there is none
    TIME_END,
    RATE_AT,
    RATE_END,
    TIME_NS,
    RATE,
    UNREAD,  # 1: its time or rate is for the reference to read
    ELEMENT_END,  # of msgpack: where an element that is for the reference ends
    # an element that is not proved good: see `scan` and `element_faults`
    SCAN_FAULT,
    SCAN_NAMED,  # names that lead to the fault
    SCAN_FIELDS,
    SCAN_NAME,  # bytes of the name read last
    SCAN_NAME_BYTES,
    SCAN_ARRAYS,
    SCAN_FRESH,
    SCAN_PREFIXES,
    SCAN_HARD,  # 1: a number that only the reference can check
    SCAN_MENDS,  # see `scan`: something cannot be stored and costs no event
    ELEMENT_FAULT,
    ERROR_RULE,  # of a body that is broken, and the byte at which it is
    ERROR_AT,
    ENTRIES,  # elements of this pass that are not among its lines
    ENTRIES_TO,  # end of the words of their entries
    COUNTERS,
) = range(27)

COUNTS_END: Final = COUNTERS + _GUARD_WORDS
# spans of the names in force at the first levels, and those that lead to the first fault
PATH_LEVELS: Final = 20
PATH: Final = COUNTS_END
FAULT_PATH: Final = PATH + 2 * PATH_LEVELS
PATHS_END: Final = FAULT_PATH + 2 * PATH_LEVELS + _GUARD_WORDS
# per container that is open, a bit: 1 for an array
NESTED: Final = PATHS_END
NESTED_END: Final = NESTED + limits.BODY_NESTING_MAX // 32 + 1 + _GUARD_WORDS
# entries: see `element_faults`
ENTRY_TABLE: Final = NESTED_END
ENTRY_WORDS: Final = 32_768
ENTRY_WORDS_MAX: Final = 9 + 2 * PATH_LEVELS  # of one entry
ENTRY_TABLE_END: Final = ENTRY_TABLE + ENTRY_WORDS + _GUARD_WORDS
# containers open while JSON text is checked
OPENED: Final = ENTRY_TABLE_END
OPENED_END: Final = OPENED + DEPTH_MAX + _GUARD_WORDS
# per unpacked object that is open: bytes of the names and dots before its own
PREFIXES: Final = OPENED_END
PREFIXES_END: Final = PREFIXES + DEPTH_MAX + _GUARD_WORDS
# per line: its bytes, and those of its data
LINE_BYTES: Final = PREFIXES_END
LINE_BYTES_END: Final = LINE_BYTES + ROWS_MAX + _GUARD_WORDS
DATA_BYTES: Final = LINE_BYTES_END
DATA_BYTES_END: Final = DATA_BYTES + ROWS_MAX + _GUARD_WORDS

_ENDS = (
    COUNTS_END,
    PATHS_END,
    NESTED_END,
    ENTRY_TABLE_END,
    OPENED_END,
    PREFIXES_END,
    LINE_BYTES_END,
    DATA_BYTES_END,
)


@dataclass(frozen=True, slots=True)
class Memory:
    """words: counters and tables; out: the lines of a pass; body: the text that is read, padded."""

    words: Int64s
    out: Bytes
    body: Bytes

    def __repr__(self) -> str:
        return f"Memory({self.words.nbytes + self.out.nbytes + self.body.nbytes} bytes)"

    def intact(self) -> bool:
        """Whether every guard word is unchanged, so that no write missed its table."""
        return all((self.words[end - _GUARD_WORDS : end] == _GUARD).all() for end in _ENDS)


def make_memory() -> Memory:
    """Memory of its own for one pass at a time; its pages are real once they are used."""
    words = np.zeros(DATA_BYTES_END, np.int64)
    for end in _ENDS:
        words[end - _GUARD_WORDS : end] = _GUARD
    return Memory(
        words,
        np.zeros(OUT_BYTES + SENTINEL_BYTES, np.uint8),
        np.zeros(BODY_BYTES + SENTINEL_BYTES, np.uint8),
    )
