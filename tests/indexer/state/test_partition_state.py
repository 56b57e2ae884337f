"""Partition state: any split of one log, any restart: the same cuts, rows and window (I2, I3)."""

from dataclasses import replace
from unittest import mock

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common import limits
from common.model.log_time import ClockNote, clock_record
from common.model.record import (
    RECORD_VERSION,
    Kind,
    LogRecord,
    Marker,
    Record,
    encode_headers,
    gone_record,
    heartbeat_record,
    marker_record,
)
from common.model.reroute import EpochOffset, RerouteQuestion, Void, void_record
from indexer.state.cut import Cut
from indexer.state.partition_state import HOUR_NS, Action, PartitionState, PartitionStopped
from snapshot.documents.carried_state import CarriedState, carried_state_from
from snapshot.documents.manifest import Manifest, pack_batches
from tests.indexer.harness import record

FIRST_HOUR = 1_000


def message(offset: int, item: Record, append_ns: int) -> LogRecord:
    return LogRecord(0, offset, append_ns, encode_headers(item), item.value)


def as_manifest(cut: Cut, predecessor: str | None) -> Manifest:
    return Manifest(
        partition=0,
        epoch="ab",
        epoch_number=1,
        first_offset=cut.first_offset,
        next_offset=cut.next_offset,
        predecessor=predecessor,
        last_batch=cut.last_batch.hex(),
        last_append_ns=cut.last_append_ns,
        rows=cut.rows,
        segments=[],
        batches=pack_batches(cut.batches),
        hour_markers=list(cut.hour_markers),
        watermark_ns=cut.watermark_ns,
        gaps=[],
        set_aside=list(cut.quarantined),
        datasets=list(cut.datasets),
        gone=list(cut.dataset_tombstones),
        conditionals_open=list(cut.rerouted.open),
        conditionals_dropped=list(cut.rerouted.dropped),
        voids=list(cut.rerouted.voids),
        relies_on=list(cut.rerouted.relies_on),
        clock_steps=list(cut.clock_steps),
        writer="test",
        zone="a",
        created_ns=0,
    )


things = st.one_of(
    st.tuples(st.just("events"), st.integers(0, 12)),
    st.tuples(st.just("hour"), st.integers(-2, 4)),
    st.tuples(st.just("cut"), st.just(0)),
    st.tuples(st.just("beat"), st.just(0)),
    st.tuples(st.just("gone"), st.just(0)),
    st.tuples(st.just("damaged"), st.just(0)),
    st.tuples(st.just("time"), st.integers(1, 90)),
    st.tuples(st.just("leap"), st.integers(-300, 300)),
    st.tuples(st.just("clock"), st.just(0)),
)


def as_log(script: list[tuple[str, int]]) -> list[LogRecord]:
    """A partition's log; `time` moves its clock by minutes, `leap` also back, as a broker's may."""
    log: list[LogRecord] = []
    now_ns = FIRST_HOUR * HOUR_NS
    for what, number in script:
        now_ns += 1
        if what in ("time", "leap"):
            now_ns = max(0, now_ns + number * 60 * 10**9)
            continue
        item = {
            "events": lambda n=number: record([n + 1, n + 2]),
            "hour": lambda n=number: marker_record(Marker(hour=FIRST_HOUR + n)),
            "cut": lambda: marker_record(Marker(hour=None)),
            "beat": heartbeat_record,
            "clock": lambda: clock_record(ClockNote(0, 0, "test")),
            "gone": lambda: gone_record("t", "e", record([1]).dataset),
            "damaged": lambda: Record(kind=Kind.EVENTS, value=b"", batch=b"short", n=1),
        }[what]()
        log.append(message(len(log), item, now_ns))
    return log


