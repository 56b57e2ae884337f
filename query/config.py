"""Settings of the query role."""

from dataclasses import dataclass

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
    drain_ms: int = setting(
        1_500,
        "How long a stopping query role goes on answering when others run: shepherds look every "
        "second.",
    )
    results_kept_s: int = setting(86_400, "How long finished results can be fetched.")

    def __post_init__(self) -> None:
        if self.running_max < 1 or self.waiting_max < 0:
            raise ValueError("running_max must be 1 or more, waiting_max 0 or more")
