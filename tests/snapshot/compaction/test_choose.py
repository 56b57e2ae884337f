"""What is put together: a pure function of what is published (I3)."""

from collections.abc import Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from snapshot.compaction.choose import Choice, Sizes, choose, span_ns
from snapshot.compaction.compacted import NOTHING_COMPACTED, Compacted
from snapshot.compaction.documents import Compaction
from snapshot.documents.manifest import Conditional, SegmentEntry

HOUR = 3_600 * 10**9
SPAN = 180 * HOUR
SIZES = Sizes(rows_max=1_000, bytes_max=10**9, inputs_max=400, fan_in=4, tiers=(10, 30, 100))


def entry(
    hour: int, rows: int = 5, *, dataset: str = "d", far: bool = False, epoch: int = 1
) -> SegmentEntry:
    return SegmentEntry(
        team="t",
        env="e",
        dataset=dataset,
        epoch_number=epoch,
        rows=rows,
        time_min_ns=0,
        time_max_ns=1,
        append_min_ns=hour * HOUR,
        append_max_ns=(hour + 1) * HOUR - 1,
        first_offset=hour * 100,
        end_offset=hour * 100 + 100,
        object=f"{dataset}{hour}{'far' if far else ''}",
        size_bytes=100,
        digest="",
        far=far,
    )


def run(
    entries: Sequence[SegmentEntry],
    watermark_hour: int = 0,
    compacted: Compacted = NOTHING_COMPACTED,
    undecided: Sequence[Conditional] = (),
) -> list[Choice]:
    return choose(entries, compacted, undecided, watermark_hour * HOUR, lambda _: SPAN, SIZES)


