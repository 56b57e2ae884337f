"""Metrics of a process, whichever its role: memory, compiled code, alarms, the log it sees."""

from common.metrics.registry import counter, gauge

telemetry_dropped_total = counter(
    "bellwether_telemetry_dropped", "Own events dropped: the queue was full."
)
key_cache_stale_total = counter(
    "bellwether_key_cache_stale",
    "Requests let in by a stale key entry: metadata does not answer (I8). Look at metadata.",
)
kernel_active = gauge(
    "bellwether_kernel_active",
    "1 while the role's compiled kernel (an indexer's shredder and segment writer, a shepherd's "
    "splitter and its decoder of OTLP) serves, 0 while the reference does (slower, same results).",
    ["kernel"],
)
kernel_waited_seconds_total = counter(
    "bellwether_kernel_waited_seconds",
    "Seconds that partitions' replays and large cuts waited, after the start of an indexer, for "
    "compiled code to load from its cache (at most `indexer.kernel_wait_ms` each).",
)
given_back_bytes_total = counter(
    "bellwether_given_back_bytes_total",
    "Bytes of free memory that an indexer has given back to the system (I11).",
)
metadata_exported_timestamp = gauge(
    "bellwether_metadata_exported_timestamp_seconds",
    "When this indexer last exported the metadata (unix time); one of all does it every hour.",
)
metadata_export_failures_total = counter(
    "bellwether_metadata_export_failures",
    "Exports of the metadata that failed; it is tried again. Look at metadata and object store.",
)
log_partitions = gauge(
    "bellwether_log_partitions", "Partitions of the log, as this role knows them."
)
log_replaced_total = counter(
    "bellwether_log_replaced",
    "Times that the log was seen to be another one (I5). An alarm: see the gaps in the status.",
)
alarm_raised = gauge(
    "bellwether_alarm",
    "1 while the alarm is raised; `bellwether status` says what to do.",
    ["partition", "alarm"],
)
alarm_posts_total = counter(
    "bellwether_alarm_posts",
    "Tries to post an alarm's beginning or end to alarms.url. Failed ones are repeated.",
    ["outcome"],
)
