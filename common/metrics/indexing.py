"""Metrics of partitions: their records, cuts, gaps, replays and times."""

from common.metrics.registry import counter, gauge

indexed_rows_total = counter(
    "bellwether_indexed_rows",
    "Rows turned into columns.",
    ["partition"],
)
kernel_events_handed_total = counter(
    "bellwether_kernel_events_handed",
    "Events (or broken bodies) that the compiled kernel handed to the reference: bad ones, "
    "and ones it cannot hold.",
)
duplicate_records_total = counter(
    "bellwether_duplicate_records",
    "Records dropped because their batch id was there before (I2).",
    ["partition"],
)
voided_records_total = counter(
    "bellwether_voided_records",
    "Records that landed late and count in another partition instead (I2).",
    ["partition"],
)
undecided_batches = gauge(
    "bellwether_undecided_batches",
    "Rerouted batches of the partition that wait for another partition's decision. Many for "
    "long: look at the partitions that the status names.",
    ["partition"],
)
undecided_oldest_s = gauge(
    "bellwether_undecided_oldest_s",
    "Age of the oldest rerouted batch that is undecided.",
    ["partition"],
)
reroute_answers_total = counter(
    "bellwether_reroute_answers",
    "Answers to other partitions' questions: drop (the batch is here), keep (it never will be), "
    "unanswered (a list of batch ids is missing: run `bellwether verify`).",
    ["partition", "answer"],
)
set_aside_records_total = counter(
    "bellwether_set_aside_records",
    "Records that could not be read; their positions are in the manifest. Investigate.",
    ["partition"],
)
damaged_records = gauge(
    "bellwether_damaged_records",
    "Damaged records whose events are missing from answers, which say so: run `bellwether damage`.",
    ["partition"],
)
given_up_records = gauge(
    "bellwether_given_up_records",
    "Damaged records that an operator has counted as lost (`bellwether damage settle`).",
    ["partition"],
)
lag_records = gauge(
    "bellwether_lag_records",
    "Records between the log's end and what is indexed.",
    ["partition"],
)
reading_paused = gauge(
    "bellwether_reading_paused",
    "1 while live rows take all the memory they may and the partition is not read.",
    ["partition"],
)
live_rows = gauge(
    "bellwether_live_rows",
    "Rows not yet in a published segment.",
    ["partition"],
)
cuts_total = counter("bellwether_cuts", "Cuts made.", ["partition"])
cut_objects_total = counter(
    "bellwether_cut_objects",
    "Objects of published cuts: packs, and segments that are objects of their own.",
    ["partition"],
)
gaps_total = counter(
    "bellwether_gaps",
    "Stretches of the log that were lost before they were indexed (I5). An alarm.",
    ["partition"],
)
partition_failures_total = counter(
    "bellwether_partition_failures",
    "Times that a partition failed and was resumed from its newest manifest; see the log.",
    ["partition"],
)
replayed_events_total = counter(
    "bellwether_replayed_events",
    "Events that were in the log already when their partition was resumed (I5).",
    ["partition"],
)
replay_records_left = gauge(
    "bellwether_replay_records_left",
    "Records that were in the log when the partition was resumed and are not yet indexed.",
    ["partition"],
)
replay_events_per_s = gauge(
    "bellwether_replay_events_per_s",
    "Events indexed per second of the partition's last replay.",
    ["partition"],
)
unpublished_cuts = gauge(
    "bellwether_unpublished_cuts",
    "Cuts on this disk that are not in the object store yet. Growing: look at the object store.",
    ["partition"],
)
unpublished_bytes = gauge(
    "bellwether_unpublished_bytes",
    "Bytes of segments on this disk that are not in the object store yet.",
    ["partition"],
)
uncovered_seconds = gauge(
    "bellwether_uncovered_seconds",
    "Age of the oldest events that are in no published snapshot; they are in the log.",
    ["partition"],
)
log_retention_left_seconds = gauge(
    "bellwether_log_retention_left_seconds",
    "Time until the log drops events that are in no snapshot (infinite: it does not).",
    ["partition"],
)
log_ahead_seconds = gauge(
    "bellwether_log_ahead_seconds",
    "How far the log's time is ahead of this indexer's clock. More than a minute: some clock is "
    "wrong; see the alarm `log_time_ahead`.",
    ["partition"],
)
log_set_back_total = counter(
    "bellwether_log_set_back",
    "Clock records that this indexer appended because the log's time was ahead. More than a few: "
    "clocks of processes or brokers disagree.",
    ["partition"],
)
