"""Every limit of Bellwether, one line of reason each (I11).

Limits that are part of a format (they decide what the log means, I3) say so: they may change
only with a new format version.
"""

from typing import Final

# --- one event (contract: the vendor's published limits) ---------------------------------------
EVENT_FIELDS_MAX: Final = 2_000  # members of an event after unpacking; the vendor's limit
EVENT_BYTES_MAX: Final = 1_000_000  # bytes of one event's `data`; the vendor's limit
STACK_CHARS_MAX: Final = 65_536  # of a stack that are read for its signature: a whole string value
STRING_BYTES_MAX: Final = 65_535  # UTF-8 bytes of one string value or key; the vendor's limit
LONG_STRING_BYTES_MAX: Final = 1_000_000  # what a setting may raise it to, for values: an event
TRUNCATED_NAMES_BYTES_MAX: Final = 4_096  # names of cut fields that an event lists, then `…`
FIELD_SHOWN_CHARS_MAX: Final = 100  # of a field's name, in error texts and counts
# Names that unpacking makes of one event: 262 bytes for each of 2,000 fields, which no honest event
# has. Part of format version 1, since an event beyond it in the log is not unpacked.
UNPACKED_NAME_BYTES_MAX: Final = 524_288
NESTING_DEPTH_MAX: Final = 256  # hard parse depth: bounds the stack of every parser we have
EXPAND_DEPTH_MAX: Final = 10  # the vendor's largest `expand_json_depth`
SAMPLE_RATE_MAX: Final = 2**31 - 1  # fits every client's integer; keeps weighted sums in range

# --- one request -------------------------------------------------------------------------------
BATCH_BODY_BYTES_MAX: Final = 5_000_000  # after decompression; what clients split at
EVENT_BODY_BYTES_MAX: Final = 1_000_000  # body of /1/events, after decompression
BATCH_EVENTS_MAX: Final = 100_000  # bounds the reply; a 5 MB body of `{"data":{"a":1}}` fits
OTLP_BODY_BYTES_MAX: Final = 20 * 2**20  # after decompression; the vendor's limit
OTLP_EVENTS_MAX: Final = 250_000  # in 20 MiB, spans with ids, times and a name have 80 bytes each
OTLP_DATASETS_MAX: Final = 1_000  # services of one request: a Collector may gather all of a cluster
# Data of one request's events, each with the attributes of its resource: with the body, half of
# what may be in flight, which is as much as one environment may have.
OTLP_EVENTS_BYTES_MAX: Final = 42 * 2**20
OTLP_NAMED_ITEMS_MIN: Final = 32  # smaller requests are gathered into records: docs/promises.md
OTLP_WORK_UNITS_MAX: Final = 10_000_000  # four times those of a batch, for four times its bytes
OTLP_MENDED_NAMES_MAX: Final = 16  # fields of an item that are named where they are counted
OTLP_VALUE_DEPTH_MAX: Final = 64  # lists and objects within an attribute; deeper ones are null
METRIC_FIELDS_BYTES_MAX: Final = EVENT_BYTES_MAX // 2  # of one event; attributes have as much
METRIC_BUCKETS_MAX: Final = STRING_BYTES_MAX // 2  # of one histogram: a count and a comma each
METRIC_QUANTILES_MAX: Final = 1_000  # of one summary: each is a field
METRIC_EXEMPLARS_MAX: Final = 256  # of one data point: SDKs send one per bucket, at most 160
BODY_NESTING_MAX: Final = 100_000  # deeper, the whole body is refused; an event far earlier
# Units of close reading per body, of two microseconds each. An honest body of 5 MB that has to be
# read closely in whole (because one value in it is NaN, and without the compiled splitter) takes
# 1 to 2 million; the compiled splitter needs next to none.
BODY_WORK_UNITS_MAX: Final = 2_500_000
DATASET_DESCRIPTION_CHARS_MAX: Final = 1_024  # the vendor's limit
COLUMN_TEXT_CHARS_MAX: Final = 255  # of a column's name and of its description: the vendor's limits
MANAGEMENT_BODY_BYTES_MAX: Final = 100_000  # the vendor's limit for everything that is not ingest
BATCH_ID_CHARS_MAX: Final = 128  # room for a UUID or a hash with a prefix
DATASET_NAME_CHARS_MAX: Final = 255  # the vendor's limit

