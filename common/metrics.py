"""Every metric of Bellwether, declared once: name, unit, labels and what to do about it.

The docs' metrics page is generated from here. Names follow Prometheus: `bellwether_<what>_<unit>`.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()
_LATENCY_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

requests_total = Counter(
    "bellwether_requests",
    "API requests answered; route `unreadable`: refused at their head.",
    ["route", "status"],
    registry=REGISTRY,
)
connections_open = Gauge(
    "bellwether_connections_open",
    "Connections that a listener (`public`, `internal`) has open.",
    ["listener"],
    registry=REGISTRY,
)
connections_refused_total = Counter(
    "bellwether_connections_refused",
    "Connections refused: `all` or `address` has as many as it may, all with requests being "
    "answered (raise the limit of open files, or `shepherd.connections_max` and "
    "`shepherd.connections_per_address_max`); `descriptors`: no file can be opened, find out what "
    "holds so many.",
    ["listener", "why"],
    registry=REGISTRY,
)
events_accepted_total = Counter(
    "bellwether_events_accepted", "Events acknowledged after the log had them.", registry=REGISTRY
)
events_refused_total = Counter(
    "bellwether_events_refused",
    "Events refused, by rule; samples are in the `bellwether` dataset.",
    ["rule"],
    registry=REGISTRY,
)
events_mended_total = Counter(
    "bellwether_events_mended",
    "Fields of stored events that are not stored as they were sent, by rule: strings that were cut,"
    " numbers that were dropped, sample rates taken for another; which ones is in the `bellwether`"
    " dataset.",
    ["rule"],
    registry=REGISTRY,
)
ack_seconds = Histogram(
    "bellwether_ack_seconds",
    "Time from a request's last byte to its acknowledgement.",
    buckets=_LATENCY_S,
    registry=REGISTRY,
)
log_append_seconds = Histogram(
    "bellwether_log_append_seconds",
    "Time of one append, group commit and fsync included.",
    buckets=_LATENCY_S,
    registry=REGISTRY,
)
log_broker_failures_total = Counter(
    "bellwether_log_broker_failures",
    "Requests to a broker of the log that failed or got no answer in time, by broker and error.",
    ["broker", "error"],
    registry=REGISTRY,
)
log_inflight_bytes = Gauge(
    "bellwether_log_inflight_bytes",
    "Bytes of records on their way to the log; at `kafka.total_bytes_max` appends are refused.",
    registry=REGISTRY,
)
placement_appends_total = Counter(
    "bellwether_placement_appends",
    "Appends by partition and how they ended; `unknown`: may or may not be in the log.",
    ["partition", "outcome"],
    registry=REGISTRY,
)
placement_avoided = Gauge(
    "bellwether_placement_avoided",
    "1 while a broker or partition is avoided; why: `bellwether status`.",
    ["kind", "name"],
    registry=REGISTRY,
)
placement_avoided_total = Counter(
    "bellwether_placement_avoidances",
    "Times that a broker or partition was avoided. One that comes often is unwell.",
    ["kind", "name"],
    registry=REGISTRY,
)
placement_pressed = Gauge(
    "bellwether_placement_pressed",
    "1 while the whole log is slow or stuck and requests are pushed back (I11). Look at the log.",
    registry=REGISTRY,
)
placement_pushed_back_total = Counter(
    "bellwether_placement_pushed_back",
    "Requests answered 503 because the log takes no more (I11).",
    registry=REGISTRY,
)
placement_in_flight_bytes = Gauge(
    "bellwether_placement_in_flight_bytes",
    "Record bytes sent to a partition and not acknowledged yet.",
    ["partition"],
    registry=REGISTRY,
)
placement_latency_seconds = Gauge(
    "bellwether_placement_latency_seconds",
    "Recent append latency of a broker as this shepherd sees it.",
    ["broker", "quantile"],
    registry=REGISTRY,
)
probes_total = Counter(
    "bellwether_probes",
    "Heartbeats sent to see whether a broker or partition is well.",
    ["broker", "outcome"],
    registry=REGISTRY,
)
reroutes_total = Counter(
    "bellwether_reroutes",
    "Conditional copies written: `unknown` after an append without an answer, `named` because a "
    "named batch's first partition is avoided or did not answer.",
    ["reason"],
    registry=REGISTRY,
)
reroutes_capped_total = Counter(
    "bellwether_reroutes_capped",
    "Copies not written because too many questions are open (I11).",
    registry=REGISTRY,
)
telemetry_dropped_total = Counter(
    "bellwether_telemetry_dropped", "Own events dropped: the queue was full.", registry=REGISTRY
)
key_cache_stale_total = Counter(
    "bellwether_key_cache_stale",
    "Requests let in by a stale key entry: metadata does not answer (I8). Look at metadata.",
    registry=REGISTRY,
)
indexed_rows_total = Counter(
    "bellwether_indexed_rows", "Rows turned into columns.", ["partition"], registry=REGISTRY
)
kernel_active = Gauge(
    "bellwether_kernel_active",
    "1 while the role's compiled kernel (an indexer's shredder and segment writer, a shepherd's "
    "splitter) serves, 0 while the reference does (slower, same results).",
    ["kernel"],
    registry=REGISTRY,
)
kernel_waited_seconds_total = Counter(
    "bellwether_kernel_waited_seconds",
    "Seconds that partitions' replays and large cuts waited, after the start of an indexer, for "
    "compiled code to load from its cache (at most `indexer.kernel_wait_ms` each).",
    registry=REGISTRY,
)
kernel_events_handed_total = Counter(
    "bellwether_kernel_events_handed",
    "Events (or broken bodies) that the compiled kernel handed to the reference: bad ones, "
    "and ones it cannot hold.",
    registry=REGISTRY,
)
duplicate_records_total = Counter(
    "bellwether_duplicate_records",
    "Records dropped because their batch id was there before (I2).",
    ["partition"],
    registry=REGISTRY,
)
voided_records_total = Counter(
    "bellwether_voided_records",
    "Records that landed late and count in another partition instead (I2).",
    ["partition"],
    registry=REGISTRY,
)
undecided_batches = Gauge(
    "bellwether_undecided_batches",
    "Rerouted batches of the partition that wait for another partition's decision. Many for "
    "long: look at the partitions that the status names.",
    ["partition"],
    registry=REGISTRY,
)
undecided_oldest_s = Gauge(
    "bellwether_undecided_oldest_s",
    "Age of the oldest rerouted batch that is undecided.",
    ["partition"],
    registry=REGISTRY,
)
reroute_answers_total = Counter(
    "bellwether_reroute_answers",
    "Answers to other partitions' questions: drop (the batch is here), keep (it never will be), "
    "unanswered (a list of batch ids is missing: run `bellwether verify`).",
    ["partition", "answer"],
    registry=REGISTRY,
)
set_aside_records_total = Counter(
    "bellwether_set_aside_records",
    "Records that could not be read; their positions are in the manifest. Investigate.",
    ["partition"],
    registry=REGISTRY,
)
damaged_records = Gauge(
    "bellwether_damaged_records",
    "Damaged records whose events are missing from answers, which say so: run `bellwether damage`.",
    ["partition"],
    registry=REGISTRY,
)
given_up_records = Gauge(
    "bellwether_given_up_records",
    "Damaged records that an operator has counted as lost (`bellwether damage settle`).",
    ["partition"],
    registry=REGISTRY,
)
lag_records = Gauge(
    "bellwether_lag_records",
    "Records between the log's end and what is indexed.",
    ["partition"],
    registry=REGISTRY,
)
reading_paused = Gauge(
    "bellwether_reading_paused",
    "1 while live rows take all the memory they may and the partition is not read.",
    ["partition"],
    registry=REGISTRY,
)
live_rows = Gauge(
    "bellwether_live_rows", "Rows not yet in a published segment.", ["partition"], registry=REGISTRY
)
cuts_total = Counter("bellwether_cuts", "Cuts made.", ["partition"], registry=REGISTRY)
divergence_total = Counter(
    "bellwether_divergence",
    "Digests of twins that differ (I3). An alarm: both versions are kept.",
    ["partition"],
    registry=REGISTRY,
)
damaged_objects_total = Counter(
    "bellwether_damaged_objects",
    "Files or objects whose checksum did not match; never served.",
    registry=REGISTRY,
)
mended_objects_total = Counter(
    "bellwether_mended_objects",
    "Segment objects that were damaged or missing and were put again, by where their bytes were "
    "taken from: a cache of this machine, a twin, or the log.",
    ("source",),
    registry=REGISTRY,
)
query_seconds = Histogram(
    "bellwether_query_seconds", "Time of one query.", buckets=_LATENCY_S, registry=REGISTRY
)
share_seconds = Histogram(
    "bellwether_share_seconds",
    "Time of one indexer's share, as the query role saw it.",
    buckets=_LATENCY_S,
    registry=REGISTRY,
)
share_hedges_total = Counter(
    "bellwether_share_hedges",
    "Shares that were slow. won, lost: the twin was asked too, and was first or not; refused: the "
    "budget was used up, look for a slow indexer.",
    ["outcome"],
    registry=REGISTRY,
)
share_failovers_total = Counter(
    "bellwether_share_failovers",
    "Shares asked of another indexer because the first was gone, refused, or was silent.",
    ["why"],
    registry=REGISTRY,
)
gaps_total = Counter(
    "bellwether_gaps",
    "Stretches of the log that were lost before they were indexed (I5). An alarm.",
    ["partition"],
    registry=REGISTRY,
)
partition_failures_total = Counter(
    "bellwether_partition_failures",
    "Times that a partition failed and was resumed from its newest manifest; see the log.",
    ["partition"],
    registry=REGISTRY,
)
segment_fetched_bytes_total = Counter(
    "bellwether_segment_fetched_bytes",
    "Bytes of segments fetched from the object store.",
    registry=REGISTRY,
)
given_back_bytes_total = Counter(
    "bellwether_given_back_bytes_total",
    "Bytes of free memory that an indexer has given back to the system (I11).",
    registry=REGISTRY,
)
footer_cache_bytes = Gauge(
    "bellwether_footer_cache_bytes",
    "Bytes of memory that hold the column names of segments (I11).",
    registry=REGISTRY,
)
warming_bytes_left = Gauge(
    "bellwether_warming_bytes_left",
    "Bytes of segments that this indexer still fetches to its disk after it began (I5).",
    registry=REGISTRY,
)
warming_bytes_per_s = Gauge(
    "bellwether_warming_bytes_per_s",
    "Bytes of segments fetched per second while warming up.",
    registry=REGISTRY,
)
replayed_events_total = Counter(
    "bellwether_replayed_events",
    "Events that were in the log already when their partition was resumed (I5).",
    ["partition"],
    registry=REGISTRY,
)
replay_records_left = Gauge(
    "bellwether_replay_records_left",
    "Records that were in the log when the partition was resumed and are not yet indexed.",
    ["partition"],
    registry=REGISTRY,
)
replay_events_per_s = Gauge(
    "bellwether_replay_events_per_s",
    "Events indexed per second of the partition's last replay.",
    ["partition"],
    registry=REGISTRY,
)
metadata_exported_timestamp = Gauge(
    "bellwether_metadata_exported_timestamp_seconds",
    "When this indexer last exported the metadata (unix time); one of all does it every hour.",
    registry=REGISTRY,
)
metadata_export_failures_total = Counter(
    "bellwether_metadata_export_failures",
    "Exports of the metadata that failed; it is tried again. Look at metadata and object store.",
    registry=REGISTRY,
)
unpublished_cuts = Gauge(
    "bellwether_unpublished_cuts",
    "Cuts on this disk that are not in the object store yet. Growing: look at the object store.",
    ["partition"],
    registry=REGISTRY,
)
unpublished_bytes = Gauge(
    "bellwether_unpublished_bytes",
    "Bytes of segments on this disk that are not in the object store yet.",
    ["partition"],
    registry=REGISTRY,
)
log_partitions = Gauge(
    "bellwether_log_partitions",
    "Partitions of the log, as this role knows them.",
    registry=REGISTRY,
)
log_replaced_total = Counter(
    "bellwether_log_replaced",
    "Times that the log was seen to be another one (I5). An alarm: see the gaps in the status.",
    registry=REGISTRY,
)
uncovered_seconds = Gauge(
    "bellwether_uncovered_seconds",
    "Age of the oldest events that are in no published snapshot; they are in the log.",
    ["partition"],
    registry=REGISTRY,
)
log_retention_left_seconds = Gauge(
    "bellwether_log_retention_left_seconds",
    "Time until the log drops events that are in no snapshot (infinite: it does not).",
    ["partition"],
    registry=REGISTRY,
)
log_ahead_seconds = Gauge(
    "bellwether_log_ahead_seconds",
    "How far the log's time is ahead of this indexer's clock. More than a minute: some clock is "
    "wrong; see the alarm `log_time_ahead`.",
    ["partition"],
    registry=REGISTRY,
)
log_set_back_total = Counter(
    "bellwether_log_set_back",
    "Clock records that this indexer appended because the log's time was ahead. More than a few: "
    "clocks of processes or brokers disagree.",
    ["partition"],
    registry=REGISTRY,
)
alarm_raised = Gauge(
    "bellwether_alarm",
    "1 while the alarm is raised; `bellwether status` says what to do.",
    ["partition", "alarm"],
    registry=REGISTRY,
)
alarm_posts_total = Counter(
    "bellwether_alarm_posts",
    "Tries to post an alarm's beginning or end to alarms.url. Failed ones are repeated.",
    ["outcome"],
    registry=REGISTRY,
)
retention_waiting_rows = Gauge(
    "bellwether_retention_waiting_events",
    "Events that would expire by this machine's clock and wait for a witness or a word (I13).",
    ["partition"],
    registry=REGISTRY,
)
retention_early_rows = Gauge(
    "bellwether_retention_early_events",
    "Events that expired before their time (I13). An alarm: `bellwether retention restore`.",
    ["partition"],
    registry=REGISTRY,
)
