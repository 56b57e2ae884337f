"""Settings of the indexer. None of them can change what the log means (I3)."""

from dataclasses import dataclass

from common.settings import setting


@dataclass(frozen=True, slots=True)
class IndexerConfig:
    """How an indexer reads, keeps and publishes."""

    read_block_bytes: int = setting(2_097_152, "record bytes read from the log at once")
    shred_rows: int = setting(16_384, "rows turned into columns before they become visible")
    gather_ms: int = setting(
        100,
        "longest rest between two steps of a partition while records come, for fewer and larger "
        "steps; there is none after a quiet time, nor while catching up",
    )
    poll_wait_ms: int = setting(5_000, "longest wait for new records in one read")
    heartbeat_ms: int = setting(5_000, "append a heartbeat when a partition is quiet for this long")
    marker_spread_s: int = setting(300, "hour markers of the partitions are spread over this time")
    clock_steady_s: int = setting(
        30,
        "how long this machine's clock must have run evenly before the log's time is set back by "
        "it, after a clock ran ahead",
    )
    clock_is_right: bool = setting(
        False,
        "an operator's word: the log's time is set back to this machine's clock also to a time "
        "that the log has lived through (embedded log; needed when a clock was wrong for days)",
    )
    publish_delay_ms: int = setting(400, "longest random delay before a cut is uploaded, for twins")
    segment_cache_bytes: int = setting(10 * 2**30, "segments kept on this disk; least used go")
    segment_fetches: int = setting(
        8, "segments fetched at once by an empty disk that warms up, and as many again by queries"
    )
    ready_lag_records: int = setting(10_000, "ready only when no partition lags by more records")
    claim_retry_ms: int = setting(1_000, "time between attempts to claim partitions")
    copies: int = setting(
        2, "indexers of each partition, each in another zone; fewer where there are fewer zones"
    )
    take_over_ms: int = setting(
        5_000,
        "how long a partition lacks one of its holders before another indexer takes the place "
        "(a restarted one finds it free; at once when nobody else holds it)",
    )
    drain_ms: int = setting(
        1_500,
        "how long a stopping indexer goes on answering when others hold its partitions too: query "
        "roles look every second",
    )
    retention_days: float = setting(60.0, "days that events are kept, by append time (0: for ever)")
    retention_grace_s: int = setting(
        3_600, "time between giving up a segment and deleting it, by the clock and of time run"
    )
    clock_witnesses: bool = setting(
        True,
        "servers and roles at addresses of other machines prove what time it is; false where they "
        "share this machine's clock, as containers of one machine do",
    )
    look_hours: int = setting(
        24,
        "every segment object is looked at after a start and then once in so many hours; what is "
        "damaged or missing is put again from a whole copy, a twin or the log (0: never)",
    )
    look_mb_per_s: int = setting(
        16, "bytes of objects read for that, in MB per second (0: only presence and size)"
    )
    log_keep_hours: float = setting(
        24.0, "covered records stay in the log for repairs this long, of time really run"
    )
    log_keep_bytes: int = setting(2**30, "covered records stay in a partition up to this size")
    scrub_s: int = setting(
        60,
        "time between readings of what no segment covers yet, of the embedded log: a record that "
        "is damaged on the disk since it was read is cut at once (0: never)",
    )
    damage_wait_s: float = setting(
        600.0,
        "longest wait before a cut is published without a damaged record: it is read again, and "
        "the twin is asked; indexing and answers go on meanwhile",
    )
    compaction_percent: int = setting(
        25,
        "time of one processor that putting small segments together may use on average, in "
        "percent (0: this indexer compacts nothing)",
    )
    compaction_requests_per_day: int = setting(
        50_000, "requests to the object store that compaction may make in a day of running"
    )
    compaction_delay_s: int = setting(
        900,
        "how long the second indexer of a partition leaves what is to be put together to the first",
    )
    summary_percent: int = setting(
        10,
        "time of one processor that making summaries of segments may use on average, in percent "
        "(0: this indexer makes and uses none)",
    )
    summary_requests_per_day: int = setting(
        50_000, "requests to the object store for summaries in a day of running"
    )
    housekeeping_s: int = setting(30, "time between looks at retention and the size of the log")
    live_bytes_max: int = setting(
        2**30,
        "memory of rows not yet in segments, over all partitions; beyond it reading pauses "
        "(room for a full cut of each of 4 partitions, twice: gathered and being sealed)",
    )
    unpublished_bytes_max: int = setting(
        4 * 2**30,
        "disk of sealed cuts that the object store has not taken yet, over all partitions; beyond "
        "it reading pauses and the log keeps what comes",
    )
    kernel: bool = setting(True, "compile the fast shredder in the background and use it")
    kernel_wait_ms: int = setting(
        10_000,
        "after a start, longest wait of a replay and of large cuts for compiled code that is "
        "loading from its cache (under a second where nothing else runs; 0: no wait)",
    )
    kernel_cache: str = setting(
        "", "folder of compiled code, also for several roles (empty: in the role's own folder)"
    )
    snapshot_late_s: int = setting(
        7_200, "alarm when events are in no snapshot for longer (there is one each hour)"
    )
    share_memory_mb: int = setting(
        512, "memory of one share of a query, in MB; then it spills, up to 2 GB of this disk"
    )
    share_threads: int = setting(2, "threads of one share of a query")
    shares_running: int = setting(4, "shares of queries computed at once")
    shares_waiting: int = setting(32, "shares of queries that may wait; then 429")
    shares_of_environment: int = setting(
        0,
        "shares of one environment computed at once (0: as many as there are processors for, at "
        "least 2), so that what others ask does not share the processors with more of them",
    )
    formats_wait_s: int = setting(
        600,
        "how long every indexer and query role must have known a newer version of the stored "
        "documents, and none have left, before it is written; from then on an earlier version of "
        "the program stops at these documents, so until then one can go back to it",
    )
    telemetry_s: int = setting(10, "time between own events about indexing")

    def shares_at_once(self, processors: int) -> int:
        """How many shares of one environment are computed at once, given the processors."""
        return self.shares_of_environment or max(2, processors // self.share_threads)

    def __post_init__(self) -> None:
        if not 0 <= self.compaction_percent <= 100:
            raise ValueError("compaction_percent must be 0 to 100")
        if not 0 <= self.summary_percent <= 100:
            raise ValueError("summary_percent must be 0 to 100")
        if self.copies < 1:
            raise ValueError("copies must be 1 or more")
        if self.shares_of_environment < 0:
            raise ValueError("shares_of_environment must be 0 or more")
        if self.kernel_wait_ms < 0:
            raise ValueError("kernel_wait_ms must be 0 or more")
