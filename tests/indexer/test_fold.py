"""The fold: any split of one log and any restart give the same cuts, rows and window (I2, I3)."""

from unittest import mock

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common import limits
from common.record import (
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
from indexer.fold import HOUR_NS, Action, Cut, Fold, PartitionStopped
from snapshot.carried import Carried, carried_from
from snapshot.manifest import Manifest, pack_batches
from tests.indexer.house import record

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
        set_aside=list(cut.set_aside),
        datasets=list(cut.datasets),
        gone=list(cut.gone),
        conditionals_open=list(cut.rerouted.open),
        conditionals_dropped=list(cut.rerouted.dropped),
        voids=list(cut.rerouted.voids),
        relies_on=list(cut.rerouted.relies_on),
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
)


def as_log(script: list[tuple[str, int]]) -> list[LogRecord]:
    """A partition's log; `time` moves its clock by minutes."""
    log: list[LogRecord] = []
    now_ns = FIRST_HOUR * HOUR_NS
    for what, number in script:
        now_ns += 1
        if what == "time":
            now_ns += number * 60 * 10**9
            continue
        item = {
            "events": lambda n=number: record([n + 1, n + 2]),
            "hour": lambda n=number: marker_record(Marker(hour=FIRST_HOUR + n)),
            "cut": lambda: marker_record(Marker(hour=None)),
            "beat": heartbeat_record,
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
        steady = Fold(Carried())
        cuts: list[Cut] = []
        actions: list[Action] = []
        for item in log:
            step = steady.apply(item)
            actions.append(step.action)
            cuts.extend([step.cut] if step.cut else [])
        manifests: list[Manifest] = []
        fold = Fold(Carried())
        at = 0
        again: dict[int, Action] = {}
        pending = set(restarts)
        while at < len(log):
            if at in pending:  # killed: what was not cut is read again
                pending.discard(at)
                fold = Fold(carried_from(reversed(manifests)))
                at = fold.next_offset
                continue
            step = fold.apply(log[at])
            assert again.setdefault(at, step.action) is step.action
            if step.cut:
                key = manifests[-1].key if manifests else None
                damaged = list(fold.quarantine.entries)
                manifest = as_manifest(step.cut, key)
                manifests.append(msgspec.structs.replace(manifest, damaged=damaged))
            at += 1
    assert [again[n] for n in range(len(log))] == actions
    assert [as_manifest(cut, None).key for cut in cuts] == [m.key for m in manifests]
    for cut, manifest in zip(cuts, manifests, strict=True):
        undamaged = msgspec.structs.replace(manifest, damaged=None)
        assert as_manifest(cut, manifest.predecessor) == undamaged
    assert fold.carried() == steady.carried()


def test_batch_is_recognised_back_to_two_hour_markers_and_no_further() -> None:
    fold = Fold(Carried())
    offset = 0

    def step(item: Record, hour: int) -> Action:
        nonlocal offset
        result = fold.apply(message(offset, item, (FIRST_HOUR + hour) * HOUR_NS + offset))
        offset += 1
        return result.action

    assert step(record([1]), 0) is Action.ROWS
    for hour in (1, 2):
        step(marker_record(Marker(hour=FIRST_HOUR + hour - 1)), hour)
        expected = Action.DUPLICATE if hour == 1 else Action.ROWS
        assert step(record([1]), hour) is expected


def test_second_marker_of_an_hour_and_one_of_a_coming_hour_do_nothing() -> None:
    fold = Fold(Carried())
    at = (FIRST_HOUR + 1) * HOUR_NS + 5
    marker = marker_record(Marker(hour=FIRST_HOUR))
    fold.apply(message(0, record([1]), at))
    assert fold.apply(message(1, marker, at)).cut is not None
    fold.apply(message(2, record([2]), at))
    assert fold.apply(message(3, marker, at)).cut is None
    coming = marker_record(Marker(hour=FIRST_HOUR + 1))
    assert fold.apply(message(4, coming, at)).cut is None
    assert fold.hour == FIRST_HOUR


@pytest.mark.parametrize(
    "item",
    [
        Record(kind=Kind.HEARTBEAT, value=b"", version=RECORD_VERSION + 1),
        marker_record(Marker(hour=None, format=RECORD_VERSION + 1)),
    ],
)
def test_what_this_version_cannot_fold_stops_the_partition_without_a_trace(item: Record) -> None:
    fold = Fold(Carried())
    with pytest.raises(PartitionStopped, match="upgrade"):
        fold.apply(message(0, item, FIRST_HOUR * HOUR_NS))
    assert fold.next_offset == 0


def test_idle_partition_is_cut_too_so_that_its_heartbeats_can_be_dropped() -> None:
    fold = Fold(Carried())
    steps = [
        fold.apply(message(n, heartbeat_record(), FIRST_HOUR * HOUR_NS + n))
        for n in range(limits.CUT_CONTROL_RECORDS_MAX_V1)
    ]
    cuts = [step.cut for step in steps if step.cut]
    assert [(cut.next_offset, cut.rows) for cut in cuts] == [(4096, 0)]
