"""How it is known that a span has not finished: what the store can tell, and nothing more.

An SDK sends a span when it ends, so one that runs, or whose process was killed, is not stored.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class How(StrEnum):
    """How an unfinished span is known."""

    INFERRED = "inferred"  # its id is only ever a parent: begun at the latest with its first child
    ANNOUNCED = "announced"  # an event told of its start
    INTERRUPTED = "interrupted"  # too long without end or child, or another process went on
    UNKNOWN = "unknown"  # an event with its id came, without duration and without announcement


@dataclass(frozen=True, slots=True)
class OpenSpan:
    """An unfinished span.

    how: the judgement.
    known_by: how it is known at all; differs from `how` for an interrupted one.
    since_ns: unix ns of its start; of an inferred one, the latest that it can be.
    last_ns: unix ns of the last that is known of it: its start, or a time of what is below it.
    silent: neither an end nor anything below it for longer than the stated time.
    went_on_ns: unix ns of the start of a later span of the same instance in another process.
    """

    how: How
    known_by: How
    since_ns: int
    last_ns: int
    silent: bool = False
    went_on_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What the judgement needs of a span. Arguments as in `OpenSpan`.

    instance: spans of one instance follow each other; empty where that is not known.
    """

    known_by: How
    since_ns: int
    last_ns: int
    instance: tuple[str, ...]
    process: str


class LastStarts:
    """Per instance, when its last span began, in each of the two processes that were last."""

    def __init__(self, started: Iterable[tuple[tuple[str, ...], str, int]]) -> None:
        """started: instance, process and start in unix ns of every span that has them."""
        self._last: dict[tuple[str, ...], list[tuple[int, str]]] = {}
        for instance, process, start_ns in started:
            if not instance or not process:
                continue
            last = self._last.setdefault(instance, [])
            last[:] = _two_last(last, start_ns, process)

    def elsewhere_ns(self, instance: tuple[str, ...], process: str) -> int | None:
        """The last start in another process; None without one."""
        if not process:
            return None
        others = (at for at, other in self._last.get(instance, ()) if other != process)
        return max(others, default=None)


def _two_last(last: list[tuple[int, str]], start_ns: int, process: str) -> list[tuple[int, str]]:
    by_process = {other: at for at, other in last}
    by_process[process] = max(start_ns, by_process.get(process, start_ns))
    return sorted(((at, name) for name, at in by_process.items()), reverse=True)[:2]


def judge(
    span: Unfinished, lasts: LastStarts, now_ns: int, silent_ns: int, skew_ns: int
) -> OpenSpan:
    """The judgement at `now_ns`.

    silent_ns: longer without a sign, a span counts as interrupted.
    skew_ns: a start in another process counts as later if it is so much later.
    """
    if span.known_by is How.UNKNOWN:
        return OpenSpan(How.UNKNOWN, How.UNKNOWN, span.since_ns, span.last_ns)
    silent = now_ns - span.last_ns > silent_ns
    went_on_ns = lasts.elsewhere_ns(span.instance, span.process)
    if went_on_ns is not None and went_on_ns <= span.last_ns + skew_ns:
        went_on_ns = None
    how = How.INTERRUPTED if silent or went_on_ns is not None else span.known_by
    return OpenSpan(how, span.known_by, span.since_ns, span.last_ns, silent, went_on_ns)
