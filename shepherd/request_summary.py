"""Counts of requests and events, emitted each second to the own dataset (I9, I11).

Memory does not grow with traffic: the number of groups is bounded, and all further ones share one
group. A sample is an error text, which names the field and the rule and never holds a value.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from common import limits, metrics
from common.process.telemetry import Telemetry
from common.scan.events import Mended, Refused, Rule

_OTHER = ("(other)", "(other)", "(other)")
_OTHER_FIELD = "(other)"


@dataclass(slots=True)
class _Refusals:
    """One (key id, dataset, rule) in the current second."""

    events: int = 0
    samples: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Requests:
    """One (route, dataset, key id, status) in the current second."""

    requests: int = 0
    events: int = 0
    body_bytes: int = 0
    ms_sum: float = 0.0
    ms_max: float = 0.0


class RequestDone(msgspec.Struct, frozen=True):
    """A finished request, as it is counted."""

    route: str
    dataset: str
    key_id: str
    status: int
    events: int
    body_bytes: int
    ms: float


def count_refused(refused: Sequence[tuple[int, Refused]]) -> list[tuple[Refused, int]]:
    """A body's refusals by rule and by the first few texts of each rule, with their numbers.

    So a body of 100,000 refused events becomes a handful of entries.
    """
    counts: dict[str, dict[str, int]] = {}
    for _, why in refused:
        texts = counts.setdefault(why.rule, {})
        error = why.error
        if error not in texts and len(texts) >= limits.REFUSAL_SAMPLES_MAX:
            error = next(iter(texts))
        texts[error] = texts.get(error, 0) + 1
    return [
        (Refused(Rule(rule), error), events)
        for rule, texts in counts.items()
        for error, events in texts.items()
    ]


def count_mended(found: Sequence[tuple[int, tuple[Mended, ...]]]) -> list[tuple[Mended, int]]:
    """The number of a body's events in which each field was mended; beyond a limit of fields, all
    others share one count."""
    counts: dict[Mended, int] = {}
    for _, fields in found:
        for mended in fields:
            if mended not in counts and len(counts) >= limits.SUMMARY_GROUPS_MAX:
                mended = Mended(mended.rule, _OTHER_FIELD)
            counts[mended] = counts.get(mended, 0) + 1
    return list(counts.items())


class RequestSummary:
    """Counts between two `flush`es."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._refusals: dict[tuple[str, str, str], _Refusals] = {}
        self._requests: dict[tuple[str, str, str, int], _Requests] = {}
        self._mended: dict[tuple[str, str, str, str], int] = {}

    def refused(self, key_id: str, dataset: str, rule: str, error: str, events: int = 1) -> None:
        """Count events (or a whole request, as one) that were refused."""
        metrics.events_refused_total.labels(rule).inc(events)
        group = (key_id, dataset, rule)
        if group not in self._refusals and len(self._refusals) >= limits.SUMMARY_GROUPS_MAX:
            group = _OTHER
        counts = self._refusals.setdefault(group, _Refusals())
        counts.events += events
        if len(counts.samples) < limits.REFUSAL_SAMPLES_MAX and error not in counts.samples:
            counts.samples.append(error)

    def mended(self, key_id: str, dataset: str, mended: Mended, events: int) -> None:
        """Count events that are stored with this field mended."""
        metrics.events_mended_total.labels(mended.rule).inc(events)
        group = (key_id, dataset, mended.rule.value, mended.field)
        if group not in self._mended and len(self._mended) >= limits.SUMMARY_GROUPS_MAX:
            group = ("(other)", "(other)", mended.rule.value, _OTHER_FIELD)
        self._mended[group] = self._mended.get(group, 0) + events

    def done(self, request: RequestDone) -> None:
        """Count a finished request."""
        group = (request.route, request.dataset, request.key_id, request.status)
        if group not in self._requests and len(self._requests) >= limits.SUMMARY_GROUPS_MAX:
            group = (request.route, "(other)", "(other)", request.status)
        counts = self._requests.setdefault(group, _Requests())
        counts.requests += 1
        counts.events += request.events
        counts.body_bytes += request.body_bytes
        counts.ms_sum += request.ms
        counts.ms_max = max(counts.ms_max, request.ms)

    def flush(self) -> None:
        """Emit the counts and reset them."""
        refusals, self._refusals = self._refusals, {}
        requests, self._requests = self._requests, {}
        mended, self._mended = self._mended, {}
        for (key_id, dataset, rule), refused in refusals.items():
            self._telemetry.emit(
                "refused_events",
                key_id=key_id,
                dataset=dataset,
                rule=rule,
                events=refused.events,
                **{f"sample_{n}": text for n, text in enumerate(refused.samples, 1)},
            )
        for (key_id, dataset, rule, field_name), events in mended.items():
            self._telemetry.emit(
                "mended_events",
                key_id=key_id,
                dataset=dataset,
                rule=rule,
                field=field_name,
                events=events,
            )
        for (route, dataset, key_id, status), counts in requests.items():
            self._telemetry.emit(
                "requests",
                route=route,
                dataset=dataset,
                key_id=key_id,
                status=status,
                requests=counts.requests,
                events=counts.events,
                body_bytes=counts.body_bytes,
                ms_avg=round(counts.ms_sum / counts.requests, 3),
                ms_max=round(counts.ms_max, 3),
            )
