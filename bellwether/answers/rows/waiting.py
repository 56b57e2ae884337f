"""What a tail waits for, on standard error: at its start, and again when no event comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from bellwether.answers.rows.empty import EVER
from bellwether.answers.rows.pages import PATH
from bellwether.answers.rows.table import short_time
from bellwether.client import ClientError

if TYPE_CHECKING:
    from bellwether.client.session import Client

_QUIET_S: Final = 5.0  # without an event, before the time of the newest one is printed


class Waiting:
    """The notices of one tail.

    choice: conditions and fields of the request.
    seen: whether an event has come.
    """

    def __init__(
        self, dataset: str, text: str, choice: dict[str, Any], notify: Callable[[str], None] | None
    ) -> None:
        self.dataset = dataset
        self.choice = choice
        self.seen = False
        self._started = asyncio.Event()
        self._conditions = " ".join(text.split()) if choice.get("filters") else ""
        self._notify = notify

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that are shown, in their order; none: all of them."""
        return tuple(self.choice.get("fields", ()))

    def begin(self) -> None:
        """The stream runs."""
        self._started.set()

    async def report(self, client: Client, quiet_s: float = _QUIET_S) -> None:
        """Print what is followed, and the time of the newest events if none comes for a while."""
        if self._notify is None:
            return
        await self._started.wait()
        events = f"events of {self.dataset}" + (f" {self._conditions}" if self._conditions else "")
        self._notify(f"waiting for {events}; Ctrl-C stops")
        await asyncio.sleep(quiet_s)
        if self.seen:
            return
        text = "nothing has matched yet" if self._conditions else "nothing has come yet"
        newest = await self._newest(client, {})
        if newest is not None:
            text += f"; the newest event of {self.dataset} is of {newest}"
            if self._conditions:
                matching = await self._newest(client, self._filters())
                text += f", the newest that matches of {matching}" if matching else ""
        if not self.seen:
            self._notify(text)

    def _filters(self) -> dict[str, Any]:
        return {name: value for name, value in self.choice.items() if name != "fields"}

    async def _newest(self, client: Client, conditions: dict[str, Any]) -> str | None:
        """The time of the newest event; None where there is none or the request fails."""
        body = {"dataset": self.dataset, "limit": 1, "fields": [], **EVER, **conditions}
        try:
            rows = (await client.json("POST", PATH, body))["rows"]
        except ClientError:
            return None
        return short_time(rows[0]["time"]) if rows else None
