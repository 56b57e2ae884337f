"""Whether things got worse: error rate, ack latency and lag, from the roles' own /metrics. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

_QUANTILE = 0.99
_REQUESTS_MIN = 50  # requests; a quantile of fewer says nothing
_ACK_S_NEGLIGIBLE = 0.25  # times more than very little is still little


@dataclass(frozen=True, slots=True)
class ProcessMetrics:
    """Counters of one process at one moment. acks: (upper bound in s, cumulated count)."""

    requests: float = 0.0
    failed: float = 0.0
    acks: tuple[tuple[float, float], ...] = ()
    lag_records: float = 0.0


@dataclass(frozen=True, slots=True)
class Health:
    """What happened between two moments, over all processes."""

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
        """Answers of 500 and above, of all answers."""
        return 100 * self.failed / self.requests if self.requests else 0.0


@dataclass(frozen=True, slots=True)
class Allowed:
    """What is still good enough to go on. ack_times: of the p99 before the restart began."""

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
    """The difference over all processes, by instance; one that is new counts from nothing."""
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
    """Why the restart should not go on; empty if all is well. normal: before it began."""
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
    """The upper bound of the bucket that holds the quantile; None of too few."""
    total = acks[-1][1] if acks else 0.0
    if total < _REQUESTS_MIN:
        return None
    return next(bound for bound, count in acks if count >= _QUANTILE * total)
