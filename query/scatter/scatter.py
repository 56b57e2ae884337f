"""Sends one plan to one replica of every partition, and to another if that fails or is slow.

Keeps I7: each partition is counted from exactly one share, and a partition without one is listed.
All shares of a plan are of one version: the oldest among the indexers that may answer it.
"""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Final

import aiohttp

from common.errors import TooManyRequests, Unavailable, Unprocessable, without_frames
from common.logs import log_event
from common.metrics import share_failovers_total, share_hedges_total, share_seconds
from common.process.members import Member
from common.process.versions import OWN, oldest
from common.process.web import INTERNAL_TOKEN_HEADER
from common.tasks import cancel_and_wait
from query.asking.question import present_question
from query.config import STANDARD_LIMITS, ProbeTiming
from query.plan.plan import Plan, state_fields, version_needed
from query.scatter.hedging import HedgingPolicy
from query.scatter.liveness import wait_until_unresponsive
from query.scatter.partial_results import AnsweredPartition, PartialResults
from query.scatter.replicas import Replicas
from query.scatter.share_request import (
    OlderIndexer,
    ShareFailed,
    VersionedPlan,
    post_share,
)
from query.scatter.state_room import QuestionStates

_logger = logging.getLogger(__name__)
_REFUSALS: Final = (Unprocessable, TooManyRequests, Unavailable)