def hours(choice: Choice) -> list[int]:
    return [part.entry.first_offset // 100 for part in choice.parts]


def applied(compacted: Compacted, choice: Choice, entries: Sequence[SegmentEntry]) -> Compacted:
    """The state after the choice was carried out."""
    names = {
        name
        for part in choice.parts
        for name in (
            [part.entry.object] if part.output is None else [i.object for i in part.output.inputs]
        )
    }
    inputs = [one for one in entries if one.object in names]
    output = SegmentEntry(
        team="t",
        env="e",
        dataset=inputs[0].dataset,
        epoch_number=inputs[0].epoch_number,
        rows=sum(one.rows for one in inputs),
        time_min_ns=0,
        time_max_ns=1,
        append_min_ns=inputs[0].append_min_ns,
        append_max_ns=inputs[-1].append_max_ns,
        first_offset=inputs[0].first_offset,
        end_offset=inputs[-1].end_offset,
        object="+".join(one.object for one in inputs),
        size_bytes=sum(one.size_bytes for one in inputs),
        digest="",
        far=inputs[0].far,
    )
    replaces = [part.entry.object for part in choice.parts if part.output is not None]
    return compacted.with_compaction(Compaction(inputs=inputs, output=output, replaces=replaces), 1)


def until_done(
    entries: Sequence[SegmentEntry], watermark_hour: int, compacted: Compacted = NOTHING_COMPACTED
) -> tuple[Compacted, int]:
    """The state when nothing is left to do, and the rows that were written on the way."""
    written = 0
    for _ in range(100):
        choices = run(entries, watermark_hour, compacted)
        if not choices:
            return compacted, written
        for choice in choices:
            compacted = applied(compacted, choice, entries)
            written += sum(part.entry.rows for part in choice.parts)
    raise AssertionError("it never ends")


def read_of(entries: Sequence[SegmentEntry], compacted: Compacted) -> int:
    held = {one.object for output in compacted.all() for one in output.inputs}
    return len(compacted.all()) + sum(one.object not in held for one in entries)


def test_small_neighbours_are_put_together_once_there_are_enough() -> None:
    assert run([entry(hour) for hour in range(3)]) == []
    (choice,) = run([entry(hour) for hour in range(6)])
    assert hours(choice) == [0, 1, 2, 3, 4, 5]
    large = [entry(0, rows=29), *(entry(hour, rows=5) for hour in range(1, 4))]
    assert run(large) == []  # the rows of the large one would be rewritten for little


def test_another_dataset_nearness_or_epoch_is_never_put_into_one_output() -> None:
    entries = [entry(hour, far=hour % 2 == 0) for hour in range(6)]
    assert run(entries) == []
    entries = [entry(hour, epoch=1 + hour // 3) for hour in range(6)]
    assert run(entries) == []
    entries = [entry(hour, dataset=f"d{hour % 2}") for hour in range(6)]
    assert run(entries) == []


def test_far_ones_are_put_together_among_themselves() -> None:
    choices = run([entry(hour, far=hour % 2 == 0) for hour in range(8)])
    assert [hours(choice) for choice in choices] == [[1, 3, 5, 7], [0, 2, 4, 6]]


def test_a_window_that_is_over_becomes_one_output() -> None:
    entries = [entry(hour) for hour in range(150)]
    compacted, _ = until_done(entries, watermark_hour=170)
    assert read_of(entries, compacted) == 1
    compacted, _ = until_done(entries, watermark_hour=149)
    assert read_of(entries, compacted) <= 12


def test_no_output_spans_more_than_its_part_of_the_retention() -> None:
    assert span_ns(60) == 180 * HOUR
    entries = [entry(hour) for hour in range(1_000)]
    compacted, _ = until_done(entries, watermark_hour=1_000)
    spans = [o.entry.append_max_ns - o.entry.append_min_ns for o in compacted.all()]
    assert max(spans) <= SPAN
    assert read_of(entries, compacted) <= 18


def test_outputs_grow_to_the_full_size_and_not_beyond() -> None:
    entries = [entry(hour, rows=200) for hour in range(30)]
    choices = run(entries)
    assert [hours(choice) for choice in choices] == [
        list(range(first, first + 5)) for first in (0, 5, 10, 15, 20)
    ]
    assert run([entry(hour, rows=600) for hour in range(30)], watermark_hour=900) == []


def test_rows_are_rewritten_few_times() -> None:
    entries = [entry(hour, rows=2) for hour in range(400)]
    compacted, written, known = NOTHING_COMPACTED, 0, 0
    for known in range(1, len(entries) + 1):
        compacted, more = until_done(entries[:known], known, compacted)
        written += more
    assert written <= 5 * sum(one.rows for one in entries[:known])
    assert read_of(entries, compacted) <= 20


def packed(hour: int, dataset: str, place: int, size_bytes: int = 100) -> SegmentEntry:
    """A segment in the pack of that hour, after `place` bytes of others."""
    one = entry(hour, dataset=dataset)
    return msgspec.structs.replace(one, pack=f"p{hour}", pack_offset=place, size_bytes=size_bytes)


def test_what_is_alone_in_a_pack_of_which_little_is_read_is_taken_out_when_its_window_is_over() -> (
    None
):
    lone, beside = packed(1, "lone", 100), packed(1, "d", 0)
    after = [entry(hour) for hour in range(2, 6)]
    entries = [lone, beside, *after]
    compacted, _ = until_done(entries, 400)
    assert {one.entry.dataset for one in compacted.all()} == {"d"}  # half of the pack is read
    larger = msgspec.structs.replace(beside, size_bytes=101)
    behind = msgspec.structs.replace(lone, pack_offset=101)
    entries = [behind, larger, *after]
    assert run(entries, 400)[0].parts[0].entry.dataset == "d"  # now all of it is read
    compacted, _ = until_done(entries[1:], 400)
    (choice,) = run(entries, 400, compacted)
    assert [part.entry for part in choice.parts] == [behind]
    assert run(entries, 5, compacted) == []  # its window is not over: neighbours may come
    waits = [
        Conditional(batch="b", epoch_number=1, offset=150, append_ns=1, dataset="lone", unless=(2,))
    ]
    assert run(entries, 400, compacted, undecided=waits) == []
    compacted = applied(compacted, choice, entries)
    assert run(entries, 400, compacted) == []


def test_of_an_expired_neighbour_in_the_pack_nothing_is_known_but_the_bytes_before() -> None:
    assert len(run([packed(1, "lone", 101)], 400)) == 1
    assert run([packed(1, "lone", 100)], 400) == []


def test_what_has_rows_of_undecided_batches_waits_and_what_follows_it_too() -> None:
    entries = [entry(hour) for hour in range(12)]
    waiting = Conditional(
        batch="00", epoch_number=1, offset=450, append_ns=0, dataset="d", unless=(1,)
    )
    (choice,) = run(entries, undecided=[waiting])
    assert hours(choice) == [0, 1, 2, 3]
    assert [hours(one) for one in run(entries)] == [list(range(12))]


@given(
    st.lists(st.tuples(st.integers(1, 700), st.booleans()), min_size=1, max_size=60),
    st.integers(0, 400),
)
def test_twins_choose_alike_and_every_input_is_in_at_most_one_output(
    shapes: list[tuple[int, bool]], watermark_hour: int
) -> None:
    entries = [entry(hour, rows, far=far) for hour, (rows, far) in enumerate(shapes)]
    assert run(entries, watermark_hour) == run(list(reversed(entries)), watermark_hour)
    compacted, _ = until_done(entries, watermark_hour)
    held = [one.object for output in compacted.all() for one in output.inputs]
    assert len(held) == len(set(held))
    for output in compacted.all():
        assert output.entry.rows <= SIZES.rows_max
        assert output.entry.append_max_ns - output.entry.append_min_ns <= SPAN
