"""The state of rerouted batches, case by case; the model tries every order (I2, I3)."""

from common import limits
from common.model.record import Marker, Record, marker_record
from common.model.reroute import (
    Decision,
    EpochOffset,
    RerouteAnswer,
    RerouteQuestion,
    Void,
    decision_record,
    void_record,
)
from indexer.rerouting.batch_lookup import look_up_in_window
from indexer.state.partition_state import HOUR_NS, Action, PartitionState, Step
from snapshot.documents.carried_state import CarriedState
from tests.indexer.harness import record
from tests.indexer.state.test_partition_state import FIRST_HOUR, message


class Script:
    """The state of partition 0, which is fed one record after the other, an hour apart if asked."""

    def __init__(self, epoch_number: int = 1) -> None:
        self.state = PartitionState(CarriedState(), epoch_number)
        self.hour = FIRST_HOUR

    def add(self, item: Record) -> Step:
        offset = self.state.next_offset
        return self.state.apply(message(offset, item, self.hour * HOUR_NS + offset))

    def pass_hours(self, hours: int) -> None:
        for _ in range(hours):
            self.hour += 1
            self.add(marker_record(Marker(hour=self.hour - 1)))


def void_of(number: int) -> Record:
    return void_record(
        Void(2, (RerouteQuestion(number.to_bytes(16, "big"), EpochOffset(1, 7), 1),))
    )


def decision(decider: int, number: int, place: EpochOffset, copy: EpochOffset | None) -> Record:
    answer = RerouteAnswer(number.to_bytes(16, "big"), place, copy)
    return decision_record(Decision(decider, (answer,)))


def test_first_copy_after_a_void_does_not_count_for_24_hour_markers() -> None:
    script = Script()
    script.add(void_of(5))
    assert script.add(record([5])).action is Action.VOIDED
    script.pass_hours(limits.VOID_HOUR_MARKERS_V1 - 1)
    assert script.add(record([5])).action is Action.VOIDED
    script.pass_hours(1)
    assert script.add(record([5])).action is Action.ROWS


def test_question_dated_by_a_clock_that_ran_ahead_is_not_answered_from_the_window_alone() -> None:
    """The copy has left the window; dated later than all, the question would not look for it."""
    script = Script()
    script.add(record([5]))
    script.pass_hours(3)
    batch, now_ns = (5).to_bytes(16, "big"), script.state.watermark_ns
    assert script.state.batch_window.copy_of(batch) is None
    for ahead_ns in (limits.REROUTE_SKEW_NS + 1, 70 * 24 * HOUR_NS):
        known, search = look_up_in_window(
            script.state, script.state.batch_window.forgotten_to, {batch: now_ns + ahead_ns}
        )
        assert batch not in known
        assert search[batch] <= now_ns - 24 * HOUR_NS
    known, search = look_up_in_window(script.state, None, {batch: now_ns + limits.REROUTE_SKEW_NS})
    assert (known, search) == ({batch: None}, {})


def test_repeated_void_stays_in_force_for_longer() -> None:
    script = Script()
    script.add(void_of(5))
    script.pass_hours(limits.VOID_HOUR_MARKERS_V1 - 1)
    script.add(void_of(5))
    script.pass_hours(limits.VOID_HOUR_MARKERS_V1 - 1)
    assert script.add(record([5])).action is Action.VOIDED


def test_copy_before_the_void_counts_and_is_found() -> None:
    script = Script()
    script.add(record([5]))
    step = script.add(void_of(5))
    assert step.void is not None
    assert script.state.batch_window.copy_of((5).to_bytes(16, "big")) == EpochOffset(1, 0)
    assert script.add(record([5])).action is Action.DUPLICATE


def test_first_drop_drops_and_names_what_the_answer_relies_on() -> None:
    script = Script()
    script.add(record([5], unless=(1, 2)))
    assert list(script.state.reroutes.view.open) == [EpochOffset(1, 0)]
    script.add(decision(1, 5, EpochOffset(1, 0), None))
    script.add(decision(2, 5, EpochOffset(1, 0), EpochOffset(3, 40)))
    view = script.state.reroutes.view
    assert not view.open
    assert view.dropped == (EpochOffset(1, 0),)
    assert view.relies_on == {2: EpochOffset(3, 40)}


def test_keep_from_every_partition_keeps_and_the_first_answer_stands() -> None:
    script = Script()
    script.add(record([5], unless=(1, 2)))
    script.add(decision(1, 5, EpochOffset(1, 0), None))
    script.add(decision(1, 5, EpochOffset(1, 0), EpochOffset(1, 3)))
    assert script.state.reroutes.open[EpochOffset(1, 0)].unless == (2,)
    script.add(decision(2, 5, EpochOffset(1, 0), None))
    script.add(decision(2, 5, EpochOffset(1, 0), EpochOffset(1, 3)))
    assert script.state.reroutes.view.open == {}
    assert script.state.reroutes.view.dropped == ()


def test_decisions_about_anything_else_change_nothing() -> None:
    script = Script()
    script.add(record([5], unless=(1,)))
    for item in (
        decision(1, 6, EpochOffset(1, 0), EpochOffset(1, 3)),  # another batch
        decision(1, 5, EpochOffset(2, 0), EpochOffset(1, 3)),  # another epoch
        decision(3, 5, EpochOffset(1, 0), EpochOffset(1, 3)),  # a partition that was not asked
    ):
        script.add(item)
    assert list(script.state.reroutes.open) == [EpochOffset(1, 0)]


def test_partition_never_asks_itself() -> None:
    script = Script()
    script.add(record([5], unless=(0,)))
    script.add(record([6], unless=(0, 1)))
    assert [item.unless for item in script.state.reroutes.open.values()] == [(1,)]


def test_copies_of_an_epoch_before_keep_their_place() -> None:
    before = Script()
    before.add(record([5]))
    state = PartitionState(before.state.carried_state(), 2)
    assert state.batch_window.copy_of((5).to_bytes(16, "big")) == EpochOffset(1, 0)
    assert state.apply(message(1, record([6]), FIRST_HOUR * HOUR_NS)).action is Action.ROWS
    assert state.batch_window.copy_of((6).to_bytes(16, "big")) == EpochOffset(2, 1)
    assert PartitionState(state.carried_state(), 2).carried_state() == state.carried_state()


def test_cut_carries_the_open_and_lists_each_drop_once() -> None:
    script = Script()
    script.add(record([5], unless=(1,)))
    script.add(record([6], unless=(1,)))
    script.add(void_of(9))
    first = script.add(marker_record(Marker(hour=None))).cut
    script.add(decision(1, 5, EpochOffset(1, 0), EpochOffset(1, 3)))
    script.add(record([7]))
    second = script.add(marker_record(Marker(hour=None))).cut
    script.add(record([8]))
    third = script.add(marker_record(Marker(hour=None))).cut
    assert first is not None
    assert second is not None
    assert third is not None
    assert [item.offset for item in first.rerouted.open] == [0, 1]
    assert [item.offset for item in second.rerouted.open] == [1]
    assert [[d.offset for d in cut.rerouted.dropped] for cut in (first, second, third)] == [
        [],
        [0],
        [],
    ]
    assert [item.batch for item in third.rerouted.voids] == [(9).to_bytes(16, "big").hex()]
    assert [item.partition for item in third.rerouted.relies_on] == [1]
