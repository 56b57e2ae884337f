"""Limits of queries and of their answers."""

from typing import Final

# --- queries -----------------------------------------------------------------------------------
QUERY_LIST_ITEMS_MAX: Final = 100  # calculations, filters, breakdowns, orders; the vendor's limit
QUERY_LIMIT_DEFAULT: Final = 100  # groups returned; the vendor's default
QUERY_LIMIT_MAX: Final = 1_000  # with series
QUERY_LIMIT_NO_SERIES_MAX: Final = 10_000  # without series
# An event counts by its end if that is at most so long after it arrived: clocks differ, and what is
# known of segments without a summary is when their events arrived.
ENDS_AHEAD_MAX_NS: Final = 3_600 * 10**9
STORED_NAMES_PART: Final = 0.25  # of a query's time: an indexer that takes longer is done without
FIELDS_DATASETS_AT_ONCE: Final = 8  # of all datasets, that are asked for their fields at once
STORED_NAMES_ASKED_AT_ONCE: Final = 8  # datasets that are asked whether events have root.name
GROUP_COUNTS_MAX: Final = 1_000  # breakdowns whose number of groups a query role remembers
# Groups times steps up to which totals are made of the series: some milliseconds of arrays.
SERIES_AT_ONCE_CELLS_MAX: Final = 50_000
COMPARE_OFFSET_S_MAX: Final = 100 * 366 * 86_400  # a comparison with a hundred years ago
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
# Conditions of the filters of all calculations of a query: each is computed for every row.
CALCULATION_CONDITIONS_MAX: Final = 500
# Spans that began so long before a short range count as open in it: longer than requests and most
# jobs take. Of longer ranges it is their own length.
OPEN_BEFORE_S_MIN: Final = 3_600
# Bins of all heatmaps of an answer's totals, or of its series: some 70 MB of JSON.
HEATMAP_SHOWN_BINS_MAX: Final = 1_000_000
HEATMAP_BINS_MAX: Final = 50  # of one answer: what a page or a terminal has rows for
# Of one share and of one question (PER): each is a row in the query role's memory meanwhile.
INSTANCES_MAX: Final = 2_000_000
INSTANCES_MEMORY_MB: Final = 512  # of the query role's database, while it computes over instances
FILTER_VALUES_MAX: Final = 1_000  # values of one in / not-in filter
FILTER_PATTERN_CHARS_MAX: Final = 1_000  # of a regular expression: RE2 needs memory to compile it
# With its repetitions written out: RE2 takes some 30 ms of a core to compile the largest, not 1 s.
FILTER_PATTERN_SIZE_MAX: Final = 2_000
# Groups of conditions within each other. Parentheses of the text form are fewer: each may need a
# group for AND, for OR and for NOT.
FILTER_DEPTH_MAX: Final = 32
# Texts that one question searches for: each is looked for in every text column of every segment.
SEARCHES_MAX: Final = 8
SEARCH_CHARS_MAX: Final = 1_000  # of one: a line of a log or of a stack trace
QUERY_TEXT_DEPTH_MAX: Final = 8
QUERY_TEXT_FAULTS_MAX: Final = 10  # faults that are named at once: more are rarely independent
FORMULA_DEPTH_MAX: Final = 10  # formulas that use each other, as the vendor has it for fields
FORMULA_MEMORY_MB: Final = 512  # to compute formulas of one query: of 2 M rows some take 200
EXPRESSION_CHARS_MAX: Final = 4_095  # of a calculated field or a formula; the vendor's limit
# Calls within each other: far more than a person writes, and a walk over them recurses ten times as
# deep at most, which Python allows.
EXPRESSION_DEPTH_MAX: Final = 50
# SELECTs within each other that the calculated fields of one question become: a person's need 3,
# and DuckDB takes 60 ms to bind 100.
EXPRESSION_LAYERS_MAX: Final = 100
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
# JSON of a result that is put into the object store: one of 1,000 groups and 1,000 steps. Larger
# ones stay with the role that computed them.
RESULT_OBJECT_BYTES_MAX: Final = 128 * 2**20
RESULT_OBJECT_BYTES_MIN: Final = 4_096  # what a small one counts: a listing has a line for each
RESULT_STORE_THREADS: Final = 3  # that put results, and likewise that read them: a store may hang
RESULTS_WAITING_MAX: Final = 64  # to be put, read or converted; their bodies are in memory anyway
RESULT_READ_S: Final = 10.0  # a client that polls asks again
RESULTS_CLOSE_S: Final = 5.0  # for what is being put when a role stops
RESULTS_REFRESH_S: Final = 900.0  # between counts of what environments have: a listing of all
HISTORY_LIMIT_DEFAULT: Final = 50  # questions of a page: what a screen shows
HISTORY_LIMIT_MAX: Final = 1_000  # with 4,000 characters each, 4 MB
QUESTION_CHARS_MAX: Final = 4_000  # kept of what was asked: a page of text
QUESTION_ERROR_CHARS_MAX: Final = 500  # kept of why it failed, of a dataset's and a client's name
QUESTION_FIELDS_MAX: Final = 200  # whose names are kept of a question
RATED_KEYS_MAX: Final = 10_000  # keys whose queries of the last minute are counted
RESULTS_REMOVED_AT_ONCE: Final = 10_000  # objects of one day: some minutes of an object store
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
PAGE_BYTES_MAX: Final = 16 * 2**20  # of the page's files in memory, which have less than 1 MiB
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
# To look up fields that no event of an answer has: a note is not worth more than the answer took.
UNKNOWN_FIELDS_S: Final = 1.0
SUGGEST_NAMES_MAX: Final = 20_000  # names that are compared to find those near to an unknown one
FIELDS_DETAILED_MAX: Final = 200  # fields of one response with share and samples: a scan of each
FIELDS_DETAILED_DEFAULT: Final = 100
FIELD_SAMPLES_MAX: Final = 20  # values of a field that one answer shows: what a shell completes
FIELD_SAMPLE_CHARS_MAX: Final = 120  # of a sample: the beginning of a stack trace is enough
FIELD_PATTERN_CHARS_MAX: Final = 1_000  # of a pattern that names of fields are compared with
