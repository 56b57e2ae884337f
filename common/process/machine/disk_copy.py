"""The copy of a small cache on this role's disk: written whole, in a thread, at most once a second.

The copy only makes a restart faster; a failed write is logged and repeated with the next change.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from pathlib import Path

from common.logs import log_event

_WRITE_INTERVAL_S = 1.0
_logger = logging.getLogger(__name__)


class DiskCopy:
    """`snapshot` gives the bytes to write; it is called on the event loop and must be quick."""

    def __init__(self, path: Path, snapshot: Callable[[], bytes]) -> None:
        self._path = path
        self._snapshot = snapshot
        self._unsaved = False
        self._saving: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def load(self) -> bytes:
        """The bytes that were written last; empty if there are none that can be read. Blocks
        briefly.
        """
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            log_event(
                _logger,
                logging.WARNING,
                "cannot read a cache",
                path=str(self._path),
                why=str(error),
            )
            return b""

    def changed(self) -> None:
        """Have the copy written soon. Needs a running event loop."""
        self._unsaved = True
        if self._saving is None or self._saving.done():
            self._saving = asyncio.get_running_loop().create_task(self._save_while_changing())

    async def _save_while_changing(self) -> None:
        while self._unsaved and not self._closing.is_set():
            await self._save()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), _WRITE_INTERVAL_S)

    async def _save(self) -> None:
        self._unsaved = False
        try:
            await asyncio.to_thread(_replace, self._path, self._snapshot())
        except OSError as error:
            log_event(
                _logger,
                logging.WARNING,
                "cannot save a cache",
                path=str(self._path),
                why=str(error),
            )

    async def close(self) -> None:
        """Write what is not yet on disk.

        A write that is under way is waited for: its thread cannot be interrupted, and it must not
        put its older bytes in the place of the last ones.
        """
        if self._saving is not None:
            self._closing.set()
            await self._saving
            await self._save()


def _replace(path: Path, data: bytes) -> None:
    """Replace the file as a whole, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    partial.replace(path)
