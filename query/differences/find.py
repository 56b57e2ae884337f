"""Asks for differences, in exchanges over the same rows and within the time of the question.

Of a wide dataset's fields some events tell first which to look at; then their distributions are
asked for, some fields at a time; and some events with those that differ most tell which of them
only say the same as the selection.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import msgspec

from common import limits
from query.differences.batches import Batches
from query.differences.distribution import Distributions, merge_distributions
from query.differences.follows import followers
from query.differences.rank import RankedField, rank
from query.differences.related import JoinedKeys, RelatedDifferences
from query.differences.request import DifferencesRequest
from query.differences.sampled import Rank, sampled_ranks
from query.plan.plan import Plan
from query.results.steps import States, Steps

T = TypeVar("T")
_CHOOSING = 0.25  # of the question's time, to learn which fields there are
_SAMPLING = 0.4  # likewise, until some events have told which to look at
_COUNTING = 0.85  # likewise, until no more distributions are asked for


@dataclass(frozen=True, slots=True)
class ChosenFields:
    """Fields of a question, those to look at first before others.

    constant: of these fields every event has the same value, so that they need no look.
    notes: about fields that are not known.
    """

    names: tuple[str, ...]
    constant: int = 0
    notes: tuple[str, ...] = ()


class ChooseFields(Protocol):
    """Lists the fields that are looked at (`query.differences.fields`)."""

    async def fields(self, wanted: DifferencesRequest, within_s: float) -> ChosenFields:
        """Those of a request, in so many seconds. Raises Unavailable, TooManyRequests."""


@dataclass(frozen=True, slots=True, repr=False)
class FoundDifferences:
    """follows: why a field is listed apart, by its name.

    looked_at: fields whose values were compared, or are all the same. left_out: others.
    """

    sides: Distributions
    ranked: Sequence[RankedField]
    follows: dict[str, str]
    coverage: dict[str, Any]
    notes: list[str]
    types: dict[str, str]
    looked_at: int
    left_out: int


async def find_differences(
    wanted: DifferencesRequest,
    choice: ChooseFields,
    steps: Steps,
    related: RelatedDifferences | None = None,
) -> FoundDifferences:
    """The fields by how much the sides differ in them. related: what is asked of other spans.

    Raises as `Steps.first`.
    """
    return await _Finding(wanted, steps, related).find(choice)


class _Finding:
    """The exchanges of one question."""

    def __init__(
        self, wanted: DifferencesRequest, steps: Steps, related: RelatedDifferences | None
    ) -> None:
        self._wanted = wanted
        self._steps = steps
        self._related = related
        self._keys: JoinedKeys | None = None
        self._selection = wanted.selection if related is None else related.selection
        self._types: dict[str, str] = {}  # of each exchange about the events themselves
        self._begun = False
        self._whole_s = steps.left_s()
        self._notes: list[str] = []
        # of which each exchange has those that its fields use
        self._calculated = wanted.plan((), at_least={}, wait_ms=0, log="").calculated

    async def find(self, choice: ChooseFields) -> FoundDifferences:
        """All of it."""
        chosen = await choice.fields(self._wanted, self._whole_s * _CHOOSING)
        if self._related is not None:
            self._keys = await self._related.begin(self._steps)
            self._types |= self._related.types(self._steps)
        names = await self._candidates(chosen.names)
        sides, ranked = await self._distributions(names)
        follows = await self._follows(ranked)
        looked_at = len(sides.fields)
        return FoundDifferences(
            sides,
            ranked,
            follows,
            self._steps.coverage,
            [*self._steps.notes, *chosen.notes, *self._notes, *self._notes_on_others()],
            self._types,
            looked_at + chosen.constant,
            len(chosen.names) - looked_at,
        )

    async def _candidates(self, names: Sequence[str]) -> Sequence[str]:
        """As many fields as one question looks at: those that differ most in some events."""
        most = limits.DIFFERENCES_FIELDS_MAX
        if len(names) <= most:
            return names
        batches = Batches[list[Rank]](names, limits.DIFFERENCES_BATCH_MAX, self._until(_SAMPLING))

        async def ask(some: Sequence[str]) -> list[Rank]:
            return await self._exchange(
                some,
                lambda answers: sampled_ranks([one["sample"] for one in answers], len(some)),
                limits.DIFFERENCES_RANKED_EVENTS,
            )

        try:
            await batches.run(ask)
        except TimeoutError:  # then the most common ones
            self._notes.append(
                f"{len(names) - most:,} fields were not looked at, for lack of time: name them in"
                " `fields`, or choose them with `match`"
            )
            return names[:most]
        ranks = [one for some in batches.answers for one in some]
        order = sorted(range(len(ranks)), key=lambda at: ranks[at], reverse=True)
        kept = [names[at] for at in order[:most]]
        told = f"{len(ranks):,} fields were ranked by some events of either side, and the"
        self._notes.append(f"{told} {len(kept):,} that differ most there were looked at")
        if len(ranks) < len(names):
            self._notes.append(
                f"the least common {len(names) - len(ranks):,} fields were not, for lack of time:"
                " name them in `fields`, or choose them with `match`"
            )
        return kept

    async def _distributions(self, names: Sequence[str]) -> tuple[Distributions, list[RankedField]]:
        few = len(names) <= limits.DIFFERENCES_BATCH_MAX
        at_once = limits.DIFFERENCES_BATCH_MAX if few else limits.DIFFERENCES_BATCH_FIRST
        batches = Batches[Distributions](names, at_once, self._until(_COUNTING))

        async def ask(some: Sequence[str]) -> Distributions:
            return await self._exchange(some, partial(merge_distributions, len(some)))

        await batches.run(ask) if names else batches.answers.append(await ask(()))
        if batches.asked < len(names):
            self._notes.append(
                f"{len(names) - batches.asked:,} of these fields were not looked at, for lack of"
                " time: shorten the time range, or name fewer in `fields`"
            )
        first = batches.answers[0]
        every = [field for one in batches.answers for field in one.fields]
        sides = Distributions(first.inside, first.outside, every)
        ranked = await self._steps.work(lambda: rank(names[: batches.asked], sides))
        return sides, ranked

    async def _follows(self, ranked: Sequence[RankedField]) -> dict[str, str]:
        """Which fields only say the same as the selection."""
        about = self._selection.fields
        selected = sorted(about)[: limits.DIFFERENCES_SELECTED]
        differing = [one.name for one in ranked if one.measured.score > 0]
        others = [one for one in differing if one not in about][: limits.DIFFERENCES_COMPARED]
        if not selected or not others:
            return {}

        def told(answers: States) -> dict[str, str]:
            return followers([one["sample"] for one in answers], selected, others)

        try:
            async with asyncio.timeout(self._until(0.98)()):
                return await self._exchange((*selected, *others), told, limits.DIFFERENCES_SAMPLED)
        except TimeoutError:
            self._notes.append("there was no time to tell which fields follow from the selection")
            return {}

    def _until(self, part: float) -> Callable[[], float]:
        """Seconds until so much of the question's time is over."""
        return lambda: self._steps.left_s() - (1 - part) * self._whole_s

    async def _exchange(
        self,
        fields: Sequence[str],
        work: Callable[[States], T],
        sample: int = 0,
    ) -> T:
        """Ask for the states of fields; sample: those of so many events."""

        def about(plan: Plan) -> Plan:
            assert plan.differences is not None
            some = msgspec.structs.replace(plan.differences, fields=tuple(fields), sample=sample)
            return msgspec.structs.replace(plan, differences=some, calculated=self._calculated)

        related, keys = self._related, self._keys
        if related is not None and keys is not None:
            own = about(self._wanted.plan((), at_least={}, wait_ms=0, log=""))
            found = await self._steps.again(
                lambda first: related.plan(own, keys, first), work, keys.sent
            )
        elif self._begun:
            found = await self._steps.again(about, work)
        else:

            def plan(*, at_least: dict[int, int], wait_ms: int, log: str) -> Plan:
                return about(self._wanted.plan((), at_least=at_least, wait_ms=wait_ms, log=log))

            found = await self._steps.first(plan, work)
            self._begun = True
        for name, types in self._steps.latest.items():
            self._types[name] = "".join(sorted({*self._types.get(name, ""), *types}))
        return found

    def _notes_on_others(self) -> list[str]:
        return [] if self._related is None else self._related.notes(self._steps)
