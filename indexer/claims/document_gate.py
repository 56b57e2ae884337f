"""When documents of a newer version may be written: once all who read them have announced it.

A member may be away for a moment (a restart, a lost session, a zone that is down), and come back
with an earlier version of the program. So a newer version is written only after every member that
is seen has known it for a while in which none has left. A member that comes back later than that
with an earlier version loses nothing: it stops at a document that it does not know and reports it.
"""

import asyncio
import logging
from collections.abc import Iterable

from common import limits
from common.clock import Clock
from common.errors import Unavailable
from common.locks import Locks
from common.logs import log_event
from common.process.members import Member, list_readers
from common.process.versions import OWN, oldest
from common.tasks import run_every

_S_NS = 10**9
logger = logging.getLogger(__name__)


class MembersGate:
    """A `DocumentGate` over the members in the locks.

    wait_s: how long all must have known a version, and none have left.
    """

    def __init__(self, locks: Locks, clock: Clock, wait_s: float) -> None:
        self._locks = locks
        self._clock = clock
        self._wait_ns = int(wait_s * _S_NS)
        self._read_ns: int | None = None
        self._places: frozenset[tuple[str, str, str]] = frozenset()
        self._known_since_ns: dict[int, int] = {}  # by version of documents

    def allows(self, documents: int) -> bool:
        """Whether documents of this version may be written now. False while members are unknown."""
        now_ns = self._clock.monotonic_ns()
        if documents <= 1:
            return True
        if self._read_ns is None or now_ns - self._read_ns > limits.MEMBERS_FRESH_S * _S_NS:
            return False
        since_ns = self._known_since_ns.get(documents)
        return since_ns is not None and now_ns - since_ns >= self._wait_ns

    async def run(self) -> None:
        """Read the members regularly, until cancelled."""
        await run_every(limits.MEMBERS_LOOK_S, self.look, at_once=True)

    async def look(self) -> None:
        """Read the members once."""
        try:
            members = await asyncio.to_thread(list_readers, self._locks)
        except Unavailable as error:
            log_event(logger, logging.INFO, "members are not known", why=str(error))
            return
        self._note(members)

    def describe(self) -> dict[str, object]:
        """For the status: the newest version that may be written, and that all members know."""
        allowed = [version for version in range(1, OWN.documents + 1) if self.allows(version)]
        return {"documents": allowed[-1], "known": max(self._known_since_ns, default=1)}

    def _note(self, members: Iterable[Member]) -> None:
        now_ns = self._read_ns = self._clock.monotonic_ns()
        members = list(members)
        places = frozenset((member.role, member.zone, member.slot) for member in members)
        if self._places - places:
            self._known_since_ns.clear()
        self._places = places
        newest = oldest(member.understands for member in members).documents
        self._known_since_ns = {
            version: self._known_since_ns.get(version, now_ns) for version in range(2, newest + 1)
        }
