"""Settings of the query role, and its limits that cannot be set."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from common import limits
from common.settings import setting


@dataclass(frozen=True, slots=True)
class QueryConfig:
    """How queries are run and answered."""

    timeout_ms: int = setting(30_000, "Longest time of one query.")
    after_timeout_ms: int = setting(
        10_000, "How long a query waits for the positions that its caller wants to see."
    )
    hedge_ms: int = setting(
        2_000,
        "A share that takes longer is asked of the twin too (0: never); sooner, once it is known "
        "how long shares usually take.",
    )
    running_max: int = setting(8, "Queries run at once by this process.")
    waiting_max: int = setting(
        64,
        "Queries waiting beyond those. A full room makes room for whoever waits with less; others "
        "are answered 429, or 503 when all wait with as much.",
    )
    states_mb: int = setting(
        1_536,
        "Memory for what indexers send for queries that run, in MiB, beside the memory for "
        "merging it. One query may have a third; half goes to one environment at most.",
    )
    drain_ms: int = setting(
        1_500,
        "How long a stopping query role goes on answering when others run: shepherds look every "
        "second.",
    )
    trace_margin_s: int = setting(
        3_600,
        "How long before and after its time range a question looks for the other spans of a trace.",
    )
    results_kept_s: int = setting(
        86_400,
        "How long finished results can be fetched, at least; the object store has them by days.",
    )
    results_env_mb: int = setting(
        1_024,
        "What the results of one environment may take in the object store, in MiB, where they "
        "outlive the query role; the oldest days make room. 0: results are in memory only.",
    )

    page: bool = setting(True, "Whether the page is served, at /ui/ of the public address.")
    page_folder: str = setting(
        "", "Folder of the page's built files; empty: those that came with this program."
    )
    range_s_max: int = setting(
        0,
        "The longest time range of a query, and how far back it may reach, in s; others are 400. "
        "0: any (the vendor's API: 604800).",
    )
    results_per_minute: int = setting(
        0,
        "Queries that one key may begin in a minute at this process; others are 429. 0: any (the "
        "vendor's API: 10).",
    )
    questions_per_minute: int = setting(
        0,
        "Questions of every kind, for events and traces too, that one key may ask in a minute at "
        "this process; others are 429. 0: any.",
    )
    key_running_max: int = setting(
        0,
        "Questions of one key that run at once in this process, beside the fair turns; others of "
        "it wait. 0: as many as its turns give.",
    )
    compare_as_vendor: bool = setting(
        False,
        "Whether compare_time_offset_seconds takes only the vendor's eight offsets (half an hour "
        "to half a year), no shorter than the time range, instead of any.",
    )

    def __post_init__(self) -> None:
        if self.running_max < 1 or self.waiting_max < 0:
            raise ValueError("running_max must be 1 or more, waiting_max 0 or more")
        if self.trace_margin_s < 0:
            raise ValueError("trace_margin_s must be 0 or more")
        if min(self.range_s_max, self.results_per_minute, self.results_env_mb) < 0:
            raise ValueError("range_s_max, results_per_minute, results_env_mb must be 0 or more")
        if self.states_mb < 3:
            raise ValueError("states_mb must be 3 or more: a query may have a third of it")


class ProbeTiming(NamedTuple):
    """Seconds between liveness probes, time-out of each, failures that count as dead."""

    every_s: float = limits.LIVENESS_PROBE_S
    timeout_s: float = limits.LIVENESS_TIMEOUT_S
    failures_max: int = limits.LIVENESS_FAILURES_MAX


class ResultLimits(NamedTuple):
    """Limits of stored results: their number, bytes, and seconds that one may run unpolled."""

    count_max: int = limits.QUERY_RESULTS_MAX
    bytes_max: int = limits.QUERY_RESULTS_BYTES_MAX
    unpolled_s: float = limits.QUERY_UNPOLLED_S


class QueryLimits(NamedTuple):
    """Limits and times of a query role; tests pass smaller ones.

    upkeep_s: seconds between two looks for queries that no caller polls and for freed states.
    metadata_calls_max: concurrent calls of metadata.
    tails_max: concurrent tails.
    tail_open_s: seconds within which an indexer must begin a tail.
    """

    probing: ProbeTiming = ProbeTiming()
    results: ResultLimits = ResultLimits()
    upkeep_s: float = 1.0
    metadata_calls_max: int = limits.QUERY_METADATA_CALLS_MAX
    tails_max: int = limits.TAILS_MAX
    tail_open_s: float = limits.TAIL_OPEN_S


STANDARD_LIMITS: Final = QueryLimits()
