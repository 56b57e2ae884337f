"""Where things are in the tables and in the words of a pass. The caller fills the tables.

Tables: one int64 array, beside it the names of fields, 32 bytes each.
Words: one int64 array of a transcoder that runs, for the open objects and lists.
"""

from typing import Final

from common.scan.kernel.containers import DEPTH_MAX

# --- kinds of fields; those from INT32 on are numbers written as integers
(
    MESSAGE,
    STRING,
    BYTES,
    ID,
    BOOL,
    INT32,
    UINT32,
    SINT32,
    INT64,
    UINT64,
    FIXED32,
    FIXED64,
    SFIXED64,
    DOUBLE,
    ENUM,
) = range(15)

# --- a field's words
(
    FIELD_KIND,
    FIELD_TAG,  # its bytes, the first lowest
    FIELD_TAG_BYTES,
    FIELD_TYPE,  # number of the inner message, or -1
    FIELD_BIT,  # its own bit among the fields of its message
    FIELD_REPEATED,
    FIELD_ALWAYS,  # written even if it is zero
    FIELD_ITEMS,  # a list whose elements must be objects
    FIELD_ANY,  # its values may be written without their type
) = range(9)
FIELD_WORDS: Final = 9
FIELDS_MAX: Final = 512
FIELDS: Final = 0
# --- a message's words
(
    RESERVED,  # bytes kept free for its length: as many as most messages of the kind need
    NESTS,  # 1: a value that holds values, which are nested only so deep
) = range(2)
MESSAGE_WORDS: Final = 2
MESSAGES_MAX: Final = 64
MESSAGES: Final = FIELDS + FIELDS_MAX * FIELD_WORDS
# --- names of fields by hash; an entry is (message, size, field), its name at 32 times its number
ENTRY_WORDS: Final = 3
HASH_BITS: Final = 11
HASH: Final = MESSAGES + MESSAGES_MAX * MESSAGE_WORDS  # number of the entry, plus 1; 0: none
ENTRIES: Final = HASH + (1 << HASH_BITS)
ENTRIES_MAX: Final = 2 * FIELDS_MAX
TABLE_WORDS: Final = ENTRIES + ENTRIES_MAX * ENTRY_WORDS
NAME_BYTES: Final = 32
HASH_FACTOR: Final = 0x9E3779B97F4A7C15 - 2**64

# --- the words of a pass
GUARD_WORDS: Final = 8
(
    AT,  # where the caller goes on
    TO,
    DEPTH,  # of the frame on top; -1 before the text
    FRESH,  # 1: nothing of that frame was read yet
    NESTING,  # values that hold values around the position
    NESTING_MAX,
    ODD_FIELD,  # of a value that the reference has to write; its text is ODD_AT to ODD_END
    ODD_ELEMENT,  # 1: it is one of a list
    ODD_AT,
    ODD_END,
    HEAD_WORDS,
) = range(11)
# --- an open object or list
(
    FRAME_WHAT,  # an object's message; of a list -1 less its field, and nothing else
    FRAME_SLOT,  # where the message's length goes
    FRAME_SEEN,  # bits of its fields that were read
) = range(3)
FRAME_WORDS: Final = 3
FRAMES: Final = HEAD_WORDS + GUARD_WORDS
FRAMES_MAX: Final = 512
FRAMES_END: Final = FRAMES + FRAMES_MAX * FRAME_WORDS + GUARD_WORDS
OPENED: Final = FRAMES_END  # containers of a value that is skipped
OPENED_END: Final = OPENED + DEPTH_MAX + GUARD_WORDS
WORDS: Final = OPENED_END
ENDS: Final = (FRAMES, FRAMES_END, OPENED_END)  # each after guard words, which never change

# --- how a pass ends
DONE, MORE, ODD, BROKEN = range(4)
# Bytes written per byte of text, at most: a list of numbers of one digit as doubles is four, and
# one of powers of ten as plain text a little more than that.
OUT_PER_BYTE: Final = 4
OUT_ROOM: Final = 256  # beyond: of one field, and of what copies overwrite
