"""The alarms that are raised in this process. Code raises and clears them on the board.

The board sets a metric, logs when an alarm begins and ends, and calls its listeners (`poster.py`
posts to a URL). Used from one event loop or thread.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from common.clock import Clock
from common.logs import log_event
from common.metrics import alarm_raised
from common.process.alarms.declared import ALARMS, Alarm

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RaisedAlarm:
    """One raised alarm.

    partition: its number as text, empty for the whole process.
    text: what is wrong now.
    since_ns: unix ns.
    """

    alarm: Alarm
    partition: str
    text: str
    since_ns: int

    @property
    def key(self) -> tuple[str, str]:
        """Its identity: the same alarm may be raised again with another text."""
        return self.alarm.name, self.partition


Listener = Callable[[RaisedAlarm, bool], None]  # the alarm, and whether it begins (or ends)


class AlarmBoard:
    """The alarms of one process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._raised: dict[tuple[str, str], RaisedAlarm] = {}
        self._listeners: list[Listener] = []
        self._clear: set[tuple[str, str]] = set()  # whose metric says so: most are looked at idly

    @property
    def raised(self) -> tuple[RaisedAlarm, ...]:
        """All of them, by name and partition."""
        return tuple(self._raised[key] for key in sorted(self._raised))

    def listen(self, listener: Listener) -> None:
        """Have `listener` called whenever an alarm begins or ends; it must not wait or raise."""
        self._listeners.append(listener)

    def set(self, name: str, text: str | None, partition: int | None = None) -> None:
        """Raise the alarm with this text, or clear it (None). KeyError: an unknown name."""
        alarm = ALARMS[name]
        where = "" if partition is None else str(partition)
        key = (name, where)
        if text is None and key in self._clear:
            return
        known = self._raised.get(key)
        alarm_raised.labels(where, name).set(text is not None)
        if text is None:
            self._clear.add(key)
            if known is not None:
                del self._raised[known.key]
                log_event(logger, logging.WARNING, f"alarm is over: {name}", **_fields(known))
                self._notify(known, begins=False)
            return
        self._clear.discard(key)
        since_ns = self._clock.now_ns() if known is None else known.since_ns
        raised = RaisedAlarm(alarm, where, text, since_ns)
        self._raised[raised.key] = raised
        if known is None:
            log_event(logger, logging.ERROR, f"ALARM: {name}", why=text, **_fields(raised))
            self._notify(raised, begins=True)

    def of(self, partition: int) -> dict[str, str]:
        """Name -> text of the alarms that are raised for a partition."""
        where = str(partition)
        return {r.alarm.name: r.text for r in self.raised if r.partition == where}

    def forget(self, partition: int) -> None:
        """Clear all alarms of a partition that this process no longer has."""
        for raised in self.raised:
            if raised.partition == str(partition):
                self.set(raised.alarm.name, None, partition)

    def describe(self) -> list[dict[str, object]]:
        """For the status: every alarm with its remedy."""
        return [
            {
                "alarm": r.alarm.name,
                "severity": r.alarm.severity.value,
                "partition": None if not r.partition else int(r.partition),
                "text": r.text,
                "remedy": r.alarm.remedy,
                "since_ns": r.since_ns,
            }
            for r in self.raised
        ]

    def _notify(self, raised: RaisedAlarm, *, begins: bool) -> None:
        for listener in self._listeners:
            listener(raised, begins)


def _fields(raised: RaisedAlarm) -> dict[str, object]:
    return {"partition": int(raised.partition)} if raised.partition else {}