HEADER_LINE_BYTES_MAX: Final = 16_384  # room for long receipts and tokens, not for abuse
HEAD_BYTES_MAX: Final = 65_536  # of all lines together: four of the longest
HEADERS_MAX: Final = 128  # clients send a dozen, chains of proxies a few dozen
CHUNKS_MAX: Final = 10_000  # of a body in chunks, and one more for every
CHUNK_BYTES_MIN: Final = 16  # bytes: smaller chunks throughout cost more work than what they bring
HEAD_READ_TIMEOUT_S: Final = 15.0  # a connection without a whole request head is closed
BODY_READ_TIMEOUT_S: Final = 30.0  # a body that trickles in gives its memory back
BODY_RATE_GRACE_S: Final = 5.0  # no bytes need come for this long: a radio wakes up, lost packets
BODY_BYTES_PER_S_MIN: Final = 1_000  # from then on, on average: the worst mobile links carry more
# What compressing may add to a body that cannot be made smaller: a thousandth and some headers.
ENCODING_SHARE: Final = 1_000
ENCODING_BYTES_MAX: Final = 1_024
# Requests for query roles whose bodies are still coming: 50 MB of them, each small.
PROXIED_BODIES_MAX: Final = 512
# Slots of requests for query roles that one environment or key may hold for each one that is free:
# two thirds and half of all for one that is alone, and some are always left for others.
PROXIED_ENV_PER_FREE: Final = 2.0
PROXIED_KEY_PER_FREE: Final = 1.0
ANSWER_WRITE_TIMEOUT_S: Final = 60.0  # a client that reads nothing for this long is disconnected
OFF_LOOP_BODY_BYTES: Final = 32_768  # larger bodies are decoded in a thread: the loop stays quick
OFF_LOOP_KERNEL_BYTES: Final = 262_144  # with the compiled splitter, that takes as long as a thread
ON_LOOP_WORK_UNITS_MAX: Final = 2_000  # 4 ms of close reading; beyond, a body gets a thread
ON_LOOP_REFUSED_MAX: Final = 256  # refused events that are described on the loop; likewise
ANSWER_ERRORS_BYTES_MAX: Final = 2_000_000  # of one batch's response; then only their rules
DECODE_THREADS: Final = 2  # of their own: hostile bodies keep them busy, not the whole process
DECODE_THREADS_KEPT: Final = 2  # beside those, for environments of which none is being read
DECODES_WAITING_MAX: Final = 2_048  # bodies that wait for those threads, of all environments
DECODES_WAITING_ENV_MAX: Final = 512  # of one environment: seconds of honest large bodies
DECODE_WAITING_ENV_BYTES_MAX: Final = 64 * 1024 * 1024  # as they came: half of what is in flight
DECODE_WAIT_S: Final = 15.0  # a body that waits longer is refused: its client has given up by then

# --- alarms --------------------------------------------------------------------------------------
ALARM_NOTICES_MAX: Final = 1_000  # that wait for a receiver; the oldest go first, counted
ALARM_POST_WAIT_S_MAX: Final = 300.0  # between attempts: a receiver that is back gets them soon
# An alarm of an earlier process counts as over when this one, having had time to check every
# partition, has not raised it.
COPIES_ALARM_S: Final = 60.0  # a restart of an indexer takes less
ALARM_SETTLE_S: Final = 600.0

# --- connections ---------------------------------------------------------------------------------
OPEN_FILES_MAX: Final = 65_536  # what a role raises its own limit to, where the system lets it
CONNECTIONS_MAX: Final = 8_192  # of one listener: some 500 MB if each has its read buffer full
CONNECTIONS_MIN: Final = 8  # of one listener, however few files may be open
ANSWER_STALL_S: Final = 60.0  # a client that reads nothing for this long is gone; 1 kB/s is enough
TLS_HANDSHAKE_TIMEOUT_S: Final = 10.0  # two round trips, on the worst links some seconds
TLS_SHUTDOWN_TIMEOUT_S: Final = 5.0  # the client's own goodbye is a courtesy

