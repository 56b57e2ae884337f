"""Rerouted batches of one partition: open, dropped, voided. A pure function of its log (I2, I3).

The rules (docs/adr/0006-rerouting.md): a void is a record by which another partition asks about a
batch; while it is in force, a batch whose first copy comes after it does not count. A conditional
batch counts once every partition that it names has answered *keep*; the first *drop* drops it. The
rows of a dropped batch stay stored, and readers leave them out by offset.
"""

from bisect import insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from common import limits
from common.model.record import Record
from common.model.reroute import Decision, EpochOffset, RerouteQuestion, Void
from snapshot.documents.carried_state import CarriedState
from snapshot.documents.manifest import Conditional, Dropped, ReliedOn, VoidInForce


@dataclass(frozen=True, slots=True)
class ReroutesView:
    """The rerouted batches at one offset, for readers; immutable.

    open: undecided batches by position.
    dropped: positions of records that are not served, sorted.
    relies_on: by partition, the position of a record there that an answer must include, because
    that record is the reason that copies here do not count.
    """

    open: Mapping[EpochOffset, Conditional] = field(default_factory=dict)
    dropped: tuple[EpochOffset, ...] = ()
    relies_on: Mapping[int, EpochOffset] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReroutedCut:
    """The rerouted batches at a cut, as the manifest lists them."""

    open: tuple[Conditional, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    voids: tuple[VoidInForce, ...] = ()
    relies_on: tuple[ReliedOn, ...] = ()


class Reroutes:
    """Open, dropped and voided batches of one partition, record after record."""

    def __init__(self, carried: CarriedState, dropped: Iterable[EpochOffset] = ()) -> None:
        """dropped: records whose batches were dropped before the carried state."""
        self._open = {item.position: item for item in carried.open}
        self._voids = {bytes.fromhex(item.batch): item for item in carried.voids}
        self._relies_on = {
            item.partition: EpochOffset(item.epoch_number, item.offset)
            for item in carried.relies_on
        }
        self._dropped = sorted(dropped)
        self._dropped_in_cut: list[EpochOffset] = []
        self._view: ReroutesView | None = None

    @property
    def view(self) -> ReroutesView:
        """The present state, for readers."""
        if self._view is None:
            self._view = ReroutesView(dict(self._open), tuple(self._dropped), dict(self._relies_on))
        return self._view

    @property
    def open(self) -> Mapping[EpochOffset, Conditional]:
        """Undecided batches by position, oldest first. A view: do not keep it."""
        return self._open

    @property
    def voids(self) -> int:
        """The number of voids in force."""
        return len(self._voids)

    def refuses(self, batch: bytes) -> bool:
        """Whether a void forbids this first copy of the batch to count.

        The acknowledged copy is in the partition that sent the void, so answers rely on that one.
        """
        void = self._voids.get(batch)
        if void is None:
            return False
        self._rely_on(void.asker, EpochOffset(void.epoch_number, void.offset))
        return True

    def add(self, record: Record, at: EpochOffset, append_ns: int, partition: int) -> None:
        """Add a conditional batch. The partition sends no question to itself."""
        unless = tuple(sorted({*record.unless} - {partition}))
        if not unless:
            return
        self._open[at] = Conditional(
            batch=record.batch.hex(),
            epoch_number=at.epoch,
            offset=at.offset,
            append_ns=append_ns,
            dataset=record.dataset,
            unless=unless,
        )
        self._view = None

    def void(self, void: Void) -> None:
        """Put a void in force: later first copies of its batches do not count. Repeats renew it."""
        for question in void.questions:
            self._voids[question.batch] = VoidInForce(
                batch=question.batch.hex(),
                asker=void.asker,
                epoch_number=question.place.epoch,
                offset=question.place.offset,
                markers=0,
            )

    def decide(self, decision: Decision) -> None:
        """Apply the answers of one partition; decided and unknown batches are not affected."""
        for answer in decision.answers:
            open_batch = self._open.get(answer.place)
            if open_batch is None or bytes.fromhex(open_batch.batch) != answer.batch:
                continue
            if decision.decider not in open_batch.unless:
                continue
            self._view = None
            if answer.copy is not None:
                self._drop(answer.place, decision.decider, answer.copy)
                continue
            unless = tuple(p for p in open_batch.unless if p != decision.decider)
            if unless:
                self._open[answer.place] = msgspec.structs.replace(open_batch, unless=unless)
            else:
                del self._open[answer.place]

    def _drop(self, at: EpochOffset, decider: int, copy: EpochOffset) -> None:
        del self._open[at]
        insort(self._dropped, at)
        self._dropped_in_cut.append(at)
        self._rely_on(decider, copy)

    def _rely_on(self, partition: int, copy: EpochOffset) -> None:
        known = self._relies_on.get(partition)
        if known is None or known < copy:
            self._relies_on[partition] = copy
            self._view = None

    def close_hour(self) -> None:
        """Age the voids by one hour marker, and end those that are too old."""
        self._voids = {
            batch: msgspec.structs.replace(void, markers=void.markers + 1)
            for batch, void in self._voids.items()
            if void.markers + 1 < limits.VOID_HOUR_MARKERS_V1
        }

    def carried_state(self) -> ReroutedCut:
        """The state that a manifest carries, and the batches dropped since the last cut."""
        return ReroutedCut(
            open=tuple(item for _, item in sorted(self._open.items())),
            dropped=tuple(Dropped(at.epoch, at.offset) for at in self._dropped_in_cut),
            voids=tuple(void for _, void in sorted(self._voids.items())),
            relies_on=tuple(
                ReliedOn(partition, at.epoch, at.offset)
                for partition, at in sorted(self._relies_on.items())
            ),
        )

    def cut(self) -> ReroutedCut:
        """As `carried_state`, and begin a new cut."""
        carried = self.carried_state()
        self._dropped_in_cut = []
        return carried


def questions_of(open_batches: Iterable[Conditional]) -> dict[int, list[RerouteQuestion]]:
    """The open questions, by the partition that has not answered them yet."""
    questions: dict[int, list[RerouteQuestion]] = {}
    for item in open_batches:
        question = RerouteQuestion(bytes.fromhex(item.batch), item.position, item.append_ns)
        for partition in item.unless:
            questions.setdefault(partition, []).append(question)
    return questions
