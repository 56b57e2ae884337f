"""Posts each alarm's beginning and end to one URL, in order, until the receiver has taken it.

Undelivered notices and the raised alarms are kept on the role's disk: a role that was killed posts
the rest after its next start, and the end of alarms that are over by then. The address is a secret
and is never logged.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout

from common import limits
from common.back_off import BackOff
from common.clock import Clock
from common.error_text import describe_error
from common.logs import log_event
from common.metrics import alarm_posts_total
from common.process.alarms.board import AlarmBoard, RaisedAlarm
from common.process.alarms.config import AlarmsConfig
from common.process.alarms.declared import ALARMS
from common.process.machine.disk_copy import DiskCopy

_FIRST_WAIT_S = 1.0
_STOP_GRACE_S = 2.0  # for waiting notices when the role stops
logger = logging.getLogger(__name__)


class Notice(msgspec.Struct, frozen=True):
    """The posted document. id: the same for every attempt, so that a receiver can drop repeats."""

    id: str
    alarm: str
    state: str  # begun, ended
    severity: str
    partition: int | None
    text: str
    remedy: str
    since_ns: int
    at_ns: int
    role: str
    instance: str
    zone: str


class _Kept(msgspec.Struct):
    """On disk: waiting notices, and (alarm, partition, text, since) of raised alarms."""

    waiting: list[Notice] = []
    raised: list[tuple[str, str, str, int]] = []


class AlarmPoster:
    """Posts the alarms of a board as they begin and end. Used from one event loop."""

    def __init__(
        self, board: AlarmBoard, config: AlarmsConfig, clock: Clock, folder: Path,
        who: tuple[str, str, str],
    ) -> None:  # fmt: skip
        """who: role, instance and zone of this process."""
        self._board = board
        self._config = config
        self._clock = clock
        self._who = who
        self._waiting: deque[Notice] = deque()
        self._earlier: dict[tuple[str, str], RaisedAlarm] = {}
        self._changed = asyncio.Event()
        self._copy = DiskCopy(folder / "alarms.json", self._encode)
        self._load()
        board.listen(self._on_change)

    async def run(self) -> None:
        """Post until cancelled; then waiting notices are posted for a moment more."""
        ending = asyncio.create_task(self._end_earlier())
        timeout = ClientTimeout(total=self._config.timeout_s)
        async with ClientSession(timeout=timeout) as http:
            try:
                await self._post_all(http, until_cancelled=True)
            finally:
                ending.cancel()
                try:
                    async with asyncio.timeout(_STOP_GRACE_S):
                        await self._post_all(http, until_cancelled=False)
                except TimeoutError:
                    log_event(logger, logging.WARNING, "alarms wait", notices=len(self._waiting))
                await self._copy.close()

    async def _post_all(self, http: ClientSession, *, until_cancelled: bool) -> None:
        back_off = BackOff(_FIRST_WAIT_S, limits.ALARM_POST_WAIT_S_MAX)
        while True:
            if not self._waiting:
                if not until_cancelled:
                    return
                self._changed.clear()
                await self._changed.wait()
                continue
            notice = self._waiting[0]
            if await self._post(http, notice):
                if self._waiting and self._waiting[0] is notice:
                    self._waiting.popleft()
                self._copy.changed()
                back_off.reset()
                continue
            if not until_cancelled:
                return
            await asyncio.sleep(back_off.next())

    async def _post(self, http: ClientSession, notice: Notice) -> bool:
        """Post one notice; returns False if it has to be posted again."""
        try:
            async with http.post(
                self._config.url,
                data=msgspec.json.encode(notice),
                headers={"Content-Type": "application/json"},
                allow_redirects=False,
            ) as answer:
                status = answer.status
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            alarm_posts_total.labels("failed").inc()
            log_event(logger, logging.WARNING, "alarm not posted", why=describe_error(error))
            return False
        if 200 <= status < 300:
            alarm_posts_total.labels("taken").inc()
            return True
        final = 400 <= status < 500 and status not in (401, 403, 404, 408, 425, 429)
        alarm_posts_total.labels("refused" if final else "failed").inc()
        log_event(logger, logging.ERROR, "alarm not taken", status=status, tried_again=not final)
        return final

    def _on_change(self, raised: RaisedAlarm, begins: bool) -> None:
        earlier = self._earlier.pop(raised.key, None)
        if begins and earlier is not None:
            return  # it was posted before this process started, and is still the same
        self._add(raised, begins=begins, text=raised.text)

    def _add(self, raised: RaisedAlarm, *, begins: bool, text: str) -> None:
        role, instance, zone = self._who
        state = "begun" if begins else "ended"
        now_ns = self._clock.now_ns()
        notice = Notice(
            id=f"{instance}/{raised.alarm.name}/{raised.partition}/{now_ns}/{state}",
            alarm=raised.alarm.name,
            state=state,
            severity=raised.alarm.severity.value,
            partition=int(raised.partition) if raised.partition else None,
            text=text,
            remedy=raised.alarm.remedy,
            since_ns=raised.since_ns,
            at_ns=now_ns,
            role=role,
            instance=instance,
            zone=zone,
        )
        if len(self._waiting) >= limits.ALARM_NOTICES_MAX:
            self._waiting.popleft()
            alarm_posts_total.labels("dropped").inc()
        self._waiting.append(notice)
        self._changed.set()
        self._copy.changed()

    async def _end_earlier(self) -> None:
        """Post the end of alarms that an earlier process had raised and this one has not."""
        await asyncio.sleep(limits.ALARM_SETTLE_S)
        for raised in list(self._earlier.values()):
            self._add(raised, begins=False, text="not raised any more since the restart")
        self._earlier.clear()

    def _encode(self) -> bytes:
        raised: Sequence[RaisedAlarm] = (*self._board.raised, *self._earlier.values())
        kept = [(r.alarm.name, r.partition, r.text, r.since_ns) for r in raised]
        return msgspec.json.encode(_Kept(list(self._waiting), kept))

    def _load(self) -> None:
        stored = self._copy.load()
        if not stored:
            return
        try:
            kept = msgspec.json.decode(stored, type=_Kept)
        except msgspec.DecodeError as error:
            log_event(logger, logging.WARNING, "kept alarms cannot be read", why=str(error))
            return
        self._waiting.extend(kept.waiting[-limits.ALARM_NOTICES_MAX :])
        for name, partition, text, since_ns in kept.raised:
            if name in ALARMS:
                raised = RaisedAlarm(ALARMS[name], partition, text, since_ns)
                self._earlier[raised.key] = raised
