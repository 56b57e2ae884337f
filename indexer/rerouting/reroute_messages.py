"""Messages about rerouted batches: a partition's questions, and its answers to others' (I2).

It appends voids (records that ask other partitions about undecided batches) until the decisions are
read, and a decision for every void that is read. Batches are decided and dropped only in
`indexer.state.reroutes`, as the records are read. So an append that is repeated, late or missing
only changes how long a batch stays undecided.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from common import limits
from common.back_off import BackOff
from common.error_text import describe_error
from common.errors import BellwetherError, LogUnavailable, ObjectsUnavailable
from common.logs import log_event
from common.metrics import reroute_answers_total, undecided_batches, undecided_oldest_s
from common.model.record import Record
from common.model.reroute import EpochOffset, RerouteQuestion, Void, decision_record, void_record
from common.process.role import RoleContext
from common.tasks import run_every
from indexer.rerouting.batch_lookup import batches_of, decision_for, find_copies
from indexer.seal.partition_reader import PartitionReader
from indexer.state.current_view import CurrentView
from indexer.state.partition_state import PartitionState
from indexer.state.reroutes import questions_of
from snapshot.documents.batch_lists import BatchLists, ListsMissing

_ROUND_S = 0.2
_REPEAT_FIRST_NS = 10**9  # a decision takes two appends and two reads
_REPEAT_MAX_NS = 60 * 10**9
# to a partition that cannot be appended to, however many questions there are for it
_UNREACHABLE_REPEAT_NS = 10**9
_JITTER = (0.8, 1.2)
_S_NS = 10**9
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Sent:
    """A question that was sent: when it is due again (monotonic), and the later waits."""

    due_ns: int
    back_off: BackOff


class ReroutedPartition(PartitionReader, Protocol):
    """A partition and the unanswered questions of others, as the messenger uses it.

    views: its view, whose changes the messenger waits for.
    """

    views: CurrentView

    @property
    def voids(self) -> deque[Void]:
        """Unanswered questions of other partitions; the messenger empties the list."""


class RerouteMessenger:
    """Appends the questions and answers of one partition to the logs of others."""

    def __init__(self, partition: ReroutedPartition, context: RoleContext) -> None:
        self._partition = partition
        self._context = context
        self._sent: dict[tuple[EpochOffset, int], _Sent] = {}
        # partition that could not be appended to -> when it is tried again (monotonic ns)
        self._unreachable_until_ns: dict[int, int] = {}
        self._asking: dict[int, asyncio.Task[None]] = {}
        self._answering: dict[int, asyncio.Task[None]] = {}
        self._label = str(partition.number)

    async def run(self) -> None:
        """Send and answer questions until cancelled."""
        try:
            await run_every(_ROUND_S, self._round, at_once=True, sleep=self._rest)
        finally:
            tasks = [*self._asking.values(), *self._answering.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _round(self) -> None:
        self.ask()
        self.answer()

    async def _rest(self, seconds: float) -> None:
        """Rest, and while there is nothing to send until the partition has read something.

        Questions and undecided batches come with records, so an idle partition costs nothing.
        """
        await asyncio.sleep(seconds)
        partition = self._partition
        state = partition.state
        if state is not None and (state.reroutes.open or self._sent):
            return
        if not partition.voids:
            await partition.views.changed()

    def _begin(
        self, tasks: dict[int, asyncio.Task[None]], other: int, work: Coroutine[None, None, None]
    ) -> None:
        """Run work in a task, one at a time per partition, so a slow one delays no other."""

        def ended(task: asyncio.Task[None]) -> None:
            tasks.pop(other, None)
            error = None if task.cancelled() else task.exception()
            if error is not None:
                kind, why = type(error).__name__, describe_error(error)
                log_event(logger, logging.ERROR, "resolver failed", to=other, kind=kind, why=why)

        tasks[other] = asyncio.create_task(work)
        tasks[other].add_done_callback(ended)

    # --- own questions --------------------------------------------------------------------------
    def ask(self) -> None:
        """Send the questions that are due."""
        state = self._partition.state
        if state is None or self._partition.stopped_reason is not None:
            return
        undecided = state.reroutes.open
        self._update_metrics()
        if not undecided and not self._sent:
            return
        now_ns = self._context.clock.monotonic_ns()
        oldest = list(islice(undecided.values(), limits.UNDECIDED_ASKED_MAX))
        questions = questions_of(oldest)
        open_now = {(q.place, other) for other, some in questions.items() for q in some}
        self._sent = {key: sent for key, sent in self._sent.items() if key in open_now}
        for other, some in questions.items():
            if other in self._asking or self._unreachable_until_ns.get(other, 0) > now_ns:
                continue
            due = [q for q in some if self._is_due(q.place, other, now_ns)]
            if due:
                self._begin(self._asking, other, self._send_questions(other, due))

    def _is_due(self, question: EpochOffset, other: int, now_ns: int) -> bool:
        sent = self._sent.get((question, other))
        return sent is None or sent.due_ns <= now_ns

    async def _send_questions(self, other: int, questions: list[RerouteQuestion]) -> None:
        """Append the questions; after one record that cannot be appended the others wait too."""
        for some in _in_records(questions):
            void = void_record(Void(self._partition.number, some))
            appended = await self._append(other, void)
            now_ns = self._context.clock.monotonic_ns()
            if not appended:
                wait_ns = _UNREACHABLE_REPEAT_NS * self._context.random.uniform(*_JITTER)
                self._unreachable_until_ns[other] = now_ns + int(wait_ns)
                return
            self._unreachable_until_ns.pop(other, None)
            for question in some:
                self._note_sent((question.place, other), now_ns)

    def _note_sent(self, key: tuple[EpochOffset, int], now_ns: int) -> None:
        sent = self._sent.get(key)
        if sent is None:
            rng = self._context.random
            back_off = BackOff(_REPEAT_FIRST_NS, _REPEAT_MAX_NS, jitter=_JITTER, rng=rng)
            sent = self._sent[key] = _Sent(now_ns, back_off)
        sent.due_ns = now_ns + int(sent.back_off.next())

    def _update_metrics(self) -> None:
        state = self._partition.state
        if state is None:
            return
        first = next(iter(state.reroutes.open.values()), None)
        age_ns = 0 if first is None else self._context.clock.now_ns() - first.append_ns
        undecided_batches.labels(self._label).set(len(state.reroutes.open))
        undecided_oldest_s.labels(self._label).set(max(0, age_ns) / _S_NS)

    # --- questions of other partitions ----------------------------------------------------------
    def answer(self) -> None:
        """Answer the voids that were read. Questions that cannot be answered now are repeated."""
        partition = self._partition
        state, pipeline = partition.state, partition.pipeline
        if state is None or pipeline is None:
            return
        waiting = list(partition.voids)
        partition.voids.clear()
        questions: dict[int, dict[RerouteQuestion, None]] = {}
        for void in waiting:
            if void.asker in self._answering:
                partition.voids.append(void)
            else:
                questions.setdefault(void.asker, {}).update(dict.fromkeys(void.questions))
        for asker, some in questions.items():
            work = self._send_answers(asker, list(some), state, pipeline.lists)
            self._begin(self._answering, asker, work)

    async def _send_answers(
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
            await self._append(asker, decision_record(decision))

    def _count(self, answer: str, questions: int) -> None:
        reroute_answers_total.labels(self._label, answer).inc(questions)

    async def _append(self, other: int, item: Record) -> bool:
        """Append to another partition. False: try again soon."""
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
    """The questions in groups that fit one record each."""
    most = limits.REROUTE_RECORD_ENTRIES_MAX_V1
    return [tuple(questions[at : at + most]) for at in range(0, len(questions), most)]
