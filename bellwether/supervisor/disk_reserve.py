"""ReserveMaintenance on the disk of one machine: tended by `up`, watched and told by every role."""

import asyncio
from contextlib import suppress
from pathlib import Path

from bellwether.backends import log_folder, reserve_of
from bellwether.config.settings import Settings
from bellwether.supervisor.console import UpConsole
from common.process.alarms.board import AlarmBoard
from common.process.reserve import Reserve, drop_caches
from common.tasks import run_every

_LOOK_S = 1.0


class ReserveMaintenance:
    """The supervisor's side. A disk that cannot be written is told by what needs it, not here."""

    def __init__(self, reserve: Reserve, data: Path, screen: UpConsole) -> None:
        self._reserve = reserve
        self._data = data
        self._screen = screen
        self._told: str | None = None
        self._next_s = 0.0

    def before_start(self) -> None:
        """Give up the room if the disk is full, before anything has to be written."""
        if self._data.is_dir():
            self._tend()

    def before_roles(self) -> None:
        """With nobody running: the caches go too if even the reserve has been used up."""
        if self._tend() is not None:
            drop_caches(self._data)

    def look(self, now_s: float) -> None:
        """Once a second: give it up or take it back, and say so."""
        if now_s < self._next_s:
            return
        self._next_s = now_s + _LOOK_S
        refusal = self._tend()
        if (refusal is None) != (self._told is None):
            self._screen.room(refusal)
            self._told = refusal

    def _tend(self) -> str | None:
        with suppress(OSError):  # what it is, is told by the look that follows
            self._reserve.adjust()
        return self._reserve.trouble()


async def watch_disk_space(settings: Settings, alarms: AlarmBoard) -> None:
    """Raise the alarm while the log takes no records for want of room. Until cancelled."""
    if log_folder(settings) is None:
        return
    reserve = reserve_of(settings)

    async def update() -> None:
        alarms.set("disk_full", await asyncio.to_thread(reserve.trouble))

    await run_every(_LOOK_S, update, at_once=True)
