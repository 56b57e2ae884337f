"""Runs a query: totals first, then the series of the top groups over the same rows.

The queries that run and wait are bounded in number (I11) and take fair turns between environments
and keys (I14). An answer states what it covers (I7).
"""

import asyncio
import math
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import msgspec
import pyarrow as pa

from common import limits
from common.clock import Clock
from common.errors import BellwetherError, Unavailable, Unprocessable, without_frames
from common.log.watch import LogWatch
from common.metrics import query_seconds
from common.process.fair.queue import FairLimits
from common.process.fair.requester import Requester
from common.process.fair.slots import FairSlots, SlotRequest
from query.asking.question import present_question
from query.config import QueryConfig
from query.plan.plan import Plan
from query.plan.planner import QueryRequest
from query.results.answer import Answer, PlanResult, Result
from query.results.calculated.stored import (
    NO_STORED_FIELDS,
    StoredFields,
    notes_on_calculated,
    with_stored,
)
from query.results.calculations.notes import notes_on_calculations
from query.results.compare.ask import compared
from query.results.instances.answer import (
    answer_over_instances,
    instances_plan,
    notes_on_instances,
    types_of_events,
)
from query.results.merge.turns import MergeTurns
from query.results.notes.coverage import (
    CoverageRequirement,
    coverage_of,
    notes_on_time,
    why_incomplete,
)
from query.results.notes.type_notes import notes_on_types
from query.results.relations.instances import related_instances
from query.results.relations.question import Related, related_to
from query.results.relations.run import RelatedQuery
from query.results.relations.stored import note_untold
from query.results.steps import MakePlan, Steps
from query.results.totals.pinned import run_pinned
from query.results.totals.series import (
    SERIES,
    TOTAL_SERIES,
    GroupCounts,
    first_plan,
    merge_at_once,
    merge_series,
    needs_steps,
    no_series,
    series_wanted,
)
from query.results.totals.totals import Totals, merge_totals
from query.scatter.partial_results import PartialResults
from query.scatter.receipts import split_receipt
from query.scatter.reconcile import ReconciledTotals, Reconciler
from query.scatter.scatter import Scatter
from query.scatter.state_room import QuestionStates, StateRoom
from query.share.compute.database import DatabaseLimits, Databases