# --- OTLP over gRPC ------------------------------------------------------------------------------
GRPC_CONNECTIONS_MAX: Final = 1_024  # an exporter keeps one; this is no bound per address
GRPC_STREAMS_MAX: Final = 100  # calls at once on a connection: as many as RFC 9113 recommends
GRPC_PENDING_MAX: Final = 4_096  # calls that nobody has looked at; each has 64 KiB of its message
# Messages that are received at once, each of up to 20 MiB: one for so many bytes that may be in
# flight, so 16 of them. Others wait unread. Small ones are there when they are asked for: only slow
# senders of large ones wait for each other.
GRPC_BYTES_PER_MESSAGE: Final = 8 * 2**20
GRPC_MESSAGES_MIN: Final = 6
GRPC_MESSAGES_KEPT: Final = 3  # of those, for environments of which none is being received
GRPC_MESSAGES_KEY_KEPT: Final = 2  # and for keys
GRPC_MESSAGES_WAITING_MAX: Final = 2_048  # each has 64 KiB of its message
GRPC_MESSAGES_WAITING_ENV_MAX: Final = 512
GRPC_TURN_WAIT_S: Final = 15.0  # then the client is told to repeat the call
GRPC_IDLE_S: Final = 300.0  # a connection without a call is closed; exporters of metrics: each 60 s
GRPC_KEEPALIVE_S: Final = 60.0  # then a silent client is asked whether it is still there
GRPC_KEEPALIVE_TIMEOUT_S: Final = 20.0
GRPC_PING_INTERVAL_S: Final = 5.0  # clients that ask more often are disconnected

# --- own telemetry -----------------------------------------------------------------------------
TELEMETRY_QUEUE_EVENTS_MAX: Final = 4_096  # some seconds of all events of a role
TELEMETRY_BATCH_EVENTS_MAX: Final = 1_024  # sent at once
TELEMETRY_BODY_BYTES_MAX: Final = 2_000_000  # a batch of those with room for long texts
SUMMARY_GROUPS_MAX: Final = 500  # (key, dataset, rule or status) groups summed up per second
REFUSAL_SAMPLES_MAX: Final = 3  # error texts kept per group

# --- keys and metadata (I8) ----------------------------------------------------------------------
KEY_CHARS_MAX: Final = 256  # the longest key form is 64; anything far longer is not a key
KEY_CACHE_ENTRIES_MAX: Final = 10_000  # some 10 MB of memory at worst; keys per process
KEY_FRESH_S: Final = 30  # then looked up again: a revoked key stops well within 60 s
KEY_UNASKED_S: Final = 55  # a known key is usable this long without a lookup: below a minute
KEY_STALE_S: Final = 24 * 3600  # how long known keys serve without metadata
KEY_UNKNOWN_S: Final = 5  # a key that was just created works within this
KEYS_PER_ENVIRONMENT_MAX: Final = 1_000  # valid ones made over HTTP; each is in every cache
KEY_EVENTS_MAX: Final = 10**12  # of a key per second or day: beyond it there is no limit
KEY_LOOKUPS_MAX: Final = 256  # at once: a flood of made-up keys cannot pile up
METADATA_TIMEOUT_S: Final = 2.0  # a request waits no longer for metadata
# Of an environment. Each costs a segment and its fsyncs in each cut, some memory in every role, and
# a line in every list: beyond a thousand, what tells events apart should be a field of theirs.
DATASETS_MAX_DEFAULT: Final = 1_000
DATASET_CACHE_ENTRIES_MAX: Final = 10_000  # datasets per process
DATASET_NAME_FRESH_S: Final = 5  # a query role asks again what dataset a name means
DATASET_LISTS_KEPT: Final = 100  # environments whose list of datasets a query role remembers
DATASET_FRESH_S: Final = 20  # a changed depth is seen within about this
DATASET_WAIT_S: Final = 0.5  # a new dataset waits this long to be registered, then continues
METADATA_RETRY_S: Final = 5  # after a failure known keys are served without asking for this long

