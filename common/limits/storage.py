"""Limits of logs, cuts, snapshots and compaction."""

from typing import Final

# --- cuts (format version 1: part of what the log means, I3) -----------------------------------
CUT_ROWS_MAX_V1: Final = 131_072  # replay after a crash stays under ten seconds per partition
CUT_BYTES_MAX_V1: Final = 134_217_728  # decoded record bytes; bounds live memory per partition
CUT_CONTROL_RECORDS_MAX_V1: Final = 4_096  # an idle partition's heartbeats are covered too
TIME_PAST_BOUND_NS_V1: Final = 24 * 3600 * 10**9  # older than this at append: a far segment
TIME_FUTURE_BOUND_NS_V1: Final = 3600 * 10**9  # further ahead than this: a far segment
BATCH_WINDOW_HOUR_MARKERS: Final = 2  # a repeated batch id is recognised back to here
HOUR_MARKERS_APART_NS: Final = (
    2_700 * 10**9
)  # of monotonic time, so that no leap shortens the window
VOID_HOUR_MARKERS_V1: Final = 24  # a void stays in force this long: beyond any late append
REROUTE_RECORD_ENTRIES_MAX_V1: Final = 1_024  # questions or answers in one record: some 60 kB
REROUTE_SKEW_NS: Final = 1_800 * 10**9  # a link's last bytes land within 16 min; clocks differ
# A question dated later than clocks may differ does not show its age: lists are searched
# so far back from this partition's own time, longer than a partition may be out of reach.
REROUTE_LEAP_REACH_NS: Final = 8 * 24 * 3600 * 10**9
VOIDS_WAITING_MAX: Final = 1_024  # unanswered void records; a dropped one is sent again
UNDECIDED_ASKED_MAX: Final = 16_384  # open questions that are sent at a time, the oldest first
UNDECIDED_LISTED_MAX: Final = 10_000  # open batches that one share names; more are left out
HELD_ASKED_MAX: Final = 200_000  # undecided batches that one query may ask an indexer about
INTERNAL_BODY_BYTES_MAX: Final = 32 * 2**20  # of a request to an indexer; that one takes 16 MB
BATCH_LOOKUP_TIMEOUT_S: Final = 5  # of that request; without a response the batches are left out
LOG_END_WAIT_S: Final = 1.0  # for the log's end where it is optional; then it is unknown
RELIED_WAIT_MS: Final = 500  # for a share to reach a position that another relies on: mostly enough
BATCH_LISTS_BYTES_MAX: Final = 16 * 2**20  # published lists kept in memory per partition
BATCH_LISTS_KEYS_MAX: Final = 16_384  # manifests searched back: a day of a cut every five seconds
SEGMENT_COLUMNS_MAX_V1: Final = 4_096  # rarer columns of a segment share one JSON column
SMALL_SEGMENT_ROWS: Final = 32  # up to it a segment's columns cost more than its bytes
SMALL_SEGMENT_TEXT_BYTES: Final = 65_536  # beyond it compression pays
SEGMENT_COLUMNS_FEW: Final = 256  # this many have columns of their own, however rare
SEGMENT_RARE_ROWS: Final = 128  # beyond: with a value in one row of this many; else JSON is less