@given(script=st.lists(things, max_size=60), restarts=st.sets(st.integers(0, 60), max_size=6))
@settings(max_examples=200, deadline=None)
def test_restart_at_any_point_gives_the_same_cuts_rows_and_window(
    script: list[tuple[str, int]], restarts: set[int]
) -> None:
    log = as_log(script)
    with (
        mock.patch.object(limits, "CUT_ROWS_MAX_V1", 7),
        mock.patch.object(limits, "CUT_CONTROL_RECORDS_MAX_V1", 9),
    ):
        steady = PartitionState(CarriedState())
        cuts: list[Cut] = []
        actions: list[Action] = []
        for item in log:
            step = steady.apply(item)
            actions.append(step.action)
            cuts.extend([step.cut] if step.cut else [])
        manifests: list[Manifest] = []
        state = PartitionState(CarriedState())
        at = 0
        again: dict[int, Action] = {}
        pending = set(restarts)
        while at < len(log):
            if at in pending:  # killed: what was not cut is read again
                pending.discard(at)
                state = PartitionState(carried_state_from(reversed(manifests)))
                at = state.next_offset
                continue
            step = state.apply(log[at])
            assert again.setdefault(at, step.action) is step.action
            if step.cut:
                key = manifests[-1].key if manifests else None
                damaged = list(state.quarantine.entries)
                manifest = as_manifest(step.cut, key)
                manifests.append(msgspec.structs.replace(manifest, damaged=damaged))
            at += 1
    assert [again[n] for n in range(len(log))] == actions
    assert [as_manifest(cut, None).key for cut in cuts] == [m.key for m in manifests]
    for cut, manifest in zip(cuts, manifests, strict=True):
        undamaged = msgspec.structs.replace(manifest, damaged=None)
        assert as_manifest(cut, manifest.predecessor) == undamaged
    assert state.carried_state() == steady.carried_state()
    assert state.batch_window.marked_at == steady.batch_window.marked_at


def test_batch_is_recognised_back_to_two_hour_markers_and_no_further() -> None:
    state = PartitionState(CarriedState())
    offset = 0

    def step(item: Record, hour: int) -> Action:
        nonlocal offset
        result = state.apply(message(offset, item, (FIRST_HOUR + hour) * HOUR_NS + offset))
        offset += 1
        return result.action

    assert step(record([1]), 0) is Action.ROWS
    for hour in (1, 2):
        step(marker_record(Marker(hour=FIRST_HOUR + hour - 1)), hour)
        expected = Action.DUPLICATE if hour == 1 else Action.ROWS
        assert step(record([1]), hour) is expected


def test_second_marker_of_an_hour_and_one_of_a_coming_hour_do_nothing() -> None:
    state = PartitionState(CarriedState())
    at = (FIRST_HOUR + 1) * HOUR_NS + 5
    marker = marker_record(Marker(hour=FIRST_HOUR))
    state.apply(message(0, record([1]), at))
    assert state.apply(message(1, marker, at)).cut is not None
    state.apply(message(2, record([2]), at))
    assert state.apply(message(3, marker, at)).cut is None
    coming = marker_record(Marker(hour=FIRST_HOUR + 1))
    assert state.apply(message(4, coming, at)).cut is None
    assert state.hour == FIRST_HOUR


@pytest.mark.parametrize(
    "item",
    [
        Record(kind=Kind.HEARTBEAT, value=b"", version=RECORD_VERSION + 1),
        marker_record(Marker(hour=None, format=RECORD_VERSION + 1)),
    ],
)
def test_what_this_version_cannot_fold_stops_the_partition_without_a_trace(item: Record) -> None:
    state = PartitionState(CarriedState())
    with pytest.raises(PartitionStopped, match="upgrade"):
        state.apply(message(0, item, FIRST_HOUR * HOUR_NS))
    assert state.next_offset == 0


def test_idle_partition_is_cut_too_so_that_its_heartbeats_can_be_dropped() -> None:
    state = PartitionState(CarriedState())
    steps = [
        state.apply(message(n, heartbeat_record(), FIRST_HOUR * HOUR_NS + n))
        for n in range(limits.CUT_CONTROL_RECORDS_MAX_V1)
    ]
    cuts = [step.cut for step in steps if step.cut]
    assert [(cut.next_offset, cut.rows) for cut in cuts] == [(4096, 0)]


def leapt(ahead_ns: int) -> tuple[PartitionState, int]:
    """A partition whose clock ran ahead after an hour marker; and the right time."""
    state, right_ns = PartitionState(CarriedState()), FIRST_HOUR * HOUR_NS + 5
    state.apply(message(0, record([1]), right_ns))
    state.apply(message(1, marker_record(Marker(hour=FIRST_HOUR - 1)), right_ns))
    state.apply(message(2, record([2]), right_ns + ahead_ns))
    return state, right_ns + 50 * 10**9


CLOCK = clock_record(ClockNote(0, 0, "test"))


@pytest.mark.parametrize("ahead_h", [1, 24, 70 * 24, 30 * 365 * 24])
def test_clock_record_lets_time_and_hours_go_on_from_its_own_append_time(ahead_h: int) -> None:
    state, now_ns = leapt(ahead_h * HOUR_NS)
    step = state.apply(message(3, CLOCK, now_ns))
    assert step.cut is not None, "rows of the wrong time are cut apart"
    assert state.watermark_ns == step.cut.watermark_ns == now_ns
    assert [(one.offset, one.append_ns) for one in step.cut.clock_steps] == [(3, now_ns)]
    state.apply(message(4, heartbeat_record(), now_ns + 7))
    assert state.watermark_ns == now_ns + 7
    state.apply(message(5, marker_record(Marker(hour=FIRST_HOUR)), now_ns + HOUR_NS))
    assert state.hour == FIRST_HOUR, "the next hour that ends is closed"


