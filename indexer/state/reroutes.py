"""Rerouted batches of one partition: open, dropped, voided. A pure function of its log (I2, I3).

The rules (docs/adr/0006-rerouting.md): a batch whose first copy comes after a void for it does not
count, while the void is in force. A conditional batch counts once every partition that it names has
answered *keep*, and is dropped by the first *drop*; its rows stay where they are, readers leave
them out by offset.
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
    """What readers have to know at one offset; never changes.

    open: undecided batches by place. dropped: places that are not served, sorted. relies_on: by
    partition, the place that an answer must include, for copies here do not count because of it.
    """

    open: Mapping[EpochOffset, Conditional] = field(default_factory=dict)
    dropped: tuple[EpochOffset, ...] = ()
    relies_on: Mapping[int, EpochOffset] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReroutedCut:
    """What a cut says of rerouting, as the manifest lists it."""

    open: tuple[Conditional, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    voids: tuple[VoidInForce, ...] = ()
    relies_on: tuple[ReliedOn, ...] = ()


class Reroutes:
    """Folds what concerns rerouting. dropped: places decided before the carried state."""

    def __init__(self, carried: CarriedState, dropped: Iterable[EpochOffset] = ()) -> None:
        self._open = {item.place: item for item in carried.open}
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
        """The state as it stands now, for readers."""
        if self._view is None:
            self._view = ReroutesView(dict(self._open), tuple(self._dropped), dict(self._relies_on))
        return self._view

    @property
    def open(self) -> Mapping[EpochOffset, Conditional]:
        """Undecided batches by place, oldest first. A view: do not keep it."""
        return self._open

    @property
    def voids(self) -> int:
        """Voids in force."""
        return len(self._voids)

    def refuses(self, batch: bytes) -> bool:
        """Whether a void keeps this first copy of the batch from counting.

        Who had it acknowledged finds it in the asker's partition, so answers rely on that one.
        """
        void = self._voids.get(batch)
        if void is None:
            return False
        self._rely_on(void.asker, EpochOffset(void.epoch_number, void.offset))
        return True

    def add(self, record: Record, place: EpochOffset, append_ns: int, partition: int) -> None:
        """A record that counts as rows, unless it is decided otherwise. Itself it never asks."""
        unless = tuple(sorted({*record.unless} - {partition}))
        if not unless:
            return
        self._open[place] = Conditional(
            batch=record.batch.hex(),
            epoch_number=place.epoch,
            offset=place.offset,
            append_ns=append_ns,
            dataset=record.dataset,
            unless=unless,
        )
        self._view = None

    def void(self, void: Void) -> None:
        """From here on no first copy of these batches counts; a repetition renews it."""
        for question in void.questions:
            self._voids[question.batch] = VoidInForce(
                batch=question.batch.hex(),
                asker=void.asker,
                epoch_number=question.place.epoch,
                offset=question.place.offset,
                markers=0,
            )

    def decide(self, decision: Decision) -> None:
        """Take the answers of one partition; what is decided, or was not asked, stays as it is."""
        for answer in decision.answers:
            asked = self._open.get(answer.place)
            if asked is None or bytes.fromhex(asked.batch) != answer.batch:
                continue
            if decision.decider not in asked.unless:
                continue
            self._view = None
            if answer.copy is not None:
                self._drop(answer.place, decision.decider, answer.copy)
                continue
            unless = tuple(p for p in asked.unless if p != decision.decider)
            if unless:
                self._open[answer.place] = msgspec.structs.replace(asked, unless=unless)
            else:
                del self._open[answer.place]

    def _drop(self, place: EpochOffset, decider: int, copy: EpochOffset) -> None:
        del self._open[place]
        insort(self._dropped, place)
        self._dropped_in_cut.append(place)
        self._rely_on(decider, copy)

    def _rely_on(self, partition: int, copy: EpochOffset) -> None:
        known = self._relies_on.get(partition)
        if known is None or known < copy:
            self._relies_on[partition] = copy
            self._view = None

    def close_hour(self) -> None:
        """An hour marker: voids grow older, and out of force."""
        self._voids = {
            batch: msgspec.structs.replace(void, markers=void.markers + 1)
            for batch, void in self._voids.items()
            if void.markers + 1 < limits.VOID_HOUR_MARKERS_V1
        }

    def carried_state(self) -> ReroutedCut:
        """What is carried on, and what was dropped since the last cut."""
        return ReroutedCut(
            open=tuple(item for _, item in sorted(self._open.items())),
            dropped=tuple(Dropped(place.epoch, place.offset) for place in self._dropped_in_cut),
            voids=tuple(void for _, void in sorted(self._voids.items())),
            relies_on=tuple(
                ReliedOn(partition, place.epoch, place.offset)
                for partition, place in sorted(self._relies_on.items())
            ),
        )

    def cut(self) -> ReroutedCut:
        """As `carried`; a new cut begins."""
        carried = self.carried_state()
        self._dropped_in_cut = []
        return carried


def questions_of(open_batches: Iterable[Conditional]) -> dict[int, list[RerouteQuestion]]:
    """By partition that has not answered yet, what it is to be asked."""
    questions: dict[int, list[RerouteQuestion]] = {}
    for item in open_batches:
        question = RerouteQuestion(bytes.fromhex(item.batch), item.place, item.append_ns)
        for partition in item.unless:
            questions.setdefault(partition, []).append(question)
    return questions
