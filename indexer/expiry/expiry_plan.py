"""Plans which events of a partition expire now and which wait for a confirmation (I13). Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from indexer.expiry.cutoff_steps import CutoffDecision, CutoffRequest, CutoffSteps, whole_hours
from indexer.expiry.retention_settings import RetentionPeriods
from snapshot.documents.manifest import SegmentEntry
from snapshot.retention.ages import appended_ns
from snapshot.retention.cutoffs import Cutoffs
from snapshot.retention.document import Expired
from snapshot.retention.retention import ToExpire


@dataclass(frozen=True, slots=True)
class ExpiryTimes:
    """The times by which one round of expiry decides.

    trusted_ns: trusted time, by which events may expire (unix ns).
    clock_ns: the machine's clock (unix ns).
    steady_ns: monotonic time (ns).
    agreed: whether another machine's clock agrees with this one.
    blocked: whether a clock differs, so that only confirmed events expire.
    """

    trusted_ns: int
    clock_ns: int
    steady_ns: int
    agreed: bool = False
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class WaitingEvents:
    """Events due by this machine's clock that wait. step_ns: the largest step of a cut-off."""

    segments: int = 0
    rows: int = 0
    size_bytes: int = 0
    datasets: int = 0
    step_ns: int = 0


@dataclass(frozen=True, slots=True)
class ExpiryPlan:
    """Events that expire now because of their age, and events that wait."""

    to_expire: ToExpire
    waiting: WaitingEvents


def plan_expiry(
    entries: Sequence[SegmentEntry],
    kept: RetentionPeriods,
    times: ExpiryTimes,
    confirmed: Cutoffs,
    steps: CutoffSteps,
) -> ExpiryPlan:
    """Plan the expiry of the segments that are served."""
    by_clock, wanted = kept.cutoffs(times.clock_ns), kept.cutoffs(times.trusted_ns)
    if not any(
        e.append_max_ns < max(by_clock.of(e.dataset), confirmed.of(e.dataset)) for e in entries
    ):
        # no event is old by any clock; the steps begin at the oldest segments
        steps.update({}, times.steady_ns, agreed=times.agreed, blocked=times.blocked)
        return ExpiryPlan(ToExpire((), (), Cutoffs()), WaitingEvents())
    ages = appended_ns(entries, times.clock_ns)
    requests = _requests(entries, ages, by_clock, wanted, confirmed)
    decided = steps.update(requests, times.steady_ns, agreed=times.agreed, blocked=times.blocked)
    old = [e for e in entries if ages[e.object] < decided[e.dataset].cutoff_ns]
    expired = {e.object for e in old}
    late = [
        e
        for e in entries
        if decided[e.dataset].waits_ns
        and e.object not in expired
        and ages[e.object] < by_clock.of(e.dataset)
    ]
    waiting = WaitingEvents(
        len(late),
        sum(e.rows for e in late),
        sum(e.size_bytes for e in late),
        len({e.dataset for e in late}),
        max((decided[e.dataset].waits_ns for e in late), default=0),
    )
    cutoffs = _published({e.dataset for e in old}, decided, kept, wanted)
    return ExpiryPlan(ToExpire(old, expired_of(old, ages, kept), cutoffs), waiting)


def _requests(
    entries: Iterable[SegmentEntry],
    ages: Mapping[str, int],
    by_clock: Cutoffs,
    wanted: Cutoffs,
    confirmed: Cutoffs,
) -> dict[str, CutoffRequest]:
    oldest: dict[str, int] = {}
    for entry in entries:
        age_ns = ages[entry.object]
        oldest[entry.dataset] = min(age_ns, oldest.get(entry.dataset, age_ns))
    return {
        name: CutoffRequest(oldest_ns, wanted.of(name), by_clock.of(name), confirmed.of(name))
        for name, oldest_ns in oldest.items()
    }


def _published(
    datasets: set[str],
    decided: Mapping[str, CutoffDecision],
    kept: RetentionPeriods,
    wanted: Cutoffs,
) -> Cutoffs:
    """The cut-offs that a document names: one for all datasets without a retention of their own
    if all of these have reached it, else one for each dataset with events that expire.
    """
    all_ns = whole_hours(wanted.default_ns)
    named = {name: decided[name].cutoff_ns for name in datasets}
    if all(d.cutoff_ns == all_ns for name, d in decided.items() if name not in kept.own_days):
        own = {name: at for name, at in named.items() if name in kept.own_days}
        return Cutoffs(all_ns if named.keys() - own.keys() else 0, own)
    return Cutoffs(0, named)


def expired_of(
    entries: Iterable[SegmentEntry], ages: Mapping[str, int], kept: RetentionPeriods
) -> list[Expired]:
    """A summary of the expired segments, by dataset."""
    by_dataset: dict[str, list[SegmentEntry]] = {}
    for entry in entries:
        by_dataset.setdefault(entry.dataset, []).append(entry)
    return [
        Expired(
            dataset=name,
            segments=len(some),
            rows=sum(e.rows for e in some),
            size_bytes=sum(e.size_bytes for e in some),
            time_min_ns=min(e.time_min_ns for e in some),
            time_max_ns=max(e.time_max_ns for e in some),
            append_min_ns=min(e.append_min_ns for e in some),
            append_max_ns=max(e.append_max_ns for e in some),
            epoch_number=max(e.epoch_number for e in some),
            end_offset=max((e.epoch_number, e.end_offset) for e in some)[1],
            due_ns=kept.due_ns(name, max(ages[e.object] for e in some)),
        )
        for name, some in sorted(by_dataset.items())
    ]
