"""Delays a cut while a damaged record in it may be whole in another copy (I2, I3).

The rule (docs/adr/0019-damaged-records.md): the chain of manifests decides whether the events of a
damaged record count. An indexer that cannot read it delays its cut for a bounded time. Meanwhile it
reads the record again, queries the other indexers, and adopts a cut that one of them publishes;
indexing and answers continue.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from common import limits
from common.clock import Clock
from common.errors import LogUnavailable, ObjectsUnavailable
from common.log import Log
from common.logs import log_event
from common.process.versions import VersionedRequest
from indexer.state.resync import Resync
from snapshot.documents.chain import Chain
from snapshot.documents.manifest import parse_manifest_key
from snapshot.threads import to_store_thread

_ROUND_S = 1.0
_SLOW_AFTER = 10  # rounds; then recovery is unlikely soon, and checks become rarer
_SLOW_ROUND_S = 5.0
_S_NS = 10**9
logger = logging.getLogger(__name__)


class RecordsRequest(VersionedRequest, frozen=True):
    """Request for those of these records that an indexer has read whole and not published yet.

    append: the requesting indexer publishes without them, so their events must be appended again.
    """

    partition: int
    epoch_number: int
    offsets: tuple[int, ...]
    append: bool = False


class RecordsResponse(msgspec.Struct, frozen=True):
    """The requested records that an indexer has.

    read: offsets that it has read whole; it has begun to publish them.
    appended: offsets among these whose events it has appended again.
    """

    read: tuple[int, ...] = ()
    appended: tuple[int, ...] = ()


class Peers(Protocol):
    """The other indexers."""

    async def ask(self, question: RecordsRequest) -> RecordsResponse:
        """The records that at least one other indexer has. Indexers that fail count as none."""


class NoPeers:
    """For a process without other indexers."""

    async def ask(self, question: RecordsRequest) -> RecordsResponse:
        """No records."""
        return RecordsResponse()


class PublishGate:
    """Searches whole copies of one partition's damaged records, and delays its cuts meanwhile."""

    def __init__(
        self,
        chain: Chain,
        log: Log,
        peers: Peers,
        clock: Clock,
        wait_s: float,
        is_given_up: Callable[[int], bool],
    ) -> None:
        """wait_s: longest wait after a cut. is_given_up: see `DamageTracker`."""
        self._chain = chain
        self._log = log
        self._peers = peers
        self._clock = clock
        self._wait_ns = int(wait_s * _S_NS)
        self._is_given_up = is_given_up
        self.waiting_for = ""  # why a cut is delayed now, as text; empty if none is
        self._next_read = 0  # index in the list of damaged records where the next check begins
        # (predecessor, monotonic ns since another indexer's cut is expected to follow it)
        self._lost_since: tuple[str | None, int] | None = None

    def lost_to_another(self, predecessor: str | None) -> None:
        """Note that another indexer's cut will follow this manifest."""
        if self._lost_since is None or self._lost_since[0] != predecessor:
            self._lost_since = (predecessor, self._clock.monotonic_ns())

    def is_stuck(self, predecessor: str | None) -> bool:
        """Whether that other cut has not been published for as long as a cut may wait."""
        if self._lost_since is None or self._lost_since[0] != predecessor:
            return False
        return self._clock.monotonic_ns() - self._lost_since[1] >= self._wait_ns

    async def wait_for_copies(
        self, epoch_number: int, damaged: Sequence[int], predecessor: str | None, cut_ns: int
    ) -> None:
        """Wait while these offsets may be recovered, at most `wait_s`.

        While another indexer has read some of them, the wait lasts until it has published them
        or appended their events again. cut_ns: monotonic time of the cut. Raises Resync when a
        resumption gains the rows.
        """
        rounds = 0
        try:
            while True:
                waited_ns = self._clock.monotonic_ns() - cut_ns
                late = waited_ns >= self._wait_ns
                left = [offset for offset in damaged if not self._is_given_up(offset)]
                held = await self.check_once(epoch_number, left, predecessor, append=late)
                waits_for = set(held.read) - set(held.appended)
                if not left or (late and not waits_for):
                    return
                self._report(left, bool(waits_for), waited_ns, first=rounds == 0)
                rounds += 1
                pause_s = _ROUND_S if rounds < _SLOW_AFTER else _SLOW_ROUND_S
                left_s = (self._wait_ns - waited_ns) / _S_NS
                await asyncio.sleep(pause_s if late else min(pause_s, max(0.05, left_s)))
        finally:
            self.waiting_for = ""

    async def check_once(
        self,
        epoch_number: int,
        damaged: Sequence[int],
        predecessor: str | None,
        *,
        append: bool = False,
        read_again_max: int = limits.DAMAGE_READ_AGAIN_MAX,
    ) -> RecordsResponse:
        """Check once. Raises Resync when a resumption gains the rows."""
        await self._check_for_other_cut(epoch_number, predecessor)
        begin = self._next_read % len(damaged) if damaged else 0
        self._next_read = begin + read_again_max
        turned = [*damaged[begin:], *damaged[:begin]]  # so that each is tried in turn
        for offset in turned[:read_again_max]:
            try:
                record = await self._log.read_again(self._chain.partition, offset)
            except LogUnavailable:
                break
            if record is not None and record.damage is None:
                raise Resync(f"record {offset} was damaged and can be read now")
        if not damaged:
            return RecordsResponse()
        asked = tuple(damaged[: limits.DAMAGE_ASKED_MAX])
        question = RecordsRequest(self._chain.partition, epoch_number, asked, append)
        return await self._peers.ask(question)

    async def _check_for_other_cut(self, epoch_number: int, predecessor: str | None) -> None:
        try:
            keys = await to_store_thread(self._chain.manifest_keys, predecessor or "")
        except ObjectsUnavailable:
            return  # no indexer can publish now
        if any(parse_manifest_key(key)[1] == epoch_number for key in keys):
            raise Resync("another indexer has published a cut over a record that is damaged here")

    def _report(self, left: Sequence[int], is_held: bool, waited_ns: int, *, first: bool) -> None:
        left_s = max(0, self._wait_ns - waited_ns) / _S_NS
        why = f"another copy is looked for; without one it is published in {left_s:.0f} s"
        if is_held:
            why = "another indexer has their rows and publishes them"
        self.waiting_for = (
            f"a cut waits, for {len(left)} records in it are damaged, the first at offset "
            f"{left[0]}: {why}"
        )
        if first:
            partition = self._chain.partition
            log_event(
                logger, logging.ERROR, "a cut waits", partition=partition, why=self.waiting_for
            )
