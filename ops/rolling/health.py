"""Whether things got worse: error rate, ack latency and lag, from the roles' own /metrics. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

_QUANTILE = 0.99
_REQUESTS_MIN = 50  # a quantile of fewer requests means nothing
_ACK_S_NEGLIGIBLE = 0.25  # up to this a p99 is fine, however many times the p99 before it is


@dataclass(frozen=True, slots=True)
class ProcessMetrics:
    """Counters of one process at one moment.

    requests: to public routes.
    failed: of them, answered with 500 and above.
    acks: histogram of acknowledgements: (upper bound in s, cumulative count).
    lag_records: the largest lag of a partition.
    """

    requests: float = 0.0
    failed: float = 0.0
    acks: tuple[tuple[float, float], ...] = ()
    lag_records: float = 0.0


@dataclass(frozen=True, slots=True)
class Health:
    """The difference of all processes' counters between two moments.

    ack_p99_s: None if there were too few acknowledgements.
    lag_records: the largest lag at the end.
    """

    requests: float
    failed: float
    ack_p99_s: float | None
    lag_records: float

    def __str__(self) -> str:
        p99 = "–" if self.ack_p99_s is None else f"{self.ack_p99_s * 1000:.0f} ms"
        return (
            f"{self.requests:.0f} requests, {self.failed:.0f} failed, ack p99 {p99}, "
            f"lag {self.lag_records:.0f} records"
        )

    @property
    def error_percent(self) -> float:
        """The share of responses with a status of 500 and above."""
        return 100 * self.failed / self.requests if self.requests else 0.0


@dataclass(frozen=True, slots=True)
class Allowed:
    """The limits within which a restart goes on.

    error_percent: of requests that fail.
    ack_p99_ms: the p99 of acknowledgements.
    ack_times: the p99, as a multiple of the p99 before the restart began.
    lag_records: the lag of an indexer.
    """

    error_percent: float
    ack_p99_ms: float
    ack_times: float
    lag_records: float


def parse_metrics(text: str) -> ProcessMetrics:
    """Read a /metrics page. Raises ValueError."""
    requests = failed = lag = 0.0
    acks: dict[float, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "bellwether_requests_total" and _is_public(sample.labels["route"]):
                requests += sample.value
                failed += sample.value if sample.labels["status"].startswith("5") else 0.0
            elif sample.name == "bellwether_ack_seconds_bucket":
                bound = float(sample.labels["le"])
                acks[bound] = acks.get(bound, 0.0) + sample.value
            elif sample.name == "bellwether_lag_records":
                lag = max(lag, sample.value)
    return ProcessMetrics(requests, failed, tuple(sorted(acks.items())), lag)


def between(before: Mapping[str, ProcessMetrics], after: Mapping[str, ProcessMetrics]) -> Health:
    """The difference over all processes. before, after: by instance; a new one begins at zero."""
    requests = failed = 0.0
    acks: dict[float, float] = {}
    for instance, now in after.items():
        then = before.get(instance, ProcessMetrics())
        requests += now.requests - then.requests
        failed += now.failed - then.failed
        earlier = dict(then.acks)
        for bound, count in now.acks:
            acks[bound] = acks.get(bound, 0.0) + count - earlier.get(bound, 0.0)
    lag = max((now.lag_records for now in after.values()), default=0.0)
    return Health(requests, failed, _quantile(sorted(acks.items())), lag)


def regressions(normal: Health, now: Health, allowed: Allowed) -> list[str]:
    """Why the restart should not go on; empty if nothing is wrong. normal: before it began."""
    found = []
    if now.error_percent > allowed.error_percent:
        found.append(
            f"{now.error_percent:.2f} % of requests fail (allowed {allowed.error_percent:g} %)"
        )
    if now.ack_p99_s is not None:
        limit_s = allowed.ack_p99_ms / 1000
        if normal.ack_p99_s is not None:
            limit_s = min(limit_s, max(allowed.ack_times * normal.ack_p99_s, _ACK_S_NEGLIGIBLE))
        if now.ack_p99_s > limit_s:
            found.append(
                f"the p99 of acknowledgements is {now.ack_p99_s * 1000:.0f} ms "
                f"(allowed {limit_s * 1000:.0f} ms)"
            )
    if now.lag_records > allowed.lag_records:
        found.append(
            f"an indexer lags by {now.lag_records:.0f} records (allowed {allowed.lag_records:.0f})"
        )
    return found


def _is_public(route: str) -> bool:
    return not route.startswith(("/internal/", "/healthz", "/readyz", "/metrics"))


def _quantile(acks: list[tuple[float, float]]) -> float | None:
    """The upper bound of the quantile's bucket; None of too few requests."""
    total = acks[-1][1] if acks else 0.0
    if total < _REQUESTS_MIN:
        return None
    return next(bound for bound, count in acks if count >= _QUANTILE * total)
