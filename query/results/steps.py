"""A question in several exchanges, of which the later ones read exactly the rows of the first (I2).

The first one is reconciled like totals. The later ones are pinned: to the partitions that answered,
to their ends, and to the undecided batches that counted. Where that is not possible, as an indexer
was lost in between, the coverage says so.
"""

import asyncio
import math
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any, Protocol, TypeVar

import msgspec
import pyarrow as pa

from common import limits
from common.errors import Unavailable
from query.plan.plan import Plan
from query.results.calculated.stored import (
    NO_STORED_FIELDS,
    StoredFields,
    notes_on_calculated,
    with_stored,
)
from query.results.notes.coverage import notes_on_time, why_incomplete
from query.scatter.reconcile import ReconciledTotals
from query.scatter.scatter import Scatter
from query.scatter.state_room import QuestionStates
from query.share.compute.answer import same_rows

_Result = TypeVar("_Result")
States = list[dict[str, pa.Table]]


class MakePlan(Protocol):
    """Makes the plan that every share computes."""

    def __call__(self, *, at_least: dict[int, int], wait_ms: int, log: str) -> Plan:
        """at_least, log, wait_ms: as in `Plan`."""


class Merge(Protocol):
    """Does the work in a thread, in turn."""

    def __call__(self, work: Callable[[], _Result], /) -> Coroutine[None, None, _Result]:
        """See `QueryRunner`."""


class Steps:
    """The exchanges of one question. `first` comes before `again`, once, or until it succeeds.

    coverage, notes: of all exchanges so far. types: by field, the letters of its types.
    latest: likewise, of the latest exchange alone.
    """

    def __init__(
        self,
        scatter: Scatter,
        reconcile: Callable[
            [MakePlan], Coroutine[None, None, tuple[ReconciledTotals, dict[str, Any]]]
        ],
        merge: Merge,
        states: QuestionStates,
        stored: StoredFields = NO_STORED_FIELDS,
        *,
        must_be_complete: bool,
        ends_s: float = math.inf,
    ) -> None:
        """ends_s: when the question's time is over, by the clock of the event loop."""
        self._ends_s = ends_s
        self._scatter = scatter
        self._reconcile = reconcile
        self._merge = merge
        self._states = states
        self._stored = stored
        self._must_be_complete = must_be_complete
        self._totals: ReconciledTotals | None = None
        self.coverage: dict[str, Any] = {}
        self.types: dict[str, str] = {}
        self.latest: dict[str, str] = {}

    @property
    def notes(self) -> list[str]:
        """Notes about the coverage, and about calculated fields."""
        calculated = [] if self._totals is None else notes_on_calculated(self._totals.gathered)
        return [*calculated, *notes_on_time(self.coverage)]

    def left_s(self) -> float:
        """Seconds that are left for the question."""
        return self._ends_s - asyncio.get_running_loop().time()

    async def work(self, work: Callable[[], _Result]) -> _Result:
        """Do some work in a thread, in turn."""
        return await self._merge(work)

    async def first(self, make_plan: MakePlan, work: Callable[[States], _Result]) -> _Result:
        """The merged states of a plan. Raises as `QueryRunner.run` does."""
        self._totals, self.coverage = await self._reconcile(make_plan)
        gathered = self._totals.gathered
        self.types = dict(gathered.types)
        self.latest = self.types
        states, gathered.states = gathered.states, []  # in memory only until they are merged
        return await self._merge(partial(work, states))

    async def again(
        self,
        change: Callable[[Plan], Plan],
        work: Callable[[States], _Result],
        keys: bytes = b"",
    ) -> _Result:
        """The merged states of a changed plan over the rows of the first one.

        keys: the tables of its joins (`query.wire.keys.encode_keys`). Raises as `first` does.
        """
        assert self._totals is not None
        totals = self._totals.gathered.answered
        upto = {p: one.covered.end_offset for p, one in totals.items()}
        plan = msgspec.structs.replace(
            change(self._totals.plan),
            log="",
            at_least=upto,
            upto=upto,
            wait_ms=max(self._totals.plan.wait_ms, limits.RELIED_WAIT_MS),
        )
        plan, _ = await with_stored(plan, self._stored)
        gathered = await self._scatter.run(plan, sorted(totals), self._states, keys=keys)
        self.latest = gathered.types
        self._totals.gathered.given_way |= gathered.given_way
        for name, types in gathered.types.items():
            self.types[name] = "".join(sorted({*self.types.get(name, ""), *types}))
        self.coverage["state_bytes"] += gathered.state_bytes
        short = [
            p
            for p, one in totals.items()
            if p not in gathered.answered
            or not same_rows(gathered.answered[p].covered, one.covered)
        ]
        self._lack(short)
        return await self._merge(partial(work, gathered.states))

    def _lack(self, missing: Iterable[int]) -> None:
        """These partitions were not read again as they were the first time."""
        partitions = set(missing)
        for one in self.coverage["partitions"]:
            if one["partition"] in partitions and one["complete"]:
                one["complete"] = False
                one["reason"] = "its rows could not be read a second time"
        if partitions:
            self.coverage["complete"] = False
        if self._must_be_complete and not self.coverage["complete"]:
            raise Unavailable(why_incomplete(self.coverage))
