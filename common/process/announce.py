"""A role process announces its address to the others for as long as it runs (I8).

While the locks are unavailable the role runs unannounced and retries; if the locks lose the
announcement (a session that ended, files that were removed), it is announced again.
"""

import asyncio
import logging

from common.errors import Unavailable
from common.locks import Claim, Locks
from common.logs import log_event
from common.process.members import Member, encode_member
from common.tasks import run_every

_RENEW_S = 1.0
_logger = logging.getLogger(__name__)


class Announcement:
    """The member's entry under `roles/`. Calls to the locks run in threads."""

    def __init__(self, locks: Locks, member: Member) -> None:
        self._locks = locks
        self._member = member
        self._claim: Claim | None = None

    async def renew(self) -> None:
        """Announce the member if it is not announced and the locks can be reached."""
        if self._claim is not None and await asyncio.to_thread(self._claim.held):
            return
        await self.withdraw()
        name = f"roles/{self._member.role}/{self._member.instance}"
        try:
            value = encode_member(self._member)
            self._claim = await asyncio.to_thread(self._locks.acquire, name, value)
        except Unavailable as error:
            log_event(_logger, logging.WARNING, "not announced: no locks", why=str(error))

    async def keep(self) -> None:
        """Keep it announced until cancelled."""
        await run_every(_RENEW_S, self.renew)

    async def withdraw(self) -> None:
        """Remove the announcement."""
        claim, self._claim = self._claim, None
        if claim is None:
            return
        try:
            await asyncio.to_thread(claim.release)
        except Unavailable as error:
            log_event(_logger, logging.WARNING, "not withdrawn: no locks", why=str(error))
