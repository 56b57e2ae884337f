"""Metrics of requests, and of events on their way into the log."""

from common.metrics.registry import LATENCY_S, counter, gauge, histogram

requests_total = counter(
    "bellwether_requests",
    "API requests answered; route `unreadable`: refused at their head.",
    ["route", "status"],
)
connections_open = gauge(
    "bellwether_connections_open",
    "Connections that a listener (`public`, `internal`) has open.",
    ["listener"],
)
connections_refused_total = counter(
    "bellwether_connections_refused",
    "Connections refused: `all` or `address` has as many as it may, all with requests being "
    "answered (raise the limit of open files, or `shepherd.connections_max` and "
    "`shepherd.connections_per_address_max`); `descriptors`: no file can be opened, find out what "
    "holds so many.",
    ["listener", "why"],
)
events_accepted_total = counter(
    "bellwether_events_accepted", "Events acknowledged after the log had them."
)
events_refused_total = counter(
    "bellwether_events_refused",
    "Events refused, by rule; samples are in the `bellwether` dataset.",
    ["rule"],
)
events_mended_total = counter(
    "bellwether_events_mended",
    "Fields of stored events that are not stored as they were sent, by rule: strings that were cut,"
    " numbers that were dropped, sample rates taken for another; which ones is in the `bellwether`"
    " dataset.",
    ["rule"],
)
ack_seconds = histogram(
    "bellwether_ack_seconds",
    "Time from a request's last byte to its acknowledgement.",
    buckets=LATENCY_S,
)
log_append_seconds = histogram(
    "bellwether_log_append_seconds",
    "Time of one append, group commit and fsync included.",
    buckets=LATENCY_S,
)
log_broker_failures_total = counter(
    "bellwether_log_broker_failures",
    "Requests to a broker of the log that failed or got no answer in time, by broker and error.",
    ["broker", "error"],
)
log_inflight_bytes = gauge(
    "bellwether_log_inflight_bytes",
    "Bytes of records on their way to the log; at `kafka.total_bytes_max` appends are refused.",
)
placement_appends_total = counter(
    "bellwether_placement_appends",
    "Appends by partition and how they ended; `unknown`: may or may not be in the log.",
    ["partition", "outcome"],
)
placement_avoided = gauge(
    "bellwether_placement_avoided",
    "1 while a broker or partition is avoided; why: `bellwether status`.",
    ["kind", "name"],
)
placement_avoided_total = counter(
    "bellwether_placement_avoidances",
    "Times that a broker or partition was avoided. One that comes often is unwell.",
    ["kind", "name"],
)
placement_pressed = gauge(
    "bellwether_placement_pressed",
    "1 while the whole log is slow or stuck and requests are pushed back (I11). Look at the log.",
)
placement_pushed_back_total = counter(
    "bellwether_placement_pushed_back",
    "Requests answered 503 because the log takes no more (I11).",
)
placement_in_flight_bytes = gauge(
    "bellwether_placement_in_flight_bytes",
    "Record bytes sent to a partition and not acknowledged yet.",
    ["partition"],
)
placement_latency_seconds = gauge(
    "bellwether_placement_latency_seconds",
    "Recent append latency of a broker as this shepherd sees it.",
    ["broker", "quantile"],
)
probes_total = counter(
    "bellwether_probes",
    "Heartbeats sent to see whether a broker or partition is well.",
    ["broker", "outcome"],
)
reroutes_total = counter(
    "bellwether_reroutes",
    "Conditional copies written: `unknown` after an append without an answer, `named` because a "
    "named batch's first partition is avoided or did not answer.",
    ["reason"],
)
reroutes_capped_total = counter(
    "bellwether_reroutes_capped", "Copies not written because too many questions are open (I11)."
)
column_facts_dropped_total = counter(
    "bellwether_column_facts_dropped",
    "Facts of metrics' columns that were not stored: metadata fails, or there is no room.",
)
