"""Every metric of Bellwether, declared once: name, unit, labels and what to do about it.

The docs' metrics page is generated from here. Names follow Prometheus: `bellwether_<what>_<unit>`.
"""

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()
_counter = partial(Counter, registry=REGISTRY)
_gauge = partial(Gauge, registry=REGISTRY)
_histogram = partial(Histogram, registry=REGISTRY)
_LATENCY_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

requests_total = _counter(
    "bellwether_requests",
    "API requests answered; route `unreadable`: refused at their head.",
    ["route", "status"],
)
connections_open = _gauge(
    "bellwether_connections_open",
    "Connections that a listener (`public`, `internal`) has open.",
    ["listener"],
)
connections_refused_total = _counter(
    "bellwether_connections_refused",
    "Connections refused: `all` or `address` has as many as it may, all with requests being "
    "answered (raise the limit of open files, or `shepherd.connections_max` and "
    "`shepherd.connections_per_address_max`); `descriptors`: no file can be opened, find out what "
    "holds so many.",
    ["listener", "why"],
)
events_accepted_total = _counter(
    "bellwether_events_accepted", "Events acknowledged after the log had them."
)
events_refused_total = _counter(
    "bellwether_events_refused",
    "Events refused, by rule; samples are in the `bellwether` dataset.",
    ["rule"],
)
events_mended_total = _counter(
    "bellwether_events_mended",
    "Fields of stored events that are not stored as they were sent, by rule: strings that were cut,"
    " numbers that were dropped, sample rates taken for another; which ones is in the `bellwether`"
    " dataset.",
    ["rule"],
)
ack_seconds = _histogram(
    "bellwether_ack_seconds",
    "Time from a request's last byte to its acknowledgement.",
    buckets=_LATENCY_S,
)
log_append_seconds = _histogram(
    "bellwether_log_append_seconds",
    "Time of one append, group commit and fsync included.",
    buckets=_LATENCY_S,
)
log_broker_failures_total = _counter(
    "bellwether_log_broker_failures",
    "Requests to a broker of the log that failed or got no answer in time, by broker and error.",
    ["broker", "error"],
)
log_inflight_bytes = _gauge(
    "bellwether_log_inflight_bytes",
    "Bytes of records on their way to the log; at `kafka.total_bytes_max` appends are refused.",
)
placement_appends_total = _counter(
    "bellwether_placement_appends",
    "Appends by partition and how they ended; `unknown`: may or may not be in the log.",
    ["partition", "outcome"],
)
placement_avoided = _gauge(
    "bellwether_placement_avoided",
    "1 while a broker or partition is avoided; why: `bellwether status`.",
    ["kind", "name"],
)
placement_avoided_total = _counter(
    "bellwether_placement_avoidances",
    "Times that a broker or partition was avoided. One that comes often is unwell.",
    ["kind", "name"],
)
placement_pressed = _gauge(
    "bellwether_placement_pressed",
    "1 while the whole log is slow or stuck and requests are pushed back (I11). Look at the log.",
)
placement_pushed_back_total = _counter(
    "bellwether_placement_pushed_back",
    "Requests answered 503 because the log takes no more (I11).",
)
placement_in_flight_bytes = _gauge(
    "bellwether_placement_in_flight_bytes",
    "Record bytes sent to a partition and not acknowledged yet.",
    ["partition"],
)
placement_latency_seconds = _gauge(
    "bellwether_placement_latency_seconds",
    "Recent append latency of a broker as this shepherd sees it.",
    ["broker", "quantile"],
)
probes_total = _counter(
    "bellwether_probes",
    "Heartbeats sent to see whether a broker or partition is well.",
    ["broker", "outcome"],
)
reroutes_total = _counter(
    "bellwether_reroutes",
    "Conditional copies written: `unknown` after an append without an answer, `named` because a "
    "named batch's first partition is avoided or did not answer.",
    ["reason"],
)
reroutes_capped_total = _counter(
    "bellwether_reroutes_capped", "Copies not written because too many questions are open (I11)."
)
telemetry_dropped_total = _counter(
    "bellwether_telemetry_dropped", "Own events dropped: the queue was full."
)
column_facts_dropped_total = _counter(
    "bellwether_column_facts_dropped",
    "Facts of metrics' columns that were not stored: metadata fails, or there is no room.",
)
key_cache_stale_total = _counter(
    "bellwether_key_cache_stale",
    "Requests let in by a stale key entry: metadata does not answer (I8). Look at metadata.",
)
indexed_rows_total = _counter(
    "bellwether_indexed_rows",
    "Rows turned into columns.",
    ["partition"],
)
kernel_active = _gauge(
    "bellwether_kernel_active",
    "1 while the role's compiled kernel (an indexer's shredder and segment writer, a shepherd's "
    "splitter and its decoder of OTLP) serves, 0 while the reference does (slower, same results).",
    ["kernel"],
)
kernel_waited_seconds_total = _counter(
    "bellwether_kernel_waited_seconds",
    "Seconds that partitions' replays and large cuts waited, after the start of an indexer, for "
    "compiled code to load from its cache (at most `indexer.kernel_wait_ms` each).",
)
kernel_events_handed_total = _counter(
    "bellwether_kernel_events_handed",
    "Events (or broken bodies) that the compiled kernel handed to the reference: bad ones, "
    "and ones it cannot hold.",
)
duplicate_records_total = _counter(
    "bellwether_duplicate_records",
    "Records dropped because their batch id was there before (I2).",
    ["partition"],
)
voided_records_total = _counter(
    "bellwether_voided_records",
    "Records that landed late and count in another partition instead (I2).",
    ["partition"],
)
undecided_batches = _gauge(
    "bellwether_undecided_batches",
    "Rerouted batches of the partition that wait for another partition's decision. Many for "
    "long: look at the partitions that the status names.",
    ["partition"],
)
undecided_oldest_s = _gauge(
    "bellwether_undecided_oldest_s",
    "Age of the oldest rerouted batch that is undecided.",
    ["partition"],
)
reroute_answers_total = _counter(
    "bellwether_reroute_answers",
    "Answers to other partitions' questions: drop (the batch is here), keep (it never will be), "
    "unanswered (a list of batch ids is missing: run `bellwether verify`).",
    ["partition", "answer"],
)
set_aside_records_total = _counter(
    "bellwether_set_aside_records",
    "Records that could not be read; their positions are in the manifest. Investigate.",
    ["partition"],
)
damaged_records = _gauge(
    "bellwether_damaged_records",
    "Damaged records whose events are missing from answers, which say so: run `bellwether damage`.",
    ["partition"],
)
given_up_records = _gauge(
    "bellwether_given_up_records",
    "Damaged records that an operator has counted as lost (`bellwether damage settle`).",
    ["partition"],
)
lag_records = _gauge(
    "bellwether_lag_records",
    "Records between the log's end and what is indexed.",
    ["partition"],
)
reading_paused = _gauge(
    "bellwether_reading_paused",
    "1 while live rows take all the memory they may and the partition is not read.",
    ["partition"],
)
live_rows = _gauge(
    "bellwether_live_rows",
    "Rows not yet in a published segment.",
    ["partition"],
)
cuts_total = _counter("bellwether_cuts", "Cuts made.", ["partition"], registry=REGISTRY)
cut_objects_total = _counter(
    "bellwether_cut_objects",
    "Objects of published cuts: packs, and segments that are objects of their own.",
    ["partition"],
)
divergence_total = _counter(
    "bellwether_divergence",
    "Digests of twins that differ (I3). An alarm: both versions are kept.",
    ["partition"],
)
damaged_objects_total = _counter(
    "bellwether_damaged_objects", "Files or objects whose checksum did not match; never served."
)
mended_objects_total = _counter(
    "bellwether_mended_objects",
    "Segment objects that were damaged or missing and were put again, by where their bytes were "
    "taken from: a cache of this machine, a twin, or the log.",
    ("source",),
)
query_seconds = _histogram(
    "bellwether_query_seconds",
    "Time of one query.",
    buckets=_LATENCY_S,
)
share_seconds = _histogram(
    "bellwether_share_seconds",
    "Time of one indexer's share, as the query role saw it.",
    buckets=_LATENCY_S,
)
results_shared_total = _counter(
    "bellwether_results_shared",
    "Finished results of queries, by what became of them in the object store, where other query "
    "roles find them: `stored`; `no room`: today's results of the environment fill its share "
    "(`query.results_env_mb`); `too large`; `failed`: the store does not answer, or too many wait.",
    ["outcome"],
)
query_state_bytes = _gauge(
    "bellwether_query_state_bytes",
    "Memory for what indexers have sent for queries that run (`query.states_mb`), beyond the first "
    "MiB of each.",
)
shares_running = _gauge(
    "bellwether_shares_running", "Shares of queries that this indexer computes now."
)
share_hedges_total = _counter(
    "bellwether_share_hedges",
    "Shares that were slow. won, lost: the twin was asked too, and was first or not; refused: the "
    "budget was used up, look for a slow indexer.",
    ["outcome"],
)
share_failovers_total = _counter(
    "bellwether_share_failovers",
    "Shares asked of another indexer because the first was gone, refused, or was silent.",
    ["why"],
)
gaps_total = _counter(
    "bellwether_gaps",
    "Stretches of the log that were lost before they were indexed (I5). An alarm.",
    ["partition"],
)
partition_failures_total = _counter(
    "bellwether_partition_failures",
    "Times that a partition failed and was resumed from its newest manifest; see the log.",
    ["partition"],
)
compactions_total = _counter(
    "bellwether_compactions",
    "Objects that this indexer has put together from several segments, by partition.",
    ["partition"],
)
compacted_rows_total = _counter(
    "bellwether_compacted_rows",
    "Rows in these objects; over the rows indexed, how often compaction writes a row again.",
    ["partition"],
)
compaction_seconds_total = _counter(
    "bellwether_compaction_seconds", "Processor time of compaction."
)
compaction_waiting = _gauge(
    "bellwether_compaction_waiting",
    "Objects that are to be put together and are not yet; if it stays, `bellwether status` says "
    "what it waits for (`indexer.compaction_percent`, `indexer.compaction_requests_per_day`).",
    ["partition"],
)
compaction_failures_total = _counter(
    "bellwether_compaction_failures",
    "Steps of compaction that failed and changed nothing; the log says why.",
    ["partition"],
)
summaries_held = _gauge(
    "bellwether_summaries_held",
    "Summaries of segments in memory, by which questions leave them out.",
)
summaries_held_bytes = _gauge(
    "bellwether_summaries_held_bytes", "Memory of these summaries, within a bound."
)
summaries_missing = _gauge(
    "bellwether_summaries_missing",
    "Segments without a summary in memory here. waiting: it is loaded or made soon (`bellwether "
    "status` says what it waits for); failed: it could not be made, the log says why; no_room: "
    "memory is full of newer ones; not_here: none is stored, and the segment is not on this disk.",
    ["why"],
)
summaries_made_total = _counter(
    "bellwether_summaries_made", "Summaries that this indexer has made and put beside segments."
)
summary_seconds_total = _counter(
    "bellwether_summary_seconds",
    "Processor time of making and loading summaries (`indexer.summary_percent`).",
)
summary_failures_total = _counter(
    "bellwether_summary_failures",
    "Summaries that could not be made or loaded now; questions read those segments instead.",
)
segments_skipped_total = _counter(
    "bellwether_segments_skipped",
    "Segments in the range of a question that it did not open, by what their summaries say.",
)
segment_fetched_bytes_total = _counter(
    "bellwether_segment_fetched_bytes", "Bytes of segments fetched from the object store."
)
given_back_bytes_total = _counter(
    "bellwether_given_back_bytes_total",
    "Bytes of free memory that an indexer has given back to the system (I11).",
)
footer_cache_bytes = _gauge(
    "bellwether_footer_cache_bytes",
    "Bytes of memory that hold the column names of segments (I11).",
)
warming_bytes_left = _gauge(
    "bellwether_warming_bytes_left",
    "Bytes of segments that this indexer still fetches to its disk after it began (I5).",
)
warming_bytes_per_s = _gauge(
    "bellwether_warming_bytes_per_s", "Bytes of segments fetched per second while warming up."
)
replayed_events_total = _counter(
    "bellwether_replayed_events",
    "Events that were in the log already when their partition was resumed (I5).",
    ["partition"],
)
replay_records_left = _gauge(
    "bellwether_replay_records_left",
    "Records that were in the log when the partition was resumed and are not yet indexed.",
    ["partition"],
)
replay_events_per_s = _gauge(
    "bellwether_replay_events_per_s",
    "Events indexed per second of the partition's last replay.",
    ["partition"],
)
metadata_exported_timestamp = _gauge(
    "bellwether_metadata_exported_timestamp_seconds",
    "When this indexer last exported the metadata (unix time); one of all does it every hour.",
)
metadata_export_failures_total = _counter(
    "bellwether_metadata_export_failures",
    "Exports of the metadata that failed; it is tried again. Look at metadata and object store.",
)
unpublished_cuts = _gauge(
    "bellwether_unpublished_cuts",
    "Cuts on this disk that are not in the object store yet. Growing: look at the object store.",
    ["partition"],
)
unpublished_bytes = _gauge(
    "bellwether_unpublished_bytes",
    "Bytes of segments on this disk that are not in the object store yet.",
    ["partition"],
)
log_partitions = _gauge(
    "bellwether_log_partitions", "Partitions of the log, as this role knows them."
)
log_replaced_total = _counter(
    "bellwether_log_replaced",
    "Times that the log was seen to be another one (I5). An alarm: see the gaps in the status.",
)
uncovered_seconds = _gauge(
    "bellwether_uncovered_seconds",
    "Age of the oldest events that are in no published snapshot; they are in the log.",
    ["partition"],
)
log_retention_left_seconds = _gauge(
    "bellwether_log_retention_left_seconds",
    "Time until the log drops events that are in no snapshot (infinite: it does not).",
    ["partition"],
)
log_ahead_seconds = _gauge(
    "bellwether_log_ahead_seconds",
    "How far the log's time is ahead of this indexer's clock. More than a minute: some clock is "
    "wrong; see the alarm `log_time_ahead`.",
    ["partition"],
)
log_set_back_total = _counter(
    "bellwether_log_set_back",
    "Clock records that this indexer appended because the log's time was ahead. More than a few: "
    "clocks of processes or brokers disagree.",
    ["partition"],
)
alarm_raised = _gauge(
    "bellwether_alarm",
    "1 while the alarm is raised; `bellwether status` says what to do.",
    ["partition", "alarm"],
)
alarm_posts_total = _counter(
    "bellwether_alarm_posts",
    "Tries to post an alarm's beginning or end to alarms.url. Failed ones are repeated.",
    ["outcome"],
)
retention_waiting_rows = _gauge(
    "bellwether_retention_waiting_events",
    "Events that would expire by this machine's clock and wait for a witness or a word (I13).",
    ["partition"],
)
retention_early_rows = _gauge(
    "bellwether_retention_early_events",
    "Events that expired before their time (I13). An alarm: `bellwether retention restore`.",
    ["partition"],
)
