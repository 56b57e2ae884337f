"""The request of `POST /bw/1/flows`: which events are steps, of which instances, against what."""

from dataclasses import dataclass
from typing import Any, Final

from common import limits
from query.faults import SpecError
from query.plan.planner import build_request
from query.plan.read.checks import limit_of, whole_of
from query.plan.read.spec import read_spec
from query.plan.relations import split_conditions
from query.plan.spec import QuerySpec
from query.traces.one.read_table import HOSTS, INSTANCE, PIDS

TRACE_ID: Final = "trace.trace_id"
NAME: Final = "name"
STATE: Final = "state.name"
NEXT: Final = "state.next"
PROCESS_FIELDS: Final = (INSTANCE, *HOSTS, *PIDS)
_RANGE: Final = ("time_range", "start_time", "end_time")
_POPULATION: Final = ("filters", "filter_combination", *_RANGE)
_OWN: Final = (
    "datasets", "instance", "step", "next", "process", "terminal", "skew_ms", "silent_s",
    "repeats_over", "against", "limit", "coverage", "after",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Population:
    """Events of a time range (unix ns, half open) that meet conditions.

    related: whether some of them are about other spans of their traces.
    """

    spec: QuerySpec
    start_ns: int
    end_ns: int
    related: bool = False


@dataclass(frozen=True, slots=True)
class FlowRequest:
    """What is asked.

    datasets: names; None: all of the environment.
    instance, step: the fields that name them. next_step: a field that says what comes next.
    process: the field that names a step's process; None: as for a tree, of PROCESS_FIELDS.
    terminal: steps after which nothing follows. skew_ms: what clocks may differ by.
    silent_s: how long an instance may be silent. repeats_over: visits that are not listed.
    """

    now: Population
    against: Population | None = None
    datasets: tuple[str, ...] | None = None
    instance: str = TRACE_ID
    step: str = NAME
    next_step: str | None = None
    process: str | None = None
    terminal: tuple[str, ...] = ()
    skew_ms: float = limits.TRACE_SKEW_MS_DEFAULT
    silent_s: float = limits.TRACE_SILENT_S_DEFAULT
    repeats_over: int = 1
    limit: int = limits.FLOW_LISTED_DEFAULT

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields whose values are needed beside those that every span has."""
        wanted = [name for name in (self.instance, self.step) if name not in (TRACE_ID, NAME)]
        if self.next_step is not None:
            wanted.append(self.next_step)
        wanted += PROCESS_FIELDS if self.process is None else (self.process,)
        return tuple(dict.fromkeys(wanted))


def read_flow_request(body: dict[str, Any], now_ns: int) -> FlowRequest:
    """The request of a body. now_ns: the present time, unix ns. Raises SpecError."""
    for name in body:
        if name not in _POPULATION and name not in _OWN:
            known = ", ".join((*_OWN, *_POPULATION))
            raise SpecError(name, "invalid", f"no such member; there are {known}")
    population: dict[str, Any] = {name: body[name] for name in _POPULATION if name in body}
    step = _text(body, "step") or NAME
    following = _text(body, "next") or (NEXT if step == STATE else None)
    listed = limit_of(body, limits.FLOW_LISTED_DEFAULT, limits.FLOW_LISTED_MAX)
    repeats_over = whole_of(body, "repeats_over", 0, 10**12)
    return FlowRequest(
        now=_population(population, now_ns),
        against=_against(body, population, now_ns),
        datasets=_datasets(body),
        instance=_text(body, "instance") or TRACE_ID,
        step=step,
        next_step=following,
        process=_text(body, "process"),
        terminal=_texts(body, "terminal"),
        skew_ms=_number(body, "skew_ms", limits.TRACE_SKEW_MS_DEFAULT),
        silent_s=_number(body, "silent_s", limits.TRACE_SILENT_S_DEFAULT),
        repeats_over=1 if repeats_over is None else repeats_over,
        limit=listed,
    )


def _against(body: dict[str, Any], own: dict[str, Any], now_ns: int) -> Population | None:
    given = body.get("against")
    if given is None:
        return None
    if not isinstance(given, dict) or not given:
        why = "must be an object with filters, or a time range, or both"
        raise SpecError("against", "incorrect_type", why)
    for name in given:
        if name not in _POPULATION:
            raise SpecError(
                f"against.{name}", "invalid", f"must be one of {', '.join(_POPULATION)}"
            )
    ranged = any(name in given for name in _RANGE)
    filtered = "filters" in given
    merged = {
        name: value for name, value in own.items() if not (ranged if name in _RANGE else filtered)
    }
    try:
        return _population({**merged, **given}, now_ns)
    except SpecError as error:
        raise SpecError("against", "invalid", str(error)) from error


def _population(spec: dict[str, Any], now_ns: int) -> Population:
    read = read_spec({**spec, "calculations": [{"op": "COUNT"}]})
    request = build_request(read, "", now_ns)
    related = not split_conditions(read.filters, read.any_filter).is_plain
    return Population(read, request.start_ns, request.end_ns, related)


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise SpecError(name, "incorrect_type", "must be the name of a field")
    return value


def _texts(body: dict[str, Any], name: str) -> tuple[str, ...]:
    value = [] if body.get(name) is None else body[name]
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise SpecError(name, "incorrect_type", "must be an array of strings")
    return tuple(value)


def _datasets(body: dict[str, Any]) -> tuple[str, ...] | None:
    if body.get("datasets") is None:
        return None
    names = _texts(body, "datasets")
    if not names:
        raise SpecError("datasets", "invalid", "name a dataset, or leave it out for all of them")
    return names


def _number(body: dict[str, Any], name: str, default: float) -> float:
    value = default if body.get(name) is None else body[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e12:
        raise SpecError(name, "incorrect_type", "must be a number, not negative")
    return float(value)