# --- placing records -----------------------------------------------------------------------------
DATASET_RATES_MAX: Final = 1_000  # datasets whose rate and order one shepherd remembers
DATASET_PARTITIONS_MIN: Final = 3  # one for each zone's broker, however small a dataset is
PARTITION_BYTES_PER_S: Final = 262_144  # of one dataset through one shepherd; more spreads further
APPEND_ATTEMPTS_MAX: Final = 4  # for one record, refusals left out
APPEND_REFUSALS_MAX: Final = 6  # of one record; they come at once, but more would not help
ABANDONED_BYTES_MAX: Final = 64 * 1024 * 1024  # appends no client waits for; then no more copies
CONDITIONAL_WINDOW_S: Final = 60  # conditional records are counted over this time
CONDITIONALS_MAX: Final = 10_000  # conditional records per window and shepherd; then 503
PROBES_MAX: Final = 64  # heartbeats under way at once

# --- records (format version 1) ----------------------------------------------------------------
RECORD_RAW_BYTES_MAX: Final = 1_000_000  # event bytes gathered into one record before zstd
# Lines of a record up to here are left as they are within its frame: compressing and decompressing
# them twice costs at least 15 ns of CPU per byte saved, mostly for tables (ADR 0012).
RECORD_STORED_BYTES_MAX: Final = 1_024
RECORD_DECODED_BYTES_MAX: Final = 2_500_000  # guard while decoding: one event + its envelope twice

NAMED_CHUNK_EVENTS_MAX: Final = 5_000  # keeps lines within the record limit for tiny events

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

# --- role processes ------------------------------------------------------------------------------
ROLE_THREADS_MAX: Final = 32  # most of them wait for a server; cores are shared by few at a time
STORE_UPKEEP_THREADS_MAX: Final = 4  # beside the next, for deletions of many partitions
STORE_THREADS_MAX: Final = 16  # calls to the object store at once, beside the fetching of segments
KEPT_FREE_BYTES_MAX: Final = 67_108_864  # freed memory an arena of an indexer keeps: about one cut
KEPT_BLOCK_BYTES_MAX: Final = 16_777_216  # larger blocks are given back: a column is smaller
KEPT_ARENAS_MAX: Final = 4  # so 256 MiB at most; few threads allocate much at the same time
KEPT_FREE_BYTES_SMALL: Final = 8_388_608  # `up --small`: a machine that has no memory to spare
KEPT_ARENAS_SMALL: Final = 2  # one for the event loop's thread, one for all others
GIVE_BACK_LOOK_S: Final = 5.0  # between checks whether freed memory should go back to the system
GIVE_BACK_GROWN_BYTES: Final = 100 * 2**20  # it goes at once when memory has grown so much
GIVE_BACK_LOOKS: Final = 3  # else at every third look: under load some 0.3 % of CPU for new pages

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

