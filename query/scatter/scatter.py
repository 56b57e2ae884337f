"""Sends one plan to one replica of every partition, and to another if that fails or is slow.

Keeps I7: each partition is counted from exactly one share, and a partition without one is listed.
All shares of a plan are of one version: the oldest among the indexers that may answer it.
"""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Final, NamedTuple, NoReturn

import aiohttp
import pyarrow as pa

from common import limits
from common.error_text import describe_error
from common.errors import TooManyRequests, Unavailable, Unprocessable, without_frames
from common.logs import log_event
from common.metrics import share_failovers_total, share_hedges_total, share_seconds
from common.process.error_body import read_error_body
from common.process.fair.requester import Requester
from common.process.members import Member
from common.process.versions import OWN, oldest
from common.process.web import INTERNAL_TOKEN_HEADER
from common.tasks import cancel_and_wait
from query.asking.question import present_question
from query.config import STANDARD_LIMITS, ProbeTiming
from query.plan.plan import Plan, ShareRequest, state_fields, version_needed
from query.scatter.hedging import HedgingPolicy
from query.scatter.liveness import wait_until_unresponsive
from query.scatter.replicas import Replicas
from query.scatter.state_room import QuestionStates
from query.share.compute.answer import PartitionCovered, ShareAnswer, decode_answer
from query.share.compute.too_heavy import too_many_bytes
from query.share.states.version_1 import plan_with_tagged_groups
from query.wire.keys import encode_body

_logger = logging.getLogger(__name__)
_REFUSALS: Final = (Unprocessable, TooManyRequests, Unavailable)


class ShareFailed(Exception):
    """This indexer did not answer; another one may. why: one word, a label of the metric."""

    def __init__(self, why: str, text: str) -> None:
        super().__init__(text)
        self.why = why


class OlderIndexer(Exception):
    """An indexer that does not know the version of the plan has taken a partition over."""

    def __init__(self, member: Member, version: int) -> None:
        super().__init__(f"{member.instance} knows plans up to version {version}")
        self.version = version


class VersionedPlan(NamedTuple):
    """A plan of a question, and the version of its requests and states (`Understands.plan`).

    states: those that the question holds. keys: the encoded tables that come with the plan.
    """

    plan: Plan
    version: int
    states: QuestionStates
    keys: bytes


@dataclass(frozen=True, slots=True)
class AnsweredPartition:
    """A partition that is in the answer, and the indexer that answered for it."""

    covered: PartitionCovered
    indexer: Member


@dataclass(slots=True)
class PartialResults:
    """Shares of disjoint sets of partitions.

    states: tables by name, of each share.
    answered: partitions in the answer, by number.
    missing: the reason, by partition without a share.
    types: by field, the letters of the types that occur.
    given_way: stored fields that calculated ones take the place of.
    fields_unread: whether it is not known which calculated fields are stored.
    hedged: number of shares that the twin (the other replica) answered first.
    state_bytes: size of the states as the indexers sent them.
    rows, size_bytes: of what had to be read, as a share reports them.
    version: of the states (`Understands.plan`); those of two versions are not merged.
    """

    states: list[dict[str, pa.Table]] = field(default_factory=list)
    answered: dict[int, AnsweredPartition] = field(default_factory=dict)
    missing: dict[int, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    given_way: set[str] = field(default_factory=set)
    fields_unread: bool = False
    hedged: int = 0
    state_bytes: int = 0
    rows: int = 0
    size_bytes: int = 0
    version: int = OWN.plan

    def add(self, other: "PartialResults") -> None:
        """Add the shares of other partitions."""
        assert self.answered.keys().isdisjoint(other.answered)
        self.answered |= other.answered
        self.missing |= other.missing
        self.add_states(other)

    def add_states(self, other: "PartialResults") -> None:
        """Add states of other rows of the same partitions; their coverage stays as it is."""
        self.states += other.states
        self.hedged += other.hedged
        self.state_bytes += other.state_bytes
        self.rows += other.rows
        self.size_bytes += other.size_bytes
        self.given_way |= other.given_way
        for name, types in other.types.items():
            self.types[name] = "".join(sorted({*self.types.get(name, ""), *types}))

    @property
    def incomplete(self) -> int:
        """Number of partitions without a share, or whose share is not complete."""
        return len(self.missing) + sum(not c.covered.complete for c in self.answered.values())


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
        answering = asyncio.create_task(self._post(asked, partitions, member))
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

    async def _post(
        self, asked: VersionedPlan, partitions: tuple[int, ...], member: Member
    ) -> ShareAnswer:
        plan = plan_with_tagged_groups(asked.plan) if asked.version == 1 else asked.plan
        body = encode_body(ShareRequest(plan, partitions, version=asked.version), asked.keys)
        timeout = aiohttp.ClientTimeout(
            total=(asked.plan.timeout_ms + asked.plan.wait_ms) / 1000 + 5,
            sock_connect=limits.CONNECT_TIMEOUT_S,
        )
        try:
            async with self._http.post(
                f"{member.url}/internal/share",
                params=Requester(plan.env, plan.key)._asdict() if asked.keys else None,
                data=body if len(body) <= limits.LARGE_BODY_BYTES else BytesIO(body),
                headers=self._headers,
                timeout=timeout,
            ) as response:
                data = await _read_bounded(response, asked.states)
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            why = describe_error(error)
            log_event(_logger, logging.WARNING, "no share", indexer=member.instance, error=why)
            raise ShareFailed("gone", why) from error
        if status != 200:
            _raise_refusal(status, bytes(data), member)
        try:
            if len(data) <= limits.SHARE_INLINE_BYTES_MAX:
                answer = decode_answer(data)
            else:
                answer = await asyncio.to_thread(decode_answer, data)
        except ValueError as error:
            log_event(
                _logger, logging.ERROR, "bad share", indexer=member.instance, error=str(error)
            )
            raise ShareFailed("damaged", str(error)) from error
        if answer.report.version < asked.version:  # it is another one than the claims say
            raise OlderIndexer(member, answer.report.version)
        if answer.report.version > asked.version:
            raise ShareFailed("damaged", "the answer is of a newer version than its request")
        return answer


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


async def _read_bounded(response: aiohttp.ClientResponse, states: QuestionStates) -> bytearray:
    """The body, within the room for states. Raises as `QuestionStates.reserve`, ShareFailed."""
    size = response.content_length
    if size is None:
        raise ShareFailed("damaged", "the answer does not say how long it is")
    if size > limits.SHARE_BYTES_MAX:
        raise too_many_bytes(limits.SHARE_BYTES_MAX)
    data, at = states.reserve(size), 0
    async for chunk in response.content.iter_any():  # its end is an error unless all has come
        data[at : at + len(chunk)] = chunk
        at += len(chunk)
    return data


def _raise_refusal(status: int, data: bytes, member: Member) -> NoReturn:
    log_event(_logger, logging.WARNING, "share refused", indexer=member.instance, status=status)
    error = read_error_body(status, data, f"indexer {member.instance} answered {status}")
    if status == Unprocessable.status:
        raise Unprocessable(str(error))
    if status == TooManyRequests.status:
        raise error
    raise ShareFailed("refused", str(error))
