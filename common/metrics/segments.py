"""Metrics of segments: compacted, summarized, fetched, damaged and mended."""

from common.metrics.registry import counter, gauge

divergence_total = counter(
    "bellwether_divergence",
    "Digests of twins that differ (I3). An alarm: both versions are kept.",
    ["partition"],
)
damaged_objects_total = counter(
    "bellwether_damaged_objects", "Files or objects whose checksum did not match; never served."
)
mended_objects_total = counter(
    "bellwether_mended_objects",
    "Segment objects that were damaged or missing and were put again, by where their bytes were "
    "taken from: a cache of this machine, a twin, or the log.",
    ("source",),
)
compactions_total = counter(
    "bellwether_compactions",
    "Objects that this indexer has put together from several segments, by partition.",
    ["partition"],
)
compacted_rows_total = counter(
    "bellwether_compacted_rows",
    "Rows in these objects; over the rows indexed, how often compaction writes a row again.",
    ["partition"],
)
compaction_seconds_total = counter("bellwether_compaction_seconds", "Processor time of compaction.")
compaction_waiting = gauge(
    "bellwether_compaction_waiting",
    "Objects that are to be put together and are not yet; if it stays, `bellwether status` says "
    "what it waits for (`indexer.compaction_percent`, `indexer.compaction_requests_per_day`).",
    ["partition"],
)
compaction_failures_total = counter(
    "bellwether_compaction_failures",
    "Steps of compaction that failed and changed nothing; the log says why.",
    ["partition"],
)
summaries_held = gauge(
    "bellwether_summaries_held",
    "Summaries of segments in memory, by which questions leave them out.",
)
summaries_held_bytes = gauge(
    "bellwether_summaries_held_bytes", "Memory of these summaries, within a bound."
)
summaries_missing = gauge(
    "bellwether_summaries_missing",
    "Segments without a summary in memory here. waiting: it is loaded or made soon (`bellwether "
    "status` says what it waits for); failed: it could not be made, the log says why; no_room: "
    "memory is full of newer ones; not_here: none is stored, and the segment is not on this disk.",
    ["why"],
)
summaries_made_total = counter(
    "bellwether_summaries_made", "Summaries that this indexer has made and put beside segments."
)
summary_seconds_total = counter(
    "bellwether_summary_seconds",
    "Processor time of making and loading summaries (`indexer.summary_percent`).",
)
summary_failures_total = counter(
    "bellwether_summary_failures",
    "Summaries that could not be made or loaded now; questions read those segments instead.",
)
segment_fetched_bytes_total = counter(
    "bellwether_segment_fetched_bytes", "Bytes of segments fetched from the object store."
)
warming_bytes_left = gauge(
    "bellwether_warming_bytes_left",
    "Bytes of segments that this indexer still fetches to its disk after it began (I5).",
)
warming_bytes_per_s = gauge(
    "bellwether_warming_bytes_per_s", "Bytes of segments fetched per second while warming up."
)
retention_waiting_rows = gauge(
    "bellwether_retention_waiting_events",
    "Events that would expire by this machine's clock and wait for a witness or a word (I13).",
    ["partition"],
)
retention_early_rows = gauge(
    "bellwether_retention_early_events",
    "Events that expired before their time (I13). An alarm: `bellwether retention restore`.",
    ["partition"],
)
