"""Plans out of a specification and the present time: one for totals, one for series."""

from dataclasses import dataclass, field

import msgspec
import pyarrow as pa

from common import limits
from common.model.names import ALL_DATASETS
from query.plan.parts.conditions import GroupKey
from query.plan.parts.spans import SpanDataset
from query.plan.plan import PARTS_PER_STEP, Need, OpenSpansWanted, Plan
from query.plan.spec import QuerySpec, TimeAxis

_SECOND_NS = 10**9
_START_S_MIN = -(2**63) // _SECOND_NS + 1  # in nanoseconds it fits 64 bits
_STEPS_S = (1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200)
_DAY_S = 86_400
_POINTS_LEAST = 30  # steps of a series whose step is longer than usual
_POINTS_WANTED = 120  # steps of a series without a requested granularity


@dataclass(frozen=True, slots=True)
class BesideGroups:
    """The groups of an answer with which another one is compared.

    top: those that it lists, in its order.
    keys: of all, a row per group, with the columns of states (`query.share.states.groups`).
    """

    top: tuple[GroupKey, ...]
    keys: pa.Table


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """A query to run, its times resolved.

    dataset: its id, or ALL_DATASETS.
    start_ns, end_ns: range of event times, half open, in unix ns.
    step_ns: width of a series step.
    limit: number of groups returned.
    datasets: with their definitions; empty for a question to one dataset that needs none.
    beside: the groups of the answer that this one is compared with: they are listed first.
    around: all datasets of the environment, of a question about other spans.
    series_form: "rows" or "columns" (`query.results.series_forms`).
    stored: names like `root.name` that are fields of events. untold: partitions of which that is
        not known.
    env, key: ids of the environment and key, for fair turns.
    """

    spec: QuerySpec
    dataset: str
    start_ns: int
    end_ns: int
    step_ns: int
    limit: int
    with_series: bool = True
    with_total: bool = False
    with_other: bool = False
    datasets: tuple[SpanDataset, ...] = ()
    beside: BesideGroups | None = field(default=None, compare=False)
    around: tuple[SpanDataset, ...] = ()
    stored: frozenset[str] = frozenset()
    untold: frozenset[int] = frozenset()
    series_form: str = "rows"
    env: str = ""
    key: str = ""

    @property
    def told_range(self) -> dict[str, int]:
        """The range and step, as an answer says them: unix seconds, half open."""
        return {
            "start_time": self.start_ns // _SECOND_NS,
            "end_time": -(-self.end_ns // _SECOND_NS),
            "granularity": self.step_ns // _SECOND_NS,
        }


def needs_definitions(spec: QuerySpec, dataset: str) -> bool:
    """Whether a plan has to name its datasets with their definitions."""
    if dataset == ALL_DATASETS or spec.per is not None or _counts_open_spans(spec):
        return True
    return spec.time_axis is not TimeAxis.START


def _counts_open_spans(spec: QuerySpec) -> bool:
    return any(calculation.op == "CONCURRENCY" for calculation in spec.calculations)


def build_request(
    spec: QuerySpec,
    dataset: str,
    now_ns: int,
    *,
    disable_series: bool = False,
    with_total: bool = False,
    with_other: bool = False,
    limit: int | None = None,
    datasets: tuple[SpanDataset, ...] = (),
    around: tuple[SpanDataset, ...] = (),
    series_form: str = "rows",
    env: str = "",
    key: str = "",
) -> QueryRequest:
    """Resolve times and limits. Without an end the range ends with the present second."""
    end_s = -(-(now_ns + 1) // _SECOND_NS)
    length = spec.range_s or limits.QUERY_RANGE_S_DEFAULT
    if spec.start_s is not None and spec.end_s is not None:
        start_s, end_s = spec.start_s, spec.end_s
    elif spec.start_s is not None:
        start_s, end_s = spec.start_s, spec.start_s + length
    else:
        end_s = spec.end_s if spec.end_s is not None else end_s
        start_s = max(_START_S_MIN, end_s - length)
    if disable_series:
        most, default = limits.QUERY_LIMIT_NO_SERIES_MAX, limits.QUERY_LIMIT_MAX
        groups = min(most, limit or spec.limit or default)
    else:
        groups = min(limits.QUERY_LIMIT_MAX, spec.limit or limits.QUERY_LIMIT_DEFAULT)
    return QueryRequest(
        spec=spec,
        dataset=dataset,
        start_ns=start_s * _SECOND_NS,
        end_ns=min(end_s * _SECOND_NS, 2**63 - 1),
        step_ns=(spec.granularity_s or _step_s(end_s - start_s, spec.compare_s)) * _SECOND_NS,
        limit=groups,
        with_series=not disable_series,
        with_total=with_total,
        with_other=with_other,
        datasets=datasets,
        around=around,
        series_form=series_form,
        env=env,
        key=key,
    )


def _step_s(length_s: int, compare_s: int | None) -> int:
    """The usual step; of a comparison the next longer or shorter one that its offset is a multiple
    of, so that steps of both ranges are the same parts of them, if there is one.
    """
    usual = _default_step_s(length_s)
    if compare_s is None or compare_s % usual == 0:
        return usual
    fit = [
        step
        for step in (*_STEPS_S, _DAY_S)
        if compare_s % step == 0 and length_s <= step * limits.SERIES_POINTS_MAX
    ]
    shorter = [step for step in fit if step < usual]
    longer = [step for step in fit if usual < step and step * _POINTS_LEAST <= length_s]
    return min(longer, default=max(shorter, default=usual))


def _default_step_s(length_s: int) -> int:
    for step in _STEPS_S:
        if length_s <= step * _POINTS_WANTED:
            return step
    return -(-length_s // (_POINTS_WANTED * _DAY_S)) * _DAY_S


def needs_of(spec: QuerySpec) -> tuple[Need, ...]:
    """The states that the calculations need, without duplicates."""
    return tuple(dict.fromkeys(calculation.need for calculation in spec.calculations))


def totals_plan(
    request: QueryRequest, *, at_least: dict[int, int], wait_ms: int, log: str = ""
) -> Plan:
    """The plan for the totals of every group."""
    spec = request.spec
    return Plan(
        dataset="" if request.datasets else request.dataset,
        start_ns=request.start_ns,
        end_ns=request.end_ns,
        needs=needs_of(spec),
        breakdowns=spec.breakdowns,
        filters=spec.filters,
        any_filter=spec.any_filter,
        calculated=spec.calculated,
        unweighted=spec.unweighted,
        log=log,
        at_least=at_least,
        wait_ms=wait_ms,
        datasets=request.datasets,
        open_spans=_open_spans(request),
        by_end=spec.time_axis is TimeAxis.END,
        env=request.env,
        key=request.key,
    )


def _open_spans(request: QueryRequest) -> OpenSpansWanted | None:
    """The time before the range that is read too is as long as the range, at least some minutes:
    an answer costs twice as much at most.
    """
    if not _counts_open_spans(request.spec):
        return None
    before_ns = max(request.end_ns - request.start_ns, limits.OPEN_BEFORE_S_MIN * _SECOND_NS)
    return OpenSpansWanted(request.step_ns // PARTS_PER_STEP, before_ns)


def series_plan(
    request: QueryRequest,
    totals: Plan,
    upto: dict[int, int],
    groups: tuple[GroupKey, ...] | None,
    *,
    grouped: bool = True,
) -> Plan:
    """The plan for series over the same rows: of these groups (None: of all that there are), or,
    if not grouped, of all events as one.
    """
    plan = msgspec.structs.replace(
        totals, step_ns=request.step_ns, log="", at_least=upto, upto=upto, groups=groups
    )
    return plan if grouped else msgspec.structs.replace(plan, breakdowns=(), groups=None)
