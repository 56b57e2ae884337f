"""The memory of a pass: an array of words and three of bytes, made once, used again (I11).

A pass ends where its lines or their tables are full; the caller copies them and the next pass goes
on where it ended. So every request fits. One array has all tables at fixed offsets, for the reasons
given in `indexer.shred.kernel.memory`; guard words between them never change.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from common import limits
from common.kernels.compile import SENTINEL_BYTES, Bytes, Int64s
from common.scan.kernel.record_lines import LINE_ROOM
from shepherd.otlp.decode.kernel.fields import (
    CONSTANT_BYTES,
    CONSTANTS,
    CORE,
    COUNT,
    INSTRUMENTATION_SCOPES,
)

ROWS_MAX: Final = 8_192  # lines of a pass
BYTES_MAX: Final = 4_194_304  # written in a pass; then its work is counted
ENTRIES_MAX: Final = 1_024  # items of a pass that are for the reference
NAMES_MAX: Final = 4_096  # of attributes
NAMES_KEPT: Final = NAMES_MAX // 2  # with more of them the table is emptied before the next scope
SLOTS: Final = 2 * NAMES_MAX  # a power of two; at most half full
ARENA_BYTES: Final = 1_048_576  # text of names
ARENA_KEPT: Final = ARENA_BYTES // 2
TAIL_FIELDS_MAX: Final = 512  # attributes of a resource and a scope together
TAIL_BYTES: Final = 131_072  # their JSON: a quarter of the names that are kept
# As in the splitter: the largest event fits an empty pass, and after it a text of which every byte
# is escaped, before it is known to be too much.
OUT_BYTES: Final = limits.EVENT_BYTES_MAX + LINE_ROOM + 6 * limits.STRING_BYTES_MAX + 256
NESTED_BYTES: Final = limits.STRING_BYTES_MAX + 1_024  # of a list's JSON, beyond those and these
BODY_BYTES: Final = 1_048_576  # larger bodies get a buffer of their own

_GUARD_WORDS: Final = 8
_GUARD: Final = -0x0123456789ABCDEF

# --- the words at the beginning
(
    SEED,
    SEED_MORE,
    NAMES,  # in the table
    ARENA,  # bytes used
    EVENT,  # number of the event that is written, counted over all passes
    # --- where the walk is: see `request`
    REQUEST_AT,
    RESOURCE_NEXT,  # of the ResourceSpans in force: the field that is read next
    RESOURCE_END,
    RESOURCE_READ,  # 1: its tail was made; 2: only the reference can read it
    SCOPED,  # 1: within a ScopeSpans
    SCOPE_NEXT,
    SCOPE_END,
    RESOURCE,  # its begin and end; begin negative for none; likewise the next three
    RESOURCE_TO,
    RESOURCE_SCHEMA,
    RESOURCE_SCHEMA_TO,
    SCOPE,
    SCOPE_TO,
    SCOPE_SCHEMA,
    SCOPE_SCHEMA_TO,
    ITEMS,  # read so far
    # --- the dataset of the lines of this pass
    SERVICE,  # span of the text of `service.name`; begin negative for none
    SERVICE_TO,
    PASS_SERVICE,
    PASS_SERVICE_TO,
    # --- the tail: what the resource and the scope give each event
    TAIL,  # number of the tail in force
    TAIL_ODD,  # 1: only the reference can read its resource or scope
    TAIL_TO,  # bytes of its text
    TAIL_FIELDS,
    TAIL_RATE,  # sample rate of the resource or scope; 0 for none
    # --- this pass
    ROWS,
    ENTRIES,
    BYTES,  # written in it, also those that were dropped, and those of tails
    # --- the event that is written
    FIELDS,
    SHARED,  # 1: it has a field that is in the tail too
    # --- its span, for span events and links
    SPAN_TRACE_ID,
    SPAN_TRACE_ID_TO,
    SPAN_ID,
    SPAN_ID_TO,
    SPAN_NAME,
    SPAN_NAME_TO,
    SPAN_START,
    SPAN_END,
    SPAN_ERROR,
    SPAN_RATE,
    ARRIVAL,  # of the request, unix ns
    IS_LOGS,  # 1: its items are log records; 0: spans
    COUNTERS,
) = range(48)

PREFIXES: Final = len(INSTRUMENTATION_SCOPES)
PREFIX_AT: Final = COUNTERS  # per prefix of a scope's name: where it is in the arena, its bytes
COUNTS_END: Final = PREFIX_AT + 2 * PREFIXES + _GUARD_WORDS
# per name; 8 words: one cache line
NAME: Final = COUNTS_END
NAME_WORDS: Final = 8
(
    NAME_RAW,  # where its bytes are in the arena
    NAME_SIZE,
    NAME_TEXT,  # where `,"name":` is in the arena
    NAME_TEXT_SIZE,
    NAME_NEXT,  # the name that came after it last time
    NAME_EVENT,  # the last event that has a field of this name
    NAME_TAIL,  # the last tail that has one
    NAME_SLOT,
) = range(8)
NAME_END: Final = NAME + NAME_WORDS * NAMES_MAX + _GUARD_WORDS
# per slot: upper half of the hash, name + 1
NAME_HASHED: Final = NAME_END
NAME_HASHED_END: Final = NAME_HASHED + SLOTS + _GUARD_WORDS
# per field of the tail: its name, and where its text ends
TAIL_FIELD: Final = NAME_HASHED_END
TAIL_FIELD_END: Final = TAIL_FIELD + 2 * TAIL_FIELDS_MAX + _GUARD_WORDS
# per line: its bytes, those of its data, and item << 1 | whether it is the item's own
LINE_BYTES: Final = TAIL_FIELD_END
LINE_BYTES_END: Final = LINE_BYTES + ROWS_MAX + _GUARD_WORDS
DATA_BYTES: Final = LINE_BYTES_END
DATA_BYTES_END: Final = DATA_BYTES + ROWS_MAX + _GUARD_WORDS
LINE_ITEM: Final = DATA_BYTES_END
LINE_ITEM_END: Final = LINE_ITEM + ROWS_MAX + _GUARD_WORDS
# per item that is for the reference
ENTRY: Final = LINE_ITEM_END
ENTRY_WORDS: Final = 12
(
    ENTRY_ITEM,
    ENTRY_ROW,  # lines of the pass before it
    ENTRY_BEGIN,
    ENTRY_TO,
    ENTRY_RESOURCE,  # copies of the eight words from RESOURCE on
) = range(5)
ENTRY_END: Final = ENTRY + ENTRY_WORDS * ENTRIES_MAX + _GUARD_WORDS

_ENDS = (
    COUNTS_END,
    NAME_END,
    NAME_HASHED_END,
    TAIL_FIELD_END,
    LINE_BYTES_END,
    DATA_BYTES_END,
    LINE_ITEM_END,
    ENTRY_END,
)


@dataclass(frozen=True, slots=True)
class Memory:
    """words: counters and tables; arena: names; tail: what resource and scope give each event;
    out: the lines of a pass; body: the message that is read, padded.
    """

    words: Int64s
    arena: Bytes
    tail: Bytes
    out: Bytes
    body: Bytes

    def __repr__(self) -> str:
        arrays = (self.words, self.arena, self.tail, self.out, self.body)
        return f"Memory({sum(array.nbytes for array in arrays)} bytes)"

    def intact(self) -> bool:
        """Whether every guard word is unchanged, so that no write missed its table."""
        return all((self.words[end - _GUARD_WORDS : end] == _GUARD).all() for end in _ENDS)


def make_memory(seeds: tuple[int, int]) -> Memory:
    """Memory of its own for one pass at a time; its pages are real once they are used.

    seeds: secret, so that senders cannot make names that collide.
    """
    words = np.zeros(ENTRY_END, np.int64)
    for end in _ENDS:
        words[end - _GUARD_WORDS : end] = _GUARD
    words[SEED], words[SEED_MORE] = seeds
    arena = np.zeros(ARENA_BYTES + SENTINEL_BYTES, np.uint8)
    for number, constant in enumerate(CONSTANTS):
        _place(arena, number * CONSTANT_BYTES, f'"{constant}"')
    at = len(CONSTANTS) * CONSTANT_BYTES
    for number, prefix in enumerate(INSTRUMENTATION_SCOPES):
        words[PREFIX_AT + 2 * number], words[PREFIX_AT + 2 * number + 1] = at, len(prefix)
        at = _place(arena, at, prefix)
    for name in range(COUNT):
        text = f',"{CORE[name]}":'
        base = NAME + name * NAME_WORDS
        words[base + NAME_RAW], words[base + NAME_SIZE] = at + 2, len(CORE[name])
        words[base + NAME_TEXT], words[base + NAME_TEXT_SIZE] = at, len(text)
        at = _place(arena, at, text)
    return Memory(
        words,
        arena,
        np.zeros(TAIL_BYTES + NESTED_BYTES + 2 * SENTINEL_BYTES, np.uint8),
        np.zeros(OUT_BYTES + NESTED_BYTES + 2 * SENTINEL_BYTES, np.uint8),
        np.zeros(BODY_BYTES + SENTINEL_BYTES, np.uint8),
    )


def _place(arena: Bytes, at: int, text: str) -> int:
    arena[at : at + len(text)] = np.frombuffer(text.encode(), np.uint8)
    return at + len(text)