class Scatter:
    """Sends plans to indexers, those of its own zone first, and hedges slow requests."""

    def __init__(
        self,
        replicas: Replicas,
        http: aiohttp.ClientSession,
        token: str,
        hedging: HedgingPolicy,
        probing: ProbeTiming = STANDARD_LIMITS.probing,
    ) -> None:
        self._replicas = replicas
        self._http = http
        self._headers = {INTERNAL_TOKEN_HEADER: token}
        self._hedging = hedging
        self._probing = probing

    async def run(
        self,
        plan: Plan,
        partitions: Sequence[int],
        states: QuestionStates,
        *,
        version_max: int = OWN.plan,
        keys: bytes = b"",
    ) -> PartialResults:
        """The shares of all partitions that an indexer answers for.

        states: of the question, which may hold only so many.
        keys: the tables of the plan's joins (`query.wire.keys.encode_keys`).
        version_max: of states that these are merged with; the result may be of an earlier one.

        Raises Unprocessable if the query is too heavy, TooManyRequests if this key has too many
        queries running or too large ones, Unavailable if others keep all indexers busy or all the
        memory for states.
        """
        present_question().reads(state_fields(plan), plan.start_ns, plan.end_ns)
        by_partition = await self._replicas.by_partition()
        least = version_needed(plan)
        holders = (m.understands for p in partitions for m in by_partition.get(p, []))
        version = min(oldest(one for one in holders if one.plan >= least).plan, version_max)
        while True:
            try:
                asked = VersionedPlan(plan, version, states, keys)
                gathered = await self._gather(asked, tuple(partitions), frozenset())
            except OlderIndexer as error:  # which has fewer versions, so this ends
                version = without_frames(error).version
                continue
            gathered.version = version
            return gathered

    async def _gather(
        self, asked: VersionedPlan, partitions: tuple[int, ...], tried: frozenset[str]
    ) -> PartialResults:
        """Shares of these partitions, from indexers that were not tried. Raises OlderIndexer."""
        by_partition = await self._replicas.by_partition()
        chosen: dict[str, list[int]] = {}
        members: dict[str, Member] = {}
        gathered = PartialResults()
        for partition in partitions:
            holders = by_partition.get(partition, [])
            untried = [m for m in _that_know(asked.plan, holders) if m.url not in tried]
            untried.sort(key=lambda m: self._hedging.is_suspect(m.url))
            if not untried:
                gathered.missing[partition] = _why_missing(asked.plan, holders, tried)
                continue
            if untried[0].understands.plan < asked.version:
                raise OlderIndexer(untried[0], untried[0].understands.plan)
            members[untried[0].url] = untried[0]
            chosen.setdefault(untried[0].url, []).append(partition)
        shares = [
            self._hedged_share(asked, tuple(wanted), members[url], tried | {url})
            for url, wanted in chosen.items()
        ]
        for part in await _all_or_first_error(shares):
            gathered.add(part)
        return gathered

    async def _hedged_share(
        self,
        asked: VersionedPlan,
        partitions: tuple[int, ...],
        member: Member,
        tried: frozenset[str],
    ) -> PartialResults:
        """The member's share; the twins' where the member fails, is slow, or covers less."""
        first = asyncio.create_task(self._request_share(asked, partitions, member))
        twin: asyncio.Task[PartialResults] | None = None
        try:
            await asyncio.wait({first}, timeout=self._hedging.hedge_after_s(asked.plan.wait_ms))
            if not first.done() and await self._may_hedge(asked, partitions, tried):
                twin = asyncio.create_task(self._gather(asked, partitions, tried))
                await asyncio.wait({first, twin}, return_when=asyncio.FIRST_COMPLETED)
                if (
                    not first.done()
                    and twin.exception() is None
                    and not (found := twin.result()).missing
                ):
                    self._hedging.suspect(member.url)
                    share_hedges_total.labels("won").inc()
                    found.hedged += 1
                    return found
                share_hedges_total.labels("lost").inc()
            try:
                mine = await first
            except ShareFailed as error:
                self._replicas.forget()
                self._hedging.suspect(member.url)
                share_failovers_total.labels(without_frames(error).why).inc()
                return await (twin or self._gather(asked, partitions, tried))
            except _REFUSALS:  # also when the twin's states leave no room for these
                if twin is None or (found := await twin).missing:
                    raise
                return found
            left = tuple(p for p in partitions if p not in mine.answered)
            if left:  # another indexer has just taken them over
                mine.add(await self._gather(asked, left, tried))
            if mine.incomplete and await self._has_other(asked, partitions, tried):
                return await self._more_complete(mine, self._gather(asked, partitions, tried))
            return mine
        finally:
            await cancel_and_wait(task for task in (first, twin) if task is not None)

    async def _more_complete(
        self, mine: PartialResults, asked: Coroutine[None, None, PartialResults]
    ) -> PartialResults:
        """Mine or another's, which may be refused, also where there is no room for both."""
        try:
            other = await asked
        except _REFUSALS:
            return mine
        return other if other.incomplete < mine.incomplete else mine

    async def _may_hedge(
        self, asked: VersionedPlan, partitions: tuple[int, ...], tried: frozenset[str]
    ) -> bool:
        if not await self._has_other(asked, partitions, tried):
            return False
        if self._hedging.may_hedge():
            return True
        share_hedges_total.labels("refused").inc()
        return False

    async def _has_other(
        self, asked: VersionedPlan, partitions: tuple[int, ...], tried: frozenset[str]
    ) -> bool:
        by_partition = await self._replicas.by_partition()
        holders = (_that_know(asked.plan, by_partition.get(p, [])) for p in partitions)
        return any(m.url not in tried for some in holders for m in some)

    async def _request_share(
        self, asked: VersionedPlan, partitions: tuple[int, ...], member: Member
    ) -> PartialResults:
        """One indexer's share. Raises ShareFailed, OlderIndexer, Unprocessable, TooManyRequests."""
        begin_s = asyncio.get_running_loop().time()
        suspect = self._hedging.is_suspect(member.url)
        answering = asyncio.create_task(
            post_share(self._http, self._headers, asked, partitions, member)
        )
        watching = asyncio.create_task(
            wait_until_unresponsive(self._http, member, self._probing, suspect=suspect)
        )
        try:
            await asyncio.wait({answering, watching}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                log_event(
                    _logger,
                    logging.WARNING,
                    "no share",
                    indexer=member.instance,
                    why=watching.result(),
                )
                raise ShareFailed("silent", watching.result())
            answer = answering.result()
        finally:
            await cancel_and_wait((answering, watching))
        took_s = asyncio.get_running_loop().time() - begin_s
        report = answer.report
        present_question().has_read(report.rows, report.size_bytes, answer.size_bytes)
        self._hedging.record_answer(member.url, took_s, waited=asked.plan.wait_ms > 0)
        share_seconds.observe(took_s)
        answered = {c.partition: AnsweredPartition(c, member) for c in answer.report.covered}
        return PartialResults(
            [answer.states],
            answered,
            types=dict(answer.report.types),
            given_way=set(answer.report.given_way),
            state_bytes=answer.size_bytes,
            rows=report.rows,
            size_bytes=report.size_bytes,
        )


def _that_know(plan: Plan, members: Sequence[Member]) -> list[Member]:
    """The indexers that know such plans."""
    least = version_needed(plan)
    return [member for member in members if member.understands.plan >= least]


def _why_missing(plan: Plan, holders: Sequence[Member], tried: frozenset[str]) -> str:
    if tried:
        return "no indexer that holds it answered"
    least = version_needed(plan)
    older = [member.instance for member in holders if member.understands.plan < least]
    if older:
        return (
            f"{', '.join(sorted(older))} does not know such questions yet (requests of version "
            f"{least}): upgrade it"
        )
    return "no indexer holds it"


async def _all_or_first_error(
    asked: Sequence[Coroutine[None, None, PartialResults]],
) -> list[PartialResults]:
    """All results. The first failure cancels the others and is raised."""
    tasks = [asyncio.create_task(one) for one in asked]
    try:
        return await asyncio.gather(*tasks)
    finally:
        await cancel_and_wait(tasks)
