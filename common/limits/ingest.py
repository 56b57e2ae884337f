"""Limits of events, requests and records, up to the log."""

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
# Requests without a key: of an address at most half. A browser loads some files of the page at
# once, people behind one proxy are one address, and a slow one holds a slot until it has its file.
PROXIED_OPEN_MAX: Final = 128
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
