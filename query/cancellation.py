"""Work in a thread ends early once nobody waits for its result.

Long work looks between its steps. What it calls need not be passed the event on: it belongs to the
thread's context while the work runs.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_CANCELLED: Final = ContextVar[tuple[threading.Event, ...]]("cancelled", default=())


class WorkCancelled(Exception):
    """Nobody waits for the result of this work any more."""


@contextmanager
def cancellable(cancelled: threading.Event) -> Iterator[None]:
    """The work in this block ends with WorkCancelled at its next look after the event is set, or
    that of a block around it.
    """
    token = _CANCELLED.set((*_CANCELLED.get(), cancelled))
    try:
        yield
    finally:
        _CANCELLED.reset(token)


def check_cancelled() -> None:
    """Look. Raises WorkCancelled. Costs a tenth of a microsecond: for each step, not each row."""
    for cancelled in _CANCELLED.get():
        if cancelled.is_set():
            raise WorkCancelled
