"""The disk reserve of one machine: `up` adjusts it, every role raises an alarm by it."""

import asyncio
from contextlib import suppress
from pathlib import Path

from bellwether.backends import log_folder, reserve_of
from bellwether.config.settings import Settings
from bellwether.supervisor.console import UpConsole
from common.process.alarms.board import AlarmBoard
from common.process.machine.reserve import Reserve, drop_caches
from common.tasks import run_every

_CHECK_S = 1.0


class ReserveMaintenance:
    """Keeps the reserve for `up`. Errors of the disk are reported by what needs it, not here."""

    def __init__(self, reserve: Reserve, data: Path, console: UpConsole) -> None:
        self._reserve = reserve
        self._data = data
        self._console = console
        self._shown: str | None = None
        self._next_s = 0.0

    def before_start(self) -> None:
        """Release the reserve if the disk is full, before anything has to be written."""
        if self._data.is_dir():
            self._adjust()

    def before_roles(self) -> None:
        """Before any role runs: remove the caches too if even the reserve has been used up."""
        if self._adjust() is not None:
            drop_caches(self._data)

    def check(self, now_s: float) -> None:
        """Once a second: release or retake the reserve, and print a change."""
        if now_s < self._next_s:
            return
        self._next_s = now_s + _CHECK_S
        refusal = self._adjust()
        if (refusal is None) != (self._shown is None):
            self._console.disk_space(refusal)
            self._shown = refusal

    def _adjust(self) -> str | None:
        with suppress(OSError):  # `trouble`, which follows, returns the reason
            self._reserve.adjust()
        return self._reserve.trouble()


async def watch_disk_space(settings: Settings, alarms: AlarmBoard) -> None:
    """Raise the alarm while the log takes no records for lack of space. Until cancelled."""
    if log_folder(settings) is None:
        return
    reserve = reserve_of(settings)

    async def update() -> None:
        alarms.set("disk_full", await asyncio.to_thread(reserve.trouble))

    await run_every(_CHECK_S, update, at_once=True)
