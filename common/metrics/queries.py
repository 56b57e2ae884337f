"""Metrics of questions and of the shares that indexers compute of them."""

from common.metrics.registry import LATENCY_S, counter, gauge, histogram

query_seconds = histogram(
    "bellwether_query_seconds",
    "Time of one query.",
    buckets=LATENCY_S,
)
share_seconds = histogram(
    "bellwether_share_seconds",
    "Time of one indexer's share, as the query role saw it.",
    buckets=LATENCY_S,
)
results_shared_total = counter(
    "bellwether_results_shared",
    "Finished results of queries, by what became of them in the object store, where other query "
    "roles find them: `stored`; `no room`: today's results of the environment fill its share "
    "(`query.results_env_mb`); `too large`; `failed`: the store does not answer, or too many wait.",
    ["outcome"],
)
query_state_bytes = gauge(
    "bellwether_query_state_bytes",
    "Memory for what indexers have sent for queries that run (`query.states_mb`), beyond the first "
    "MiB of each.",
)
shares_running = gauge(
    "bellwether_shares_running", "Shares of queries that this indexer computes now."
)
share_hedges_total = counter(
    "bellwether_share_hedges",
    "Shares that were slow. won, lost: the twin was asked too, and was first or not; refused: the "
    "budget was used up, look for a slow indexer.",
    ["outcome"],
)
share_failovers_total = counter(
    "bellwether_share_failovers",
    "Shares asked of another indexer because the first was gone, refused, or was silent.",
    ["why"],
)
segments_skipped_total = counter(
    "bellwether_segments_skipped",
    "Segments in the range of a question that it did not open, by what their summaries say.",
)
footer_cache_bytes = gauge(
    "bellwether_footer_cache_bytes",
    "Bytes of memory that hold the column names of segments (I11).",
)