# --- queries -----------------------------------------------------------------------------------
QUERY_LIST_ITEMS_MAX: Final = 100  # calculations, filters, breakdowns, orders; the vendor's limit
QUERY_LIMIT_DEFAULT: Final = 100  # groups returned; the vendor's default
QUERY_LIMIT_MAX: Final = 1_000  # with series
QUERY_LIMIT_NO_SERIES_MAX: Final = 10_000  # without series
GROUP_COUNTS_MAX: Final = 1_000  # breakdowns whose number of groups a query role remembers
# Groups times steps up to which totals are made of the series: some milliseconds of arrays.
SERIES_AT_ONCE_CELLS_MAX: Final = 50_000
SERIES_POINTS_MAX: Final = 1_000  # steps of a series (the vendor allows range/1000)
SHARE_TIMES_KEPT: Final = 256  # durations of recent shares, for the usual one
HEDGES_PER_SHARE: Final = 0.1  # hedges allowed for each share that is answered: 10 % more work
HEDGES_AT_ONCE_MAX: Final = 10.0  # saved up while nothing is slow; an indexer that hangs uses them
HEDGE_S_MIN: Final = 0.05  # the shortest hedge delay: ordinary jitter is no slowness
HEDGE_WAIT_S_MAX: Final = 1.0  # added to the delay where a share waits for a position
SUSPECT_S: Final = 5  # an unresponsive indexer is the last choice for this long
# Between looks whether a caller has hung up, at a query role and at an indexer: the computation
# stops within 200 ms, and one that takes long pays a thousandth of a core for it.
HANG_UP_CHECK_S: Final = 0.02
CONNECT_TIMEOUT_S: Final = 1.0  # to an indexer; an address that swallows packets is gone
LIVENESS_PROBE_S: Final = 1.0  # between probes of the process that computes a slow share
LIVENESS_TIMEOUT_S: Final = 2.0  # a busy process responds to /healthz in far less
LIVENESS_FAILURES_MAX: Final = 2  # a single failure may be a pause of the machine
CLAIMS_WAIT_S: Final = 0.25  # for a fresh list of the claims; then the last one is used
SHARE_ROWS_MAX: Final = 2_000_000  # groups times steps of one share; bounds merging memory
# Disk of one share beyond its memory, in MB: 10 M groups fit, and all shares together leave most
# of a small disk free.
SHARE_SPILL_MB_MAX: Final = 2_048
SHARE_INLINE_BYTES_MAX: Final = 65_536  # decoded on the event loop: less work than a thread's turn
SHARE_BYTES_MAX: Final = 256 * 1024 * 1024  # one share's response; of a query: `query.states_mb`
# States of one query in a query role that do not count against the others' room: questions of a
# screen need some kilobytes, and all that may run hold 8 MiB together.
STATES_UNCOUNTED_BYTES: Final = 2**20
STATES_RETRY_S: Final = 2  # states are held while a query runs: few take longer
DISTINCT_EXACT_MAX: Final = 8_192  # hashes kept per group: exact up to here, then 1.1 % std error
QUANTILE_EXACT_PAIRS_MAX: Final = 16_384  # (group, value) pairs kept exact; then buckets
QUANTILE_RELATIVE_ERROR: Final = 0.005  # of a bucket's middle; part of the answer's definition
FILTER_VALUES_MAX: Final = 1_000  # values of one in / not-in filter
FILTER_PATTERN_CHARS_MAX: Final = 1_000  # of a regular expression: RE2 needs memory to compile it
# With its repetitions written out: RE2 takes some 30 ms of a core to compile the largest, not 1 s.
FILTER_PATTERN_SIZE_MAX: Final = 2_000
# Groups of conditions within each other. Parentheses of the text form are fewer: each may need a
# group for AND, for OR and for NOT.
FILTER_DEPTH_MAX: Final = 32
QUERY_TEXT_DEPTH_MAX: Final = 8
QUERY_TEXT_CHARS_MAX: Final = 65_536  # of a query as people type it; a list of 1,000 ids fits
# Stored queries written and read at once: a role's threads are not all taken by one key's.
QUERY_METADATA_CALLS_MAX: Final = 8
ROLES_WAIT_S: Final = 3.0  # for the locks, when the status asks which roles run
MEMBERS_LOOK_S: Final = 2.0  # between listings of who must know a document before it is written
MEMBER_SEEN_NS: Final = 86_400 * 10**9  # the time in the roster is refreshed so often
MEMBER_FORGOTTEN_NS: Final = 7 * 86_400 * 10**9  # a zone that is down for days comes back
ROSTERS_KEPT: Final = 16  # documents; only the newest is used, the others are for people
ROSTER_READ_S: Final = 60.0  # what others opened is noticed so soon, for 1,440 listings a day
MEMBERS_FRESH_S: Final = 15.0  # an older list does not tell: some listings fail, or wait for locks
ROLES_LOOK_S: Final = 10.0  # between listings: the last one is no older when locks fail
QUERIES_KEPT_FREE: Final = 1  # of those that run: for an environment that runs none, at once
# A thread that merges gives way after this when the event loop wants to run: one request takes
# dozens of its turns, and with Python's 5 ms each of them would wait so long.
QUERY_SWITCH_S: Final = 0.001
MERGES_MAX: Final = 3  # queries merged at once: one, one of another key, one of another environment
SHARES_KEPT_FREE: Final = 1  # likewise, of the shares that an indexer computes
# Of the others, likewise for a key that has none: of queries, of merges and of an indexer's shares.
KEY_KEPT_FREE: Final = 1
# Of the threads that compute shares. Where processors are busy, a thread that acknowledges or
# indexes gets three times as much as one of these: people wait for an answer, and clients give up.
# It is not more because a share that holds the interpreter for a moment delays its indexer's loop.
SHARE_NICENESS: Final = 5
# Places of shares in an indexer, running or waiting, that one environment or key may hold for each
# one that is free: three quarters or two thirds while it is alone.
SHARES_ENV_PER_FREE: Final = 3.0
SHARES_KEY_PER_FREE: Final = 2.0
QUERY_RESULTS_MAX: Final = 1_000  # results kept in memory by one query role
QUERY_RESULTS_BYTES_MAX: Final = 256 * 1024 * 1024  # their encoded size together
# A query whose result no client asks for is ended after this, running or waiting: a client that
# polls at the vendor's limit of ten requests a minute asks three times within it.
QUERY_UNPOLLED_S: Final = 20
QUERY_WAIT_S_MAX: Final = 60  # longest wait for an inline answer or for read-your-writes
# Pairs of steps that ran at once which one question compares: some seconds. And how many parents
# above a step are looked at to tell whether it is part of another: deeper ones count as overlaps.
FLOW_OVERLAPS_MAX: Final = 20_000_000
FLOW_DEPTH_MAX: Final = 256
TRACE_SKEW_MS_DEFAULT: Final = 10.0  # clocks that NTP keeps differ by less
# Spans of batch work last minutes; a span that is open for longer without any sign of life is more
# often dead than alive. The caller may state another time.
TRACE_SILENT_S_DEFAULT: Final = 600.0
# Traces whose typical one is compared with another, and the spans of all of them: comparing so many
# takes some seconds and some 200 MB.
COMPARED_TRACES_MAX: Final = 30
COMPARED_SPANS_MAX: Final = 200_000
COMPARED_LISTED_DEFAULT: Final = 100  # differences of an answer
COMPARED_LISTED_MAX: Final = 10_000
FLOW_LISTED_DEFAULT: Final = 100  # rows of each list of an answer
FLOW_LISTED_MAX: Final = 10_000
QUERY_RANGE_S_DEFAULT: Final = 7_200  # seconds; the vendor's default
ROWS_LIMIT_DEFAULT: Final = 100  # events of one page: what a person looks at
ROWS_LIMIT_MAX: Final = 10_000  # of one page: with the usual 500 bytes each, 5 MB
# Data of one page and of one share: three of the largest events there can be fit, and a query role
# that runs 8 of them over 8 indexers holds 512 MiB at the very most.
ROWS_BYTES_MAX: Final = 8 * 2**20
ROWS_FIELDS_MAX: Final = 2_000  # names of fields in one query: as many as an event may have
# Spans or traces that one question may gather, and their bytes: joining and sorting them takes a
# query role some seconds and three times the bytes.
SPANS_MAX: Final = 2_000_000
SPANS_BYTES_MAX: Final = 64 * 2**20
# Traces that a search found and names by their ids, by which files are left out; more are joined as
# keys. An id is some values of each statement, which take DuckDB as long as a small table of keys.
TRACES_NAMED_MAX: Final = 20
TRACES_LIMIT_DEFAULT: Final = 20  # traces that a search returns: what a person looks through
TRACES_LIMIT_MAX: Final = 1_000
# Body of a request for a share with keys of traces and spans: all that one question may gather,
# and the plan beside it. An indexer holds two of those that are more than a usual request at once.
SHARE_BODY_BYTES_MAX: Final = SPANS_BYTES_MAX + 4 * 2**20
LARGE_BODY_BYTES: Final = 2**20
LARGE_BODIES_MAX: Final = 2
LARGE_BODY_WAIT_S: Final = 30.0  # for its turn: as long as a query may take
# Traces that one question may name by their ids: each becomes a condition of every statement.
TRACE_IDS_MAX: Final = 100
ZIPKIN_SPANS_MAX: Final = 20_000  # events of one answer of Zipkin's API: its page shows no more
ZIPKIN_NAMES_MAX: Final = 10_000  # of one list: its page and Grafana's show them in a menu
ZIPKIN_CALLS_MAX: Final = 200_000  # spans of a graph of dependencies: a second of work, 100 MB
SUGGEST_NAMES_MAX: Final = 20_000  # names that are compared to find those near to an unknown one
FIELDS_DETAILED_MAX: Final = 200  # fields of one response with share and samples: a scan of each
FIELDS_DETAILED_DEFAULT: Final = 100
FIELD_SAMPLES_MAX: Final = 20  # values of a field that one answer shows: what a shell completes
FIELD_SAMPLE_CHARS_MAX: Final = 120  # of a sample: the beginning of a stack trace is enough
FIELD_PATTERN_CHARS_MAX: Final = 1_000  # of a pattern that names of fields are compared with