class QueryRunner:
    """Runs queries and plans, each in its turn."""

    def __init__(
        self,
        scatter: Scatter,
        reconciler: Reconciler,
        watch: LogWatch,
        clock: Clock,
        config: QueryConfig,
        stored: StoredFields = NO_STORED_FIELDS,
    ) -> None:
        """stored: calculated fields of datasets and environments."""
        self._stored = stored
        allowed = DatabaseLimits(limits.INSTANCES_MEMORY_MB, 1, limits.INSTANCES_MAX)
        self._databases = Databases(allowed, limits.MERGES_MAX)
        self._scatter = scatter
        self._reconciler = reconciler
        self._watch = watch
        self._clock = clock
        self._config = config
        kept_free = min(limits.QUERIES_KEPT_FREE, config.running_max - 1)
        for_keys = min(limits.KEY_KEPT_FREE, config.running_max - kept_free - 1)
        turns = FairLimits(
            config.running_max,
            config.waiting_max,
            kept_free,
            for_keys,
            running_key_max=config.key_running_max or config.running_max,
        )
        self._slots = FairSlots(turns, "queries")
        self._states = StateRoom(config.states_mb * 2**20)
        self._groups = GroupCounts()
        self._merging = MergeTurns(config.running_max)

    def admit(self, query: QueryRequest) -> SlotRequest:
        """A slot or a place in the queue, to be passed to `run` and left at the end.

        Raises TooManyRequests when the fair share of the key is used up, or Unavailable.
        """
        return self._slots.hold(query.env, query.key)

    async def run(
        self, query: QueryRequest, required: CoverageRequirement, place: SlotRequest | None = None
    ) -> Answer:
        """Answer a query. Raises TooManyRequests, Unprocessable, Unavailable."""
        place = place or self.admit(query)
        return await self._in_time(self._run(query, required), place)

    async def run_plan(
        self,
        make_plan: MakePlan,
        work: Callable[[list[dict[str, pa.Table]]], Result],
        required: CoverageRequirement,
        requester: Requester,
    ) -> PlanResult[Result]:
        """Merge the states of the plan's shares with `work`. Raises as `run` does."""
        place = self._slots.hold(requester.env, requester.key)
        return await self._in_time(self._run_plan(make_plan, work, required, requester), place)

    async def run_steps(
        self,
        ask: Callable[[Steps], Coroutine[None, None, Result]],
        required: CoverageRequirement,
        requester: Requester,
    ) -> Result:
        """Ask a question in several exchanges. Raises as `run` does."""
        place = self._slots.hold(requester.env, requester.key)

        async def asked() -> Result:
            ends_s = asyncio.get_running_loop().time() + self._config.timeout_ms / 1000
            return await ask(self._steps(required, requester, ends_s))

        return await self._in_time(asked(), place)

    def _steps(
        self, required: CoverageRequirement, requester: Requester, ends_s: float = math.inf
    ) -> Steps:
        states = self._states.question(requester.env, requester.key)
        return Steps(
            self._scatter,
            lambda make_plan: self._reconcile(make_plan, required, states),
            partial(self._merging.merge, requester),
            states,
            self._stored,
            must_be_complete=required.mode == "require",
            ends_s=ends_s,
        )

    def count_states(self) -> None:
        """Bring the metric of the states that are held up to date."""
        self._states.settle()

    async def _in_time(self, work: Coroutine[None, None, Result], place: SlotRequest) -> Result:
        """Do the work in its turn, within the timeout of a query."""
        started_ns = self._clock.monotonic_ns()
        ended: BellwetherError
        try:
            async with place:
                present_question().queued_ns += self._clock.monotonic_ns() - started_ns
                async with asyncio.timeout(self._config.timeout_ms / 1000):
                    return await work
        except TimeoutError:
            ended = Unavailable(
                f"the query took longer than {self._config.timeout_ms} ms: shorten its time range"
            )
        except BellwetherError as error:
            ended = without_frames(error)
        finally:
            work.close()  # it may not have begun
            query_seconds.observe((self._clock.monotonic_ns() - started_ns) / 1e9)
        raise ended  # from here, where no error is handled that would hold states

    async def _reconcile(
        self, make_plan: MakePlan, required: CoverageRequirement, states: QuestionStates
    ) -> tuple[ReconciledTotals, dict[str, Any]]:
        """(shares of a plan, their coverage). Raises Unavailable if more coverage is required."""
        if any(p.epoch != self._watch.epoch or p.partition >= self._watch.partitions
               for p in required.after):  # fmt: skip
            await self._watch.refresh()  # the log or a partition may be newer than the last refresh
        epoch, partitions = self._watch.epoch, range(self._watch.partitions)
        at_least, others = split_receipt(required.after, epoch, partitions)
        wait_ms = 0 if required.mode == "accept" or not at_least else self._config.after_timeout_ms
        plan = make_plan(at_least=at_least, wait_ms=wait_ms, log=epoch)
        plan, known = await with_stored(plan, self._stored)
        reconciled = await self._reconciler.totals(plan, partitions, states)
        reconciled.gathered.fields_unread = not known
        coverage = coverage_of(reconciled, others, partitions, self._clock.now_ns())
        present_question().covers(coverage["complete"])
        if required.mode == "require" and not coverage["complete"]:
            raise Unavailable(why_incomplete(coverage))
        return reconciled, coverage

    async def _run_plan(
        self,
        make_plan: MakePlan,
        work: Callable[[list[dict[str, pa.Table]]], Result],
        required: CoverageRequirement,
        requester: Requester,
    ) -> PlanResult[Result]:
        states = self._states.question(requester.env, requester.key)
        reconciled, coverage = await self._reconcile(make_plan, required, states)
        gathered = reconciled.gathered
        result = await self._merging.merge(requester, partial(work, gathered.states))
        notes = [*notes_on_calculated(gathered), *notes_on_time(coverage)]
        return PlanResult(result, coverage, notes, gathered.types)

    async def _run(self, query: QueryRequest, required: CoverageRequirement) -> Answer:
        run = partial(self._run_once, required=required)
        if query.spec.compare_s is None:
            return (await run(query))[0]
        return await compared(run, query, query.spec.compare_s)

    async def _run_once(
        self, query: QueryRequest, required: CoverageRequirement
    ) -> tuple[Answer, Totals]:
        related = related_to(query.spec, query.stored)
        if related is not None:
            return await self._run_related(query, related, required)
        held = self._states.question(query.env, query.key)
        if query.spec.per is not None:
            return await self._run_per(query, required, held)
        always = needs_steps(query.spec)
        at_once = always or (query.with_series and self._groups.few_cells(query))
        found: tuple[ReconciledTotals, dict[str, Any]] | None = None
        try:
            make_plan = partial(first_plan, query, at_once=at_once)
            found = await self._reconcile(make_plan, required, held)
        except Unprocessable as error:
            if always or not (at_once and query.spec.breakdowns):
                raise
            without_frames(error)  # which hold the states that came before it
        if found is None:
            # more groups than the last time, with too many steps for a share: the totals first
            at_once = False
            make_plan = partial(first_plan, query, at_once=False)
            found = await self._reconcile(make_plan, required, held)
        reconciled, coverage = found
        totals = reconciled.gathered
        plan = msgspec.structs.replace(reconciled.plan, step_ns=None)
        merged: Totals | None = None
        if at_once:
            merged = await self._merging.merge(
                query, partial(merge_at_once, query, reconciled.plan, totals.states)
            )
        if merged is None:
            merged = await self._merge_apart(query, plan, totals, coverage, held, again=at_once)
        notes = [*notes_on_time(coverage), *notes_on_calculated(totals)]
        return self._answer(query, merged, coverage, totals.types, notes)

    async def _run_related(
        self, query: QueryRequest, related: Related, required: CoverageRequirement
    ) -> tuple[Answer, Totals]:
        """Answer a query about other spans, too."""
        steps = self._steps(required, Requester(query.env, query.key))
        margin_ns = self._config.trace_margin_s * 10**9
        question = RelatedQuery(query, related, margin_ns)
        require = required.mode == "require"
        if query.spec.per is not None:
            answer = await related_instances(query, question, steps, self._databases, margin_ns)
            note_untold(steps.coverage, query.untold, must_be_complete=require)
            return answer
        found = await question.run(steps, at_once=self._groups.few_cells(query))
        note_untold(steps.coverage, query.untold, must_be_complete=require)
        return self._answer(query, found.totals, steps.coverage, found.types, found.notes)

    def _answer(
        self,
        query: QueryRequest,
        merged: Totals,
        coverage: dict[str, Any],
        types: dict[str, str],
        notes: list[str],
    ) -> tuple[Answer, Totals]:
        self._groups.record(query, merged.cells)
        merged.data.setdefault(SERIES, no_series(query))
        for last in (SERIES, TOTAL_SERIES):  # one order of members, whichever way was taken
            if last in merged.data:
                merged.data[last] = merged.data.pop(last)
        notes = [*notes_on_calculations(query), *notes_on_types(query.spec, types), *notes]
        return Answer(merged.data, coverage, notes, types, merged.groups), merged

    async def _run_per(
        self, query: QueryRequest, required: CoverageRequirement, held: QuestionStates
    ) -> tuple[Answer, Totals]:
        """Over instances: shares make a row of each, the question is computed over these here."""
        make_plan = partial(instances_plan, query, self._config.trace_margin_s * 10**9)
        reconciled, coverage = await self._reconcile(make_plan, required, held)
        gathered = reconciled.gathered
        states, gathered.states = gathered.states, []  # in memory only until they are merged
        work = partial(answer_over_instances, query, reconciled.plan, states, self._databases)
        states = []
        found = await self._merging.merge(query, work)
        notes = [*notes_on_instances(query.spec, found, gathered.types), *notes_on_time(coverage)]
        notes += notes_on_calculated(gathered)
        types = types_of_events(query.spec, reconciled.plan, gathered.types)
        made = Answer(found.totals.data, coverage, notes, types, found.totals.groups)
        return made, found.totals

    async def _merge_apart(
        self,
        query: QueryRequest,
        plan: Plan,
        totals: PartialResults,
        coverage: dict[str, Any],
        held: QuestionStates,
        *,
        again: bool,
    ) -> Totals:
        """Totals, and series over exactly their rows: partitions and end offsets are pinned.

        again: whether the shares have steps, so that they have to be computed without.
        """
        upto = {p: counted.covered.end_offset for p, counted in totals.answered.items()}
        states, totals.states = totals.states, []  # in memory only until they are merged
        if again:
            states = []
            pinned = msgspec.structs.replace(plan, log="", at_least=upto, upto=upto)
            states = (await run_pinned(self._scatter, pinned, totals, coverage, held)).states
        merged = await self._merging.merge(query, partial(merge_totals, query, plan, states))
        states = []
        for wanted in series_wanted(query, plan, merged, upto) if query.with_series else ():
            states = (await run_pinned(self._scatter, wanted.plan, totals, coverage, held)).states
            merged.data[wanted.member] = await self._merging.merge(
                query, partial(merge_series, query, wanted, states)
            )
            states = []
        if query.with_series and query.with_total and not query.spec.breakdowns:
            merged.data[TOTAL_SERIES] = merged.data.get(SERIES, no_series(query))
        return merged
