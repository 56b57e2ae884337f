"""Limits of questions about what differs, and of what is known about fields."""

from typing import Final

# --- what differs ------------------------------------------------------------------------------
# Fields of one question: each is counted, and those of an event may be 2,000.
DIFFERENCES_FIELDS_MAX: Final = 1_000
# Of more fields some events of each side tell which to look at: in 512 of a share a difference of a
# tenth shows.
DIFFERENCES_RANKED_EVENTS: Final = 512
# Fields of one exchange: what comes of so many is some MB. The first one of many tells how long
# they take, the next ones take so many seconds, so that one that is lost costs little.
DIFFERENCES_BATCH_MAX: Final = 256
DIFFERENCES_BATCH_FIRST: Final = 64
DIFFERENCES_BATCH_MIN: Final = 8
DIFFERENCES_BATCH_S: Final = 4.0
# Events times fields that a share counts exactly: some 10 s of a core. Of more events a part is
# drawn at random, which says as much: shares of 100,000 events are known to 0.3 %.
DIFFERENCES_VALUES_MAX: Final = 250_000_000
DIFFERENCES_DRAWN_MIN: Final = 50_000  # events of a side that are drawn then, at the least
# Up to so many events of a share every value is counted, one column after the other. Of more,
# fields with nearly as many texts as events are counted in a part of them: a table of a million ids
# takes 100 MB.
DIFFERENCES_SMALL: Final = 65_536
# Of these, values that one statement reads: 32 MB; of texts, which may have 256 characters each, so
# many that they fit into what a share may have in memory. And fields, whose columns it names.
DIFFERENCES_CELLS_MAX: Final = 4 * 2**20
DIFFERENCES_TEXT_CELLS_MAX: Final = 2**18
DIFFERENCES_FIELDS_READ: Final = 512
DIFFERENCES_PROBED: Final = 16_384  # events that tell how many values a field has
DIFFERENCES_TEXTS_FEW: Final = 4_096  # distinct texts among those probed; more are many
DIFFERENCES_NUMBERS_FEW: Final = 200  # likewise numbers: more go into logarithmic buckets
# Fields of one statement: its tables of groups stay small, and the filters are judged again.
DIFFERENCES_FIELDS_AT_ONCE: Final = 8
DIFFERENCES_TEXTS_LISTED: Final = 64  # of a field and share: the most frequent of either side
DIFFERENCES_NUMBERS_LISTED: Final = 4_096  # buckets: values of 17 powers of ten fit
DIFFERENCES_TEXT_CHARS: Final = 256  # texts are told apart by their first ones
DIFFERENCES_SAMPLE_MAX: Final = 8_192  # events of a side that are compared one by one
DIFFERENCES_SAMPLED: Final = 2_048  # of a side, to tell which fields say the same as others
DIFFERENCES_COMPARED: Final = 30  # fields that differ most, of which that is told
DIFFERENCES_SELECTED: Final = 5  # fields of a selection with which they are compared
DIFFERENCES_LISTED_DEFAULT: Final = 20  # fields of an answer: what a person looks through
DIFFERENCES_VALUES_SHOWN: Final = 20  # of a field
# --- what is known about fields ----------------------------------------------------------------
FIELD_FACTS_PAGE: Final = 2_000  # fields of one response: some 4 MB from an indexer
FIELD_FACTS_VALUES: Final = 64  # frequent values of a field that are known: twice a summary's
FIELD_FACTS_HASHES: Final = 256  # smallest hashes of its values: their number is known to 6 %
# Values in live rows and small segments that one question looks at for the first time: 0.3 s of a
# core. What they are stays in memory; the next question goes on.
FIELD_FACTS_VALUES_READ: Final = 2_000_000
FIELD_FACTS_COLUMN_VALUES: Final = 250  # of so many a column costs at least the time
# Of an indexer: facts of 20,000 fields of a hundred segments, put together by some segments.
FIELD_FACTS_HELD_BYTES: Final = 64 * 2**20
FIELD_FACTS_SEGMENT_BYTES: Final = 2**20  # of one without summary that is read for them: a pack's
FIELD_FACTS_SAMPLES: Final = 10  # values of a field in a list
FIELD_FACTS_SEARCHED: Final = 20_000  # fields that one search of words looks at
FIELD_VALUES_DEFAULT: Final = 50  # values that a completion offers
FIELD_VALUES_MAX: Final = 1_000