def test_clock_record_forgets_no_batch_id_and_no_void() -> None:
    state, now_ns = leapt(5 * HOUR_NS)
    windows = state.carried_state().windows
    state.apply(
        message(
            3, void_record(Void(2, (RerouteQuestion(bytes(16), EpochOffset(1, 9), 1),))), now_ns
        )
    )
    state.apply(message(4, CLOCK, now_ns))
    assert state.carried_state().windows == windows
    assert state.reroutes.voids == 1
    for offset, number in ((5, 1), (6, 2)):
        assert state.apply(message(offset, record([number]), now_ns)).action is Action.DUPLICATE


def test_second_clock_record_for_a_leap_does_nothing_and_neither_does_one_that_is_not_behind() -> (
    None
):
    state, now_ns = leapt(5 * HOUR_NS)
    assert state.apply(message(3, CLOCK, state.watermark_ns + 1)).cut is None
    assert state.apply(message(4, CLOCK, now_ns)).cut is not None
    state.apply(message(5, record([3]), now_ns + 10**9))
    for offset, behind_ns in ((6, 0), (7, limits.CLOCK_STEP_NS_V2 // 2)):  # the twin's
        before = state.carried_state()
        assert state.apply(message(offset, CLOCK, now_ns + 10**9 - behind_ns)).cut is None
        assert state.carried_state() == replace(before, next_offset=offset + 1)


def test_step_of_the_clock_is_carried_like_everything_else() -> None:
    """Also where the hour marker stands before it in the same cut, or after it."""
    for marker_first in (True, False):
        state, now_ns = leapt(5 * HOUR_NS)
        marker = message(3, marker_record(Marker(hour=FIRST_HOUR + 4)), state.watermark_ns)
        steps = [state.apply(marker)] if marker_first else []
        steps.append(state.apply(message(state.next_offset, CLOCK, now_ns)))
        steps.append(state.apply(message(state.next_offset, marker_record(Marker(None)), now_ns)))
        if not marker_first:
            late = marker_record(Marker(hour=FIRST_HOUR))
            steps.append(state.apply(message(state.next_offset, late, now_ns + HOUR_NS)))
        steps.append(state.apply(message(state.next_offset, record([5]), now_ns + HOUR_NS)))
        steps.append(
            state.apply(message(state.next_offset, marker_record(Marker(None)), now_ns + HOUR_NS))
        )
        cuts = [step.cut for step in steps if step.cut is not None]
        carried = carried_state_from(as_manifest(cut, None) for cut in reversed(cuts))
        assert (carried.hour, carried.watermark_ns) == (state.hour, state.watermark_ns)
        if marker_first:
            assert carried.hour == FIRST_HOUR - 1
            assert carried.marked_by_ns is not None
            assert carried.marked_by_ns >= now_ns + 4 * HOUR_NS, "a bound of the marker's time"


def test_rows_that_a_server_dated_far_behind_count_as_appended_at_the_logs_time() -> None:
    """They would have expired before anybody saw them; small differences stay as they are."""
    state = PartitionState(CarriedState())
    now_ns = FIRST_HOUR * HOUR_NS
    state.apply(message(0, record([1]), now_ns))
    for offset, behind_ns in enumerate((1, HOUR_NS, 23 * HOUR_NS), 1):
        state.apply(message(offset, record([offset + 1]), now_ns - behind_ns))
        assert state.row_time_ns(now_ns - behind_ns) == now_ns - behind_ns
    state.apply(message(4, record([9]), 0))
    assert state.row_time_ns(0) == now_ns


def test_damaged_record_before_a_clock_that_went_back_is_not_taken_for_expired() -> None:
    """It was appended no later than the log's time before it, whatever the next record's stamp."""
    state, now_ns = PartitionState(CarriedState()), FIRST_HOUR * HOUR_NS
    state.apply(message(0, record([1]), now_ns))
    state.apply(LogRecord(0, 1, 0, (), b""))
    state.apply(message(2, record([2]), 5))
    (entry,) = state.carried_state().damaged
    assert (entry.append_min_ns, entry.append_max_ns) == (now_ns, now_ns)
