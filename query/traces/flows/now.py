"""Where each instance is: in a step, between two, or at its end; and how that is known.

A span that has not ended is not in the store. What is said about it says how it is known (see
docs/traces.md): `announced`, `interrupted`, `inferred` or `unknown`; `finished` is no guess.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from query.traces.flows.steps import NONE, Ints, Steps

_MS_NS: Final = 1_000_000


class Known(StrEnum):
    """How it is known where an instance is."""

    FINISHED = "finished"  # its last step is terminal, says that nothing follows, or is the root
    ANNOUNCED = "announced"  # an event told that the step began, and none that it ended
    INTERRUPTED = "interrupted"  # announced, and then too quiet, or gone on with elsewhere
    INFERRED = "inferred"  # between two steps since the last one's end
    UNKNOWN = "unknown"  # nothing tells whether more follows


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where an instance that is not finished is.

    step: the one that it is in, or the last one that ended. since_ns: unix ns.
    visits: how often the instance was in this step. next_step: what its last event says follows.
    """

    instance: str
    trace: str | None
    step: str
    since_ns: int
    known: Known
    visits: int
    next_step: str | None = None


def whereabouts(
    steps: Steps, now_ns: int, silent_ms: float, terminal: Collection[str]
) -> list[Whereabouts]:
    """One per instance that is not finished, the one that has not moved for longest first.

    silent_ms: an announced step of an instance without any later event for longer is interrupted.
    terminal: names of steps after which nothing follows.
    """
    if not len(steps):
        return []
    first = np.flatnonzero(steps.first_of_instance)
    own = np.cumsum(steps.first_of_instance) - 1  # the group of each row
    newest_ns = np.maximum.reduceat(np.maximum(steps.end_ns, steps.start_ns), first)
    current = _current(steps, own, len(first))
    visits = _visits(steps)
    found = []
    for group, row in enumerate(current.tolist()):
        following = _text(steps.names, steps.next_step[row])
        if steps.announced[row]:
            silent = now_ns - int(newest_ns[group]) > silent_ms * _MS_NS
            known = Known.INTERRUPTED if silent or _moved(steps, row) else Known.ANNOUNCED
            since_ns = int(steps.start_ns[row])
        else:
            known = _after(steps, row, following, terminal)
            since_ns = int(steps.end_ns[row])
        if known is Known.FINISHED:
            continue
        found.append(
            Whereabouts(
                instance=steps.instances[int(steps.instance[row])],
                trace=_text(steps.traces, steps.trace[row]),
                step=steps.names[int(steps.step[row])],
                since_ns=since_ns,
                known=known,
                visits=int(visits[row]),
                next_step=following or None,
            )
        )
    found.sort(key=lambda one: (one.since_ns, one.instance))
    return found


def _current(steps: Steps, own: Ints, groups: int) -> Ints:
    """Per instance the row that tells where it is: the latest step that was announced and has not
    ended, else the step that ended last.
    """
    order = np.lexsort((steps.start_ns, steps.end_ns, steps.announced, own))
    last = np.searchsorted(own[order], np.arange(groups), side="right") - 1
    current: Ints = order[last]
    return current


def _moved(steps: Steps, row: int) -> bool:
    """Whether another process went on with the instance after this step began."""
    process = steps.process[row]
    end = row + 1
    while end < len(steps) and steps.instance[end] == steps.instance[row]:
        other = steps.process[end]
        if process != NONE and other not in (NONE, process):
            return True
        end += 1
    return False


def _after(steps: Steps, row: int, following: str | None, terminal: Collection[str]) -> Known:
    """What is known after a step that ended."""
    if following == "" or steps.names[int(steps.step[row])] in terminal:
        return Known.FINISHED
    if following or terminal:
        return Known.INFERRED
    return Known.FINISHED if steps.root[row] else Known.UNKNOWN


def _visits(steps: Steps) -> Ints:
    """Per row, how many rows of its instance have its step."""
    code = steps.instance * (len(steps.names) + 1) + steps.step
    _, where, counts = np.unique(code, return_inverse=True, return_counts=True)
    visits: Ints = counts[where]
    return visits


def _text(texts: Sequence[str], number: int) -> str | None:
    return None if number == NONE else texts[int(number)]
