"""Settles rerouted batches of one partition: asks for its own, answers for the others' (I2).

Appends voids for undecided batches until the decisions are read, and a decision for every void
that is read. It decides nothing itself: what counts follows from the logs, and doing any of this
twice, late or never changes nothing but how long a question stays open.
"""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from itertools import islice

from common import limits
from common.error_text import describe_error
from common.errors import BellwetherError, LogUnavailable, ObjectsUnavailable
from common.logs import log_event
from common.metrics import reroute_answers_total, undecided_batches, undecided_oldest_s
from common.model.record import Record
from common.model.reroute import EpochOffset, RerouteQuestion, Void, decision_record, void_record
from indexer.partition.partition import Partition
from indexer.rerouting.batch_lookup import batches_of, decision_for, find_copies
from indexer.state.partition_state import PartitionState
from indexer.state.reroutes import questions_of
from snapshot.documents.batch_lists import BatchLists, ListsMissing

_LOOK_S = 0.2
_AGAIN_FIRST_NS = 10**9  # a decision takes two appends and two reads
_AGAIN_MAX_NS = 60 * 10**9
_UNTOLD_AGAIN_NS = 10**9  # of a partition that cannot be told, however many questions there are
_S_NS = 10**9
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Asked:
    """When a question to one partition is due, and how long to wait after that."""

    due_ns: int
    wait_ns: int


class Resolver:
    """Looks after the undecided batches of one partition until it is cancelled."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition
        self._context = partition.shared.context
        self._asked: dict[tuple[EpochOffset, int], _Asked] = {}
        self._unreached: dict[int, int] = {}  # partitions that are not tried again before then
        self._asking: dict[int, asyncio.Task[None]] = {}
        self._answering: dict[int, asyncio.Task[None]] = {}
        self._label = str(partition.number)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                self.ask()
                self.answer()
                await asyncio.sleep(_LOOK_S)
        finally:
            tasks = [*self._asking.values(), *self._answering.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(
        self, tasks: dict[int, asyncio.Task[None]], other: int, work: Coroutine[None, None, None]
    ) -> None:
        """Do this beside, one thing at a time for each partition: a slow one holds up no other."""

        def ended(task: asyncio.Task[None]) -> None:
            tasks.pop(other, None)
            error = None if task.cancelled() else task.exception()
            if error is not None:
                kind, why = type(error).__name__, describe_error(error)
                log_event(logger, logging.ERROR, "resolver failed", to=other, kind=kind, why=why)

        tasks[other] = asyncio.create_task(work)
        tasks[other].add_done_callback(ended)

    # --- our questions --------------------------------------------------------------------------
    def ask(self) -> None:
        """Put the questions that are due."""
        state = self._partition.state
        if state is None or self._partition.stopped_reason is not None:
            return
        undecided = state.reroutes.open
        self._report()
        if not undecided and not self._asked:
            return
        now_ns = self._context.clock.monotonic_ns()
        oldest = list(islice(undecided.values(), limits.UNDECIDED_ASKED_MAX))
        questions = questions_of(oldest)
        open_now = {(q.place, other) for other, some in questions.items() for q in some}
        self._asked = {key: asked for key, asked in self._asked.items() if key in open_now}
        for other, some in questions.items():
            if other in self._asking or self._unreached.get(other, 0) > now_ns:
                continue
            due = [q for q in some if self._is_due(q.place, other, now_ns)]
            if due:
                self._begin(self._asking, other, self._put(other, due))

    def _is_due(self, place: EpochOffset, other: int, now_ns: int) -> bool:
        asked = self._asked.get((place, other))
        return asked is None or asked.due_ns <= now_ns

    async def _put(self, other: int, questions: list[RerouteQuestion]) -> None:
        """Ask; where one record does not get through, the others wait as well."""
        for some in _in_records(questions):
            told = await self._tell(other, void_record(Void(self._partition.number, some)))
            now_ns = self._context.clock.monotonic_ns()
            if not told:
                self._unreached[other] = now_ns + self._jittered(_UNTOLD_AGAIN_NS)
                return
            self._unreached.pop(other, None)
            for question in some:
                self._wait_longer((question.place, other), now_ns)

    def _wait_longer(self, key: tuple[EpochOffset, int], now_ns: int) -> None:
        asked = self._asked.get(key)
        wait_ns = _AGAIN_FIRST_NS if asked is None else min(2 * asked.wait_ns, _AGAIN_MAX_NS)
        self._asked[key] = _Asked(now_ns + self._jittered(wait_ns), wait_ns)

    def _jittered(self, wait_ns: int) -> int:
        return int(wait_ns * self._context.random.uniform(0.8, 1.2))

    def _report(self) -> None:
        state = self._partition.state
        if state is None:
            return
        first = next(iter(state.reroutes.open.values()), None)
        age_ns = 0 if first is None else self._context.clock.now_ns() - first.append_ns
        undecided_batches.labels(self._label).set(len(state.reroutes.open))
        undecided_oldest_s.labels(self._label).set(max(0, age_ns) / _S_NS)

    # --- the others' questions ------------------------------------------------------------------
    def answer(self) -> None:
        """Answer what was read. A question that cannot be answered now will be repeated."""
        partition = self._partition
        state, pipeline = partition.state, partition.pipeline
        if state is None or pipeline is None:
            return
        waiting = list(partition.asked)
        partition.asked.clear()
        questions: dict[int, dict[RerouteQuestion, None]] = {}
        for void in waiting:
            if void.asker in self._answering:
                partition.asked.append(void)
            else:
                questions.setdefault(void.asker, {}).update(dict.fromkeys(void.questions))
        for asker, some in questions.items():
            work = self._give(asker, list(some), state, pipeline.lists)
            self._begin(self._answering, asker, work)

    async def _give(
        self, asker: int, questions: list[RerouteQuestion], state: PartitionState, lists: BatchLists
    ) -> None:
        for some in _in_records(questions):
            void = Void(asker, some)
            try:
                copies = await find_copies(state, lists, batches_of(void))
            except (ListsMissing, ObjectsUnavailable) as error:
                self._count("unanswered", len(some))
                log_event(
                    logger,
                    logging.ERROR,
                    "questions about rerouted batches cannot be answered: they stay open",
                    partition=self._partition.number,
                    asker=asker,
                    questions=len(some),
                    why=str(error),
                )
                continue
            decision = decision_for(void, copies, self._partition.number)
            dropped = sum(answer.copy is not None for answer in decision.answers)
            self._count("drop", dropped)
            self._count("keep", len(some) - dropped)
            await self._tell(asker, decision_record(decision))

    def _count(self, answer: str, questions: int) -> None:
        reroute_answers_total.labels(self._label, answer).inc(questions)

    async def _tell(self, other: int, item: Record) -> bool:
        """Append to another partition; whether that is certain. What fails is repeated."""
        try:
            await self._context.backends.log.append(other, item)
        except LogUnavailable as error:
            log_event(
                logger, logging.INFO, "another partition was not told", to=other, why=str(error)
            )
            return False
        except (BellwetherError, ValueError, LookupError) as error:
            log_event(
                logger, logging.ERROR, "no such partition can be told", to=other, why=str(error)
            )
        return True


def _in_records(questions: Sequence[RerouteQuestion]) -> list[tuple[RerouteQuestion, ...]]:
    """The questions, as many together as one record may hold."""
    most = limits.REROUTE_RECORD_ENTRIES_MAX_V1
    return [tuple(questions[at : at + most]) for at in range(0, len(questions), most)]