# --- compaction (ADR 0040) ---------------------------------------------------------------------
# An output has at most the rows of a full cut, so that reading one, writing one and proving one
# need the memory and the time of sealing one.
COMPACTED_ROWS_MAX: Final = CUT_ROWS_MAX_V1
COMPACTED_BYTES_MAX: Final = 64 * 2**20  # of its inputs as stored; ten times what full cuts have
COMPACTED_DECODED_BYTES_MAX: Final = 256 * 2**20  # of its inputs as columns in memory
COMPACTED_INPUTS_MAX: Final = 1_024  # of an output: its document then has half a megabyte
COMPACTED_FAN_IN: Final = 16  # small neighbours that are put together: one more rewrite per 16 x
# Rows of what is small, by size. What has more than 4,096 rows is rewritten once, into a full
# output; sealing smaller segments costs so much per row that rewriting their rows twice is less.
COMPACTED_TIERS: Final = (64, 256, 1_024, 4_096)
COMPACTED_PACK_READ_MIN: Final = 0.5  # of a pack's bytes: each rewritten one frees at least another
COMPACTED_SPANS: Final = 8  # an output spans at most this part of a dataset's retention
COMPACTED_SPAN_FOREVER_NS: Final = 46 * 24 * 3600 * 10**9  # of data that is kept for ever
# Of one document, whose outputs share a pack where they are small: the document has 2 MB, one more
# object of each kind is put for thousands of segments, and what is held in memory stays small.
COMPACTIONS_AT_ONCE: Final = 1_024
COMPACTED_INPUTS_AT_ONCE: Final = 4_096
COMPACTED_HELD_BYTES_MAX: Final = 32 * 2**20
COMPACTION_STEP_S: Final = 60  # then its document is published, while its objects are new
COMPACTIONS_DELETED_AT_ONCE: Final = 16  # documents whose inputs are announced as deleted at once
# Of one partition and round of its upkeep, each with its summary: some ten seconds of a store that
# takes 10 ms for a request. A dataset that goes, or a start, may have a hundred thousand to delete.
OBJECTS_DELETED_AT_ONCE: Final = 500
# Announcements of deletions that are carried out again after a start, as a crash may have
# interrupted one. Before the next is announced the one before is done, so this is more than a crash
# leaves; without a bound a start would ask the store to delete everything that ever expired.
RETENTION_DELETIONS_REPEATED: Final = 16
# --- bases of compaction documents (ADR 0044) --------------------------------------------------
BASE_AFTER_DOCUMENTS: Final = 256  # a start then reads at most some hundred documents one by one
# Of a part: one is read to find an output's inputs, and an indexer keeps the last one that it read
# for each partition.
BASE_PART_BYTES_MAX: Final = 4 * 2**20
BASE_ENTRY_BYTES: Final = 720  # of a segment in a part, to choose what shares a part

# --- the log's time (ADR 0017) -----------------------------------------------------------------
# Format version 2: a clock record that is less than this before the log's time does nothing, so
# that of two twins' records the second has no effect although their clocks differ a little.
CLOCK_STEP_NS_V2: Final = 60 * 10**9
# Format version 2: an append time further than this before the log's time is a broker's wrong
# clock, and its rows count as appended at the log's time: otherwise they would expire at once.
STAMP_BEHIND_NS_V2: Final = 24 * 3600 * 10**9
# Beyond it the log's time is wrong, or the reader's clock is: far more than NTP leaves, and short
# enough that what waits for the clock to catch up has done so before it is missed.
LOG_AHEAD_MAX_NS: Final = 600 * 10**9
# The log is set back further than this only to a time that it has not lived through: rows that
# are dated too early by less lose a day of a retention of weeks, by more they might lose it all.
CLOCK_DOUBT_NS: Final = 24 * 3600 * 10**9
CLOCK_EARLIEST_NS: Final = (
    1_672_531_200 * 10**9
)  # 2023: no log is older, so a clock before is wrong
CLOCK_STEADY_NS: Final = 10**9  # against monotonic time, between two checks: NTP slews less
CLOCK_AGAIN_FIRST_S: Final = 10  # between two clock records of one indexer; doubled each time
CLOCK_AGAIN_MAX_S: Final = 600  # so clocks that disagree for good cost six records an hour
# Set-backs at most this far apart are told as repeated: what has a wrong clock may seldom append.
CLOCK_REPEAT_S: Final = 24 * 3600

# --- embedded log ------------------------------------------------------------------------------
LOG_FILE_BYTES_MAX: Final = 32 * 1024 * 1024  # one range file; retention frees in these steps
APPEND_QUEUE_BYTES_MAX: Final = 64 * 1024 * 1024  # waiting for fsync in one process; then 503
GROUP_COMMIT_RECORDS_MAX: Final = 256  # one transaction stays short for other writers
GROUP_COMMIT_BYTES_MAX: Final = 4 * 1024 * 1024  # bounds a file's overshoot and one fsync's length
READ_BLOCK_BYTES_MAX: Final = 8 * 1024 * 1024  # record bytes read from the log at once

# --- room on the disk ----------------------------------------------------------------------------
RESERVE_BYTES: Final = 64 * 1024 * 1024  # roles, 4 partitions' WALs (8 MB each) and logs at a start
RESERVE_BYTES_MIN: Final = 8 * 1024 * 1024  # lets every role start, if with little to spare
RESERVE_OF_DISK: Final = 20  # a small disk keeps back a twentieth, not most of itself

