"""Reconciled totals: each rerouted batch counts once, also while it is undecided (I2, I7).

A rerouted batch may be in two partitions; it is undecided until their logs show which copy counts.

Shares leave undecided batches out and list them. Such a batch is looked up in the other partitions
that may hold it, at the end positions of their own shares; if none of them counts it, its rows are
fetched from its partition. A share that ends before a position that another share relies on is
requested again. Without rerouted batches there is no extra cost.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp
import msgspec

from common import limits
from common.error_text import describe_error
from common.logs import log_event
from common.model.reroute import EpochOffset
from common.process.members import Member
from common.process.web import INTERNAL_TOKEN_HEADER
from query.plan.plan import Plan
from query.scatter.partial_results import PartialResults
from query.scatter.scatter import Scatter
from query.scatter.state_room import QuestionStates
from query.share.compute.answer import same_rows
from query.share.view.rerouted import (
    BatchLookup,
    BatchLookupRequest,
    BatchLookupResponse,
    Share,
    batch_lookups,
    batches_that_count,
    lagging_shares,
)

_ROUNDS = 3  # of totals, when a share ends before a position that another one relies on
_TIMEOUT = aiohttp.ClientTimeout(total=limits.BATCH_LOOKUP_TIMEOUT_S)
_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class ReconciledTotals:
    """The shares, to which the rows of undecided batches that count were added.

    plan: plan for the series, which fixes the batches that count.
    incomplete: by partition, why its part of the answer is incomplete.
    undecided: by partition, the number of rerouted batches that are undecided.
    """

    gathered: PartialResults
    plan: Plan
    incomplete: dict[int, str] = field(default_factory=dict)
    undecided: dict[int, int] = field(default_factory=dict)


class Reconciler:
    """Runs plans of totals and reconciles their shares."""

    def __init__(self, scatter: Scatter, http: aiohttp.ClientSession, token: str) -> None:
        self._scatter = scatter
        self._http = http
        self._headers = {INTERNAL_TOKEN_HEADER: token}

    async def totals(
        self, plan: Plan, partitions: Sequence[int], states: QuestionStates
    ) -> ReconciledTotals:
        """Run the plan and reconcile its shares. Raises as `Scatter.run` does."""
        for _ in range(_ROUNDS):
            gathered = PartialResults()  # the states of the round before are needed no more
            gathered = await self._scatter.run(plan, partitions, states)
            shares = _shares(gathered)
            lagging = lagging_shares(shares)
            if not lagging:
                break
            plan = _waiting_for(plan, lagging, shares)
        reconciled = ReconciledTotals(gathered, plan)
        for partition, share in shares.items():
            unknown = sorted((share.relies_on or {}).keys() - set(partitions))
            if unknown:  # partitions that were added a moment ago
                reconciled.incomplete[partition] = (
                    f"relies on partitions not known here yet: {unknown}"
                )
        for partition, position in lagging.items():
            reconciled.incomplete[partition] = (
                f"indexed up to offset {shares[partition].end.offset}, another partition relies "
                f"on offset {position.offset}"
            )
        if any(share.undecided for share in shares.values()):
            await self._reconcile(reconciled, shares, states)
        return reconciled

    async def _reconcile(
        self, reconciled: ReconciledTotals, shares: Mapping[int, Share], states: QuestionStates
    ) -> None:
        asked = batch_lookups(shares)
        members = {p: reconciled.gathered.answered[p].indexer for p in asked}
        held, unknown = await self._look_up(asked, shares, members)
        for partition, share in shares.items():
            if share.undecided:
                reconciled.undecided[partition] = len(share.undecided)
            why = {unknown[p] for item in share.undecided for p in item.unless if p in unknown}
            if why:
                reconciled.incomplete[partition] = (
                    f"rerouted batches are left out: {'; '.join(why)}"
                )
        for partition in unknown:  # assumed to hold them: better left out than counted twice
            held[partition] = {one.batch for one in asked[partition]}
        chosen = batches_that_count(shares, held)
        reconciled.plan = msgspec.structs.replace(
            reconciled.plan,
            counted={p: tuple(positions) for p, positions in chosen.items()},
            left_out={
                p: tuple(i.position for i in share.undecided if i.position not in chosen.get(p, ()))
                for p, share in shares.items()
                if share.undecided
            },
        )
        if chosen:
            await self._fetch(reconciled, sorted(chosen), states)

    async def _fetch(
        self, reconciled: ReconciledTotals, partitions: list[int], states: QuestionStates
    ) -> None:
        """Add the undecided batches that count, up to the positions of the totals."""
        upto = {p: reconciled.gathered.answered[p].covered.end_offset for p in partitions}
        plan = msgspec.structs.replace(
            reconciled.plan,
            log="",
            at_least=upto,
            upto=upto,
            only_counted=True,
            wait_ms=max(reconciled.plan.wait_ms, limits.RELIED_WAIT_MS),
        )
        version = reconciled.gathered.version
        more = await self._scatter.run(plan, partitions, states, version_max=version)
        for partition in partitions:
            added = more.answered.get(partition)
            if (
                more.version != version
                or added is None
                or not same_rows(added.covered, reconciled.gathered.answered[partition].covered)
            ):
                reconciled.incomplete[partition] = "rerouted batches could not be fetched"
        if more.version == version:  # else an earlier indexer has just taken a partition over
            reconciled.gathered.add_states(more)

    async def _look_up(
        self,
        asked: Mapping[int, Sequence[BatchLookup]],
        shares: Mapping[int, Share],
        members: Mapping[int, Member],
    ) -> tuple[dict[int, set[str]], dict[int, str]]:
        """(batches held by partition, by partition why that is unknown)."""
        by_member: dict[str, list[int]] = {}
        for partition in asked:
            by_member.setdefault(members[partition].url, []).append(partition)
        requests = [
            BatchLookupRequest(
                {p: (shares[p].end.epoch, shares[p].end.offset) for p in some},
                {p: tuple(asked[p]) for p in some},
            )
            for some in by_member.values()
        ]
        answers = await asyncio.gather(*map(self._call, by_member, requests))
        held: dict[int, set[str]] = {}
        unknown: dict[int, str] = {}
        for some, answer in zip(by_member.values(), answers, strict=True):
            for partition in some:
                if partition in answer.held:
                    held[partition] = set(answer.held[partition])
                else:
                    why = answer.unknown.get(partition, "its indexer did not answer")
                    unknown[partition] = f"partition {partition}: {why}"
        return held, unknown

    async def _call(self, url: str, request: BatchLookupRequest) -> BatchLookupResponse:
        try:
            async with self._http.post(
                f"{url}/internal/held",
                data=msgspec.json.encode(request),
                headers=self._headers,
                timeout=_TIMEOUT,
            ) as response:
                response.raise_for_status()
                return msgspec.json.decode(await response.read(), type=BatchLookupResponse)
        except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError) as error:
            log_event(
                _logger,
                logging.WARNING,
                "held batches are not known",
                url=url,
                why=describe_error(error),
            )
            return BatchLookupResponse({})


def _shares(gathered: PartialResults) -> dict[int, Share]:
    return {
        partition: Share(
            EpochOffset(one.covered.epoch_number, one.covered.end_offset),
            one.covered.undecided,
            {p: EpochOffset(*position) for p, position in one.covered.relies_on.items()},
        )
        for partition, one in gathered.answered.items()
    }


def _waiting_for(
    plan: Plan, lagging: Mapping[int, EpochOffset], shares: Mapping[int, Share]
) -> Plan:
    """The plan with waits for positions relied on, if they are of the present epoch."""
    at_least = dict(plan.at_least)
    for partition, position in lagging.items():
        if shares[partition].end.epoch == position.epoch:
            at_least[partition] = max(position.offset + 1, at_least.get(partition, 0))
    wait_ms = max(plan.wait_ms, limits.RELIED_WAIT_MS)
    return msgspec.structs.replace(plan, at_least=at_least, wait_ms=wait_ms)
