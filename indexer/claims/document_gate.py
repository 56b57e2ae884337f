"""When documents of a newer version may be written: once all who read them have announced it.

A member may be away for a moment (a restart, a lost session, a zone that is down) and come back
with an earlier version of the program. So a newer version is written only after every member that
is seen has known it for a while in which none has left, and no member that the roster remembers
knew less. That a version was opened is in the roster before the first document of it is written:
it then stays open, except while a member is seen that does not know it.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping

from common import limits
from common.clock import Clock
from common.errors import BellwetherError, Unavailable
from common.locks import Locks
from common.logs import log_event
from common.process.members import Member, list_readers
from common.process.versions import OWN
from common.tasks import run_every
from snapshot.documents.roster import Roster, RosterBook, with_seen
from snapshot.threads import to_store_thread

_S_NS = 10**9
logger = logging.getLogger(__name__)


class StoreTooNew(BellwetherError):
    """The store may have documents that this program does not know; upgrade the program."""


class MembersGate:
    """A `DocumentGate` over the members in the locks and in the roster.

    wait_s: how long all must have known a version, and none have left.
    """

    def __init__(
        self, locks: Locks, book: RosterBook, clock: Clock, wait_s: float, instance: str
    ) -> None:
        self._locks = locks
        self._book = book
        self._clock = clock
        self._wait_ns = int(wait_s * _S_NS)
        self._instance = instance
        self.roster = Roster()
        self._roster_read_ns = 0
        self._read_ns: int | None = None
        self._seen: Mapping[str, int] = {}
        self._known_since_ns: dict[int, int] = {}  # by version of documents

    def open(self) -> None:
        """Read the roster, before anything else of the store. Blocks.

        In a store that nobody has written to there is nothing to wait for.
        Raises StoreTooNew, ObjectsUnavailable.
        """
        self.roster = self._book.read()
        self._roster_read_ns = self._clock.monotonic_ns()
        if self.roster.number == 0 and self._book.is_new_store():
            self._wait_ns = 0
        if self.roster.opened > OWN.documents:
            raise StoreTooNew(
                f"the object store has documents of version {self.roster.opened}, this program "
                f"knows versions up to {OWN.documents}: upgrade it (docs/operating.md, Upgrading)"
            )

    def allows(self, documents: int) -> bool:
        """Whether documents of this version may be written now. False while members are unknown."""
        return documents <= 1 or (documents <= self.roster.opened and self._known_by_all(documents))

    async def run(self) -> None:
        """Look at the members regularly, until cancelled."""
        await run_every(limits.MEMBERS_LOOK_S, self.look, at_once=True)

    async def look(self) -> None:
        """Look at the members once, and note in the roster what has changed."""
        try:
            members = await asyncio.to_thread(list_readers, self._locks)
            self._note(members)
            await to_store_thread(self._keep_roster)
        except Unavailable as error:
            log_event(logger, logging.INFO, "members are not known", why=str(error))

    def describe(self) -> dict[str, object]:
        """For the status: which versions may be written, and which places keep the next one out."""
        allowed = [version for version in range(1, OWN.documents + 1) if self.allows(version)]
        newest = allowed[-1]
        lacking = {name for name, documents in self._seen.items() if documents <= newest}
        waits_for = sorted(lacking | set(self.roster.lacking(newest + 1)))
        return {
            "documents": newest,
            "known": OWN.documents,
            "opened": self.roster.opened,
            "waits_for": waits_for if newest < OWN.documents else [],
        }

    def _known_by_all(self, documents: int) -> bool:
        """Whether every member seen lately knows the version; False if none were seen lately."""
        now_ns = self._clock.monotonic_ns()
        if self._read_ns is None or now_ns - self._read_ns > limits.MEMBERS_FRESH_S * _S_NS:
            return False
        return documents in self._known_since_ns

    def _note(self, members: Iterable[Member]) -> None:
        now_ns = self._read_ns = self._clock.monotonic_ns()
        seen: dict[str, int] = {}
        for member in members:
            place = f"{member.role}/{member.zone}/{member.slot}"
            seen[place] = min(member.understands.documents, seen.get(place, OWN.documents))
        if self._seen.keys() - seen.keys():
            self._known_since_ns.clear()
        self._seen = seen
        newest = min([OWN.documents, *seen.values()])
        self._known_since_ns = {
            version: self._known_since_ns.get(version, now_ns) for version in range(2, newest + 1)
        }

    def _keep_roster(self) -> None:
        """Write what has changed, and open what may be opened. Blocks."""
        now_ns = self._clock.monotonic_ns()
        stale = now_ns - self._roster_read_ns > limits.ROSTER_READ_S * _S_NS
        if not stale and self._changed(self.roster) is self.roster:
            return
        self.roster, self._roster_read_ns = self._book.read(), now_ns
        changed = self._changed(self.roster)
        if changed is self.roster:
            return
        written = self._book.write(changed, self._instance, self._clock.now_ns())
        if written is None:
            return  # the next look begins with what the other one wrote
        if written.opened > self.roster.opened:
            log_event(logger, logging.INFO, "documents opened", version=written.opened)
        self.roster = written

    def _changed(self, roster: Roster) -> Roster:
        """The roster with what is seen now; the same object if that is nothing new."""
        seen = with_seen(roster, self._seen, self._clock.now_ns())
        opened = roster.opened
        while self._may_open(opened + 1, seen):
            opened += 1
        return seen if opened == roster.opened else _opened(seen, opened)

    def _may_open(self, documents: int, roster: Roster) -> bool:
        since_ns = self._known_since_ns.get(documents)
        return (
            since_ns is not None
            and self._clock.monotonic_ns() - since_ns >= self._wait_ns
            and not roster.lacking(documents)
        )


def _opened(roster: Roster, documents: int) -> Roster:
    return Roster(number=roster.number, places=roster.places, opened=documents)