# --- Kafka log ---------------------------------------------------------------------------------
KAFKA_BATCH_BYTES_MAX: Final = 2 * 1024 * 1024  # the topic's max.message.bytes: a record twice
KAFKA_REQUEST_BYTES_MAX: Final = 8 * 1024 * 1024  # batches of several partitions in one request
KAFKA_PRODUCE_REQUESTS_MAX: Final = 3  # at once to one broker: one waiting for replicas holds none
KAFKA_CONNECTIONS_MAX: Final = 512  # to one broker: one for each partition that is being read
KAFKA_FETCH_WAIT_MS: Final = 500  # one long poll; a stuck broker is noticed soon after
KAFKA_OVERDUE_S: Final = 0.3  # a response later than this triggers a metadata refresh
KAFKA_METADATA_HEDGE_S: Final = 0.3  # without a response the next broker is queried too
KAFKA_METADATA_PAUSE_S: Final = 0.1  # between two refreshes during a fault
KAFKA_METADATA_FRESH_S: Final = 5.0  # between two refreshes without a fault
KAFKA_RETRY_CONNECT_S: Final = 0.25  # a broker that is down is tried again this often

# --- snapshot ----------------------------------------------------------------------------------
DOCUMENT_FETCHES_MAX: Final = 8  # manifests requested at once: hides a store's latency
CLOCK_SKEW_NS: Final = 300 * 10**9  # clocks kept by NTP agree far better; more is a wrong one
CLOCK_STEP_NS: Final = 2 * 24 * 3600 * 10**9  # a longer step needs a witness or an operator's word
CLOCK_STEP_RATE: Final = 24  # hours of cut-off for each hour that a process runs: a day an hour
CLOCK_ASK_S: Final = 60.0  # between two readings of the clocks of servers and other machines
CLOCK_FRESH_NS: Final = 600 * 10**9  # how long a reading of another clock is valid
CLOCK_MEMBERS_MAX: Final = 4  # other machines queried at a time; a few that agree are enough
CLOCK_TIMEOUT_S: Final = 3.0  # for the response of one clock
RUN_MARKS_MAX: Final = 128  # positions of the log whose age is counted: twice an hour for days
LOG_RETENTION_ALARM_SHARE: Final = 0.5  # of the log's keeping time without a snapshot: alarm
LOG_GROWN_ALARM_TIMES: Final = 2  # times the size a covered log is kept at: alarm
RETENTION_DAYS_MAX: Final = 36_500  # of a dataset: a hundred years is for ever enough
# Rows that a rehearsal of a bootstrap hashes anew: several cuts, more than a healthy pair leaves.
REHEARSED_ROWS_MAX: Final = 1_000_000
REHEARSAL_ASK_S: Final = 120.0  # for an indexer's digests of those, while it has other work
REHEARSAL_S_MAX: Final = 12 * 3600.0  # half a day: a bootstrap that takes longer is no way back
UNNAMED_AGE_NS: Final = 24 * 3600 * 10**9  # of an object that is removed: no cut takes so long
# A document names objects that were put before it within this, or they are looked for once more:
# far below the age at which one that nothing names may be removed.
NAMED_WITHIN_NS: Final = 3600 * 10**9
UNNAMED_LISTED_MAX: Final = 100_000  # objects in one list: some 30 MB; the rest is counted
UNNAMED_REMOVED_AT_ONCE: Final = 64  # then documents are read again, and what they name comes back
UNNAMED_COPIES_BYTES_MAX: Final = 256 * 2**20  # of those, copied to this disk before
METADATA_VERSIONS_MAX: Final = 168  # exports kept: a week of hours that changed something
METADATA_ROW_BYTES_MAX: Final = 16 * 1024 * 1024  # a row of an export; queries are far smaller
CHECKPOINTS_KEPT: Final = 4  # of a partition: the newest, and others if it is damaged or stray
LOCAL_COPIES_MAX: Final = 512  # documents of one kind and partition kept on the indexer's own disk
LOCAL_COPIES_BYTES_MAX: Final = 64 * 2**20  # of these, beside the cache of segments
DIVERGENCES_SHOWN_MAX: Final = 100  # of one partition, in status; the object store has them all
VERIFY_LOG_BYTES_MAX: Final = 8 * 2**30  # read of one partition on servers: minutes, not days
VERIFY_BATCHES_MAX: Final = 1_000_000  # ids remembered to find repeats: some 100 MB
PROBLEMS_MAX: Final = 1_000  # in one report of verify; enough for a store that is all damaged
