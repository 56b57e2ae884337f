"""Limits of an indexer."""

from typing import Final

# --- indexer -----------------------------------------------------------------------------------
LIVE_BLOCK_ROWS_MAX: Final = 4_096  # larger live blocks are not merged: replay copies nothing
LIVE_BLOCKS_MERGED: Final = 8  # at once: a third of the copying of 2; queries see 28 small ones
KERNEL_WAIT_ROWS_MIN: Final = 2_048  # the reference takes fewer in less time than loading does
KERNEL_WAIT_BYTES_MIN: Final = 2**20  # likewise, of records or of rows in memory
VERIFY_PACKS_BYTES_MAX: Final = 2**30  # of packs that `verify` keeps on the disk meanwhile
PACKED_SEGMENT_BYTES_MAX: Final = 2**20  # larger: the bytes, not the put and fsync, are the price
SEALING_COLUMNS_MAX: Final = 50_000  # cuts of more columns are sealed one at a time: 1 kB for each
UNSEALED_CUTS_MAX: Final = 2  # cuts waiting to be published; then reading pauses
TAIL_EVENTS_MAX: Final = 2_000  # waiting for one reader of a tail; the oldest go first
TAIL_LOOK_S: Final = 1.0  # a quiet tail notices so soon that its reader has left
TAIL_PAUSE_S: Final = 0.05  # gathers lines, so that a fast dataset costs few writes
# Each check of conditions opens a database, for some 20 ms of CPU: twice a second, not 20 times.
TAIL_FILTERED_PAUSE_S: Final = 0.5
TAIL_BATCHES_MAX: Final = 16_384  # remembered by one tail, so that a rerouted one comes once
TAILS_MAX: Final = 64  # readers of tails at once in one indexer, and in one query role
# Tails that one environment or key may follow for each one that is free: half and a third of all
# for one that is alone.
TAILS_ENV_PER_FREE: Final = 1.0
TAILS_KEY_PER_FREE: Final = 0.5
TAIL_BYTES_MAX: Final = 4 * 2**20  # waiting for one reader; 256 MiB for all that may be
# Lines of records that wait until one tail with conditions has looked at them: half a second's at
# the highest rates.
TAIL_FILTERED_BYTES_MAX: Final = 32 * 2**20
TAIL_OPEN_S: Final = 5.0  # an indexer that has not begun a tail by then is unresponsive
TAIL_RETRY_S: Final = 5  # tails are long: a place is seldom free sooner
TWINS_ASKED_MAX: Final = 4  # for a whole copy of a segment; there are one or two
FOOTERS_BYTES_MAX: Final = 96 * 2**20  # column names of segments in memory: over a million names
COLUMN_DEFINITIONS_MAX: Final = 10_000  # of a dataset: columns with a description or a type
# What senders of metrics say of columns: the description of one; how many of an environment may
# wait for metadata (the columns of a request with 150 histograms), of how many environments; and of
# how many a process knows that it has sent them (some 100 bytes each).
COLUMN_FACTS_TEXT_CHARS_MAX: Final = 1_024
COLUMN_FACTS_WAITING_MAX: Final = 2_000
COLUMN_FACTS_ENVIRONMENTS_MAX: Final = 256
COLUMN_FACTS_SENT_MAX: Final = 200_000
COLUMNS_PAGE_MAX: Final = 10_000  # columns of one response; the vendor's limit for a dataset
COLUMNS_PAGE_BYTES_MAX: Final = 8 * 2**20  # their names: one may be half a megabyte long
DATASETS_PAGE_MAX: Final = 10_000  # datasets of one response: some 3 MB
# Lists of columns that an indexer computes at once: one, one of another key, one of another
# environment. Each may read the footers of all segments.
COLUMN_LISTINGS_MAX: Final = 3
COLUMN_LISTINGS_WAITING_MAX: Final = 32  # beyond those; then 429
COLUMNS_COUNTED_MAX: Final = 200_000  # names that one dataset list counts; others are unknown
FOOTERS_COUNTED_MAX: Final = 256  # footers that a list of datasets has read; of one dataset: 32 x
OBJECT_BYTES_MAX: Final = 2**32  # of one segment or pack from another indexer; a cut has far less
REPAIRS_WAITING_MAX: Final = 64  # segments waiting to be made again; queries ask again
CLAIMS_PREPARING_MAX: Final = 2  # partitions an indexer takes over gently at once; then the next
SET_ASIDE_SHOWN_MAX: Final = 100  # in status; the manifests have them all
DAMAGE_LISTED_MAX: Final = 1_000  # runs of damaged records in one manifest; more become one
DAMAGE_READ_AGAIN_MAX: Final = 16  # damaged records of a cut that one round reads again
DAMAGE_APPENDED_MAX: Final = 64  # of those, appended again for one request, which is repeated
DAMAGE_ASKED_MAX: Final = 4_096  # damaged records requested from another indexer at once
# A damaged record that can be read again later is appended again only if every rule that it fell
# under then still holds: a void stays in force for 24 hour markers, which are 45 minutes apart.
DAMAGE_MENDED_WITHIN_NS: Final = 17 * 3600 * 10**9
DAMAGE_ASK_TIMEOUT_S: Final = 10.0  # of that request: the other indexer may append its copies
DAMAGE_ANSWERED_MAX: Final = 20  # of those, in one partition's part of an answer; the sum is exact
