"""The tree of a trace: against an obvious implementation, and what bad data makes of it."""

from dataclasses import replace

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from query.traces.one.event import TraceEvent, failed_by
from query.traces.one.ids import folded
from query.traces.one.parents import TOP, Mark
from query.traces.one.tree import Judging, Kind, Tree, TreeLine, build

S = 10**9
JUDGING = Judging(now_ns=1_000 * S, silent_ns=600 * S, skew_ns=10_000_000)


def span(span_id: str, parent: str, start: int, end: int | None, **more: object) -> TraceEvent:
    """A span from start to end, in seconds of the trace's clock, which begins at 900 s."""
    duration = None if end is None else (end - start) * S
    named = {"name": span_id, "service": "a", **more}
    return TraceEvent(span_id, parent, (900 + start) * S, duration, **named)  # type: ignore[arg-type]


def shape(tree: Tree) -> list[tuple[int, str, str]]:
    """Depth, kind and name (or id) of each line."""
    return [
        (line.depth, str(line.kind), line.event.name if line.event else line.span_id)
        for line in tree.lines
    ]


def line_of(tree: Tree, name: str) -> TreeLine:
    """The line of a span or event with this name, or of a missing span with this id."""
    found = [n for n in tree.lines if (n.event.name if n.event else n.span_id) == name]
    assert len(found) == 1, name
    return found[0]


def test_events_and_links_stand_in_their_span_in_the_order_of_time() -> None:
    tree = build(
        [
            span("child", "root", 2, 4),
            span("root", "", 0, 9),
            TraceEvent("", "root", 901 * S, None, "early", annotation="span_event"),
            TraceEvent("", "root", 903 * S, None, "late", annotation="span_event"),
            TraceEvent("", "root", 900 * S, None, "link", annotation="link", link_trace_id="t2"),
            TraceEvent("", "", 905 * S, None, "log line of the trace alone"),
        ],
        JUDGING,
    )
    assert shape(tree) == [
        (0, "span", "root"), (1, "link", "link"), (1, "event", "early"), (1, "span", "child"),
        (1, "event", "late"), (0, "event", "log line of the trace alone"),
    ]  # fmt: skip
    assert line_of(tree, "early").span_id == "root"
    assert line_of(tree, "root").spans_below == 1


def test_overlapping_children_count_once_in_self_time() -> None:
    tree = build(
        [
            span("root", "", 0, 10), span("a", "root", 1, 4), span("b", "root", 2, 5),
            span("c", "root", 8, 14), span("below", "a", 1, 2),
        ],
        JUDGING,
    )  # fmt: skip
    assert line_of(tree, "root").self_ns == (10 - 4 - 2) * S
    assert line_of(tree, "a").self_ns == 2 * S


def test_a_missing_parent_has_a_line_and_says_how_it_is_known() -> None:
    tree = build([span("child", "fade", 95, 96), span("other", "FADE", 97, 98)], JUDGING)
    assert shape(tree) == [(0, "missing", "fade"), (1, "span", "child"), (1, "span", "other")]
    opened = line_of(tree, "fade").open
    assert opened is not None
    assert (opened.how, opened.known_by) == ("inferred", "inferred")
    assert opened.since_ns == 995 * S
    assert opened.last_ns == 998 * S
    later = replace(JUDGING, now_ns=998 * S + JUDGING.silent_ns + 1)
    opened = line_of(build([span("child", "fade", 95, 98)], later), "fade").open
    assert opened is not None
    assert (opened.how, opened.known_by, opened.silent) == ("interrupted", "inferred", True)


def test_ids_are_one_in_capitals_and_with_zeros_in_front() -> None:
    parent = span("00000000000000ab", "", 0, 5)
    tree = build([parent, span("cd", "AB", 1, 2)], JUDGING)
    assert [line.depth for line in tree.lines] == [0, 1]


def test_an_announced_span_gives_way_to_the_finished_one() -> None:
    start = TraceEvent("s", "root", 950 * S, None, "step", "a", annotation="span_start")
    tree = build([span("root", "", 0, 99), start], JUDGING)
    opened = line_of(tree, "step").open
    assert opened is not None
    assert (opened.how, opened.since_ns) == ("announced", 950 * S)
    done = build([span("root", "", 0, 99), start, span("s", "root", 50, 60)], JUDGING)
    assert shape(done) == [(0, "span", "root"), (1, "span", "s")]
    assert all(line.open is None for line in done.lines)


def test_an_announced_span_is_interrupted_after_silence_or_when_another_process_goes_on() -> None:
    start = TraceEvent(
        "s", "root", 950 * S, None, "step", "a", annotation="span_start", process="p1", machine="m"
    )
    waiting = span("root", "", 0, None, annotation="span_start")
    quiet = replace(JUDGING, now_ns=950 * S + JUDGING.silent_ns + 1)
    opened = line_of(build([waiting, start], quiet), "step").open
    assert opened is not None
    assert (opened.how, opened.known_by, opened.silent) == ("interrupted", "announced", True)

    again = span("again", "root", 60, 61, process="p2", machine="m")
    opened = line_of(build([waiting, start, again], JUDGING), "step").open
    assert opened is not None
    assert (opened.how, opened.went_on_ns, opened.silent) == ("interrupted", 960 * S, False)

    for other in (
        msgspec.structs.replace(
            again, process="p1"
        ),  # the same process goes on: it may do two things at once
        msgspec.structs.replace(again, machine="another"),
        msgspec.structs.replace(
            again, time_ns=950 * S + JUDGING.skew_ns
        ),  # no later than clocks may differ
    ):
        opened = line_of(build([waiting, start, other], JUDGING), "step").open
        assert opened is not None
        assert opened.how == "announced"


def test_a_missing_run_is_interrupted_when_another_process_goes_on_with_its_machine() -> None:
    first = span("first", "run1", 10, 20, process="p1", machine="m")
    second = span("second", "run2", 40, 50, process="p2", machine="m")
    tree = build([first, second], JUDGING)
    one, two = line_of(tree, "run1").open, line_of(tree, "run2").open
    assert one is not None
    assert two is not None
    assert (one.how, one.went_on_ns) == ("interrupted", 940 * S)
    assert two.how == "inferred"


def test_a_span_without_duration_or_announcement_is_unknown_however_old() -> None:
    tree = build([span("s", "", 0, None)], replace(JUDGING, now_ns=10**6 * S))
    opened = line_of(tree, "s").open
    assert opened is not None
    assert (opened.how, opened.known_by) == ("unknown", "unknown")


def test_a_log_line_with_the_span_in_which_it_was_written_stands_in_it() -> None:
    log = TraceEvent("", "", 901 * S, None, "", "a", within="s")
    own = TraceEvent("s", "", 902 * S, None, "a line with the span's own id", "a")
    tree = build([span("s", "", 0, 9), log, own], JUDGING)
    found = [(line.depth, line.kind) for line in tree.lines]
    assert found == [(0, "span"), (1, "event"), (1, "event")]
    alone = build([log], JUDGING)
    assert [(line.depth, line.kind) for line in alone.lines] == [(0, "missing"), (1, "event")]


def test_client_and_server_under_one_id_stand_below_each_other() -> None:
    client = span("s", "root", 1, 9, kind="client", service="front", name="call")
    server = span("s", "root", 2, 8, kind="server", service="back", name="serve", shared=True)
    tree = build(
        [
            span("root", "", 0, 10, service="front"), server, client,
            span("in server", "s", 3, 4, service="back"),
            span("in client", "s", 5, 6, service="front"),
        ],
        JUDGING,
    )  # fmt: skip
    assert shape(tree) == [
        (0, "span", "root"), (1, "span", "call"), (2, "span", "serve"), (3, "span", "in server"),
        (2, "span", "in client"),
    ]  # fmt: skip
    assert line_of(tree, "serve").marks == (Mark.SHARED_ID,)
    assert line_of(tree, "call").marks == ()


def test_two_spans_with_one_id_are_both_shown_and_one_is_marked() -> None:
    tree = build([span("s", "", 0, 5), span("s", "", 6, 9), span("below", "s", 7, 8)], JUDGING)
    assert [line.depth for line in tree.lines] == [0, 1, 0]
    assert [line.marks for line in tree.lines] == [(), (), (Mark.DUPLICATE_ID,)]


def test_a_circle_of_parents_begins_with_its_earliest_span() -> None:
    tree = build(
        [span("x", "z", 1, 5), span("y", "x", 2, 4), span("z", "y", 3, 4), span("w", "w", 6, 7)],
        JUDGING,
    )
    assert [line.depth for line in tree.lines] == [0, 1, 2, 0]
    assert [line.span_id for line in tree.lines if Mark.CYCLE in line.marks] == ["x", "w"]


def test_a_child_outside_of_its_parent_is_marked_in_another_process_alone() -> None:
    parent = span("p", "", 10, 20, process="p1")
    early = span("early", "p", 8, 12, service="b")
    late = span("late", "p", 15, 23, process="p2")
    same = span("same", "p", 5, 30, process="p1")
    queue = span("queue", "p", 19, 90, service="b", kind="consumer")
    tree = build([parent, early, late, same, queue], JUDGING)
    outside = {line.span_id: line.outside_ns for line in tree.lines}
    assert outside == {"p": 0, "early": -2 * S, "late": 3 * S, "same": 0, "queue": 0}
    assert line_of(tree, "early").start_ns == 908 * S, "times are shown as they were sent"
    wide = replace(JUDGING, skew_ns=3 * S)
    assert all(line.outside_ns == 0 for line in build([parent, early, late], wide).lines)


def test_a_chain_of_100_000_spans_and_a_wide_trace_are_built_without_recursion() -> None:
    count = 100_000
    chain = [
        TraceEvent(f"{at:x}", f"{at - 1:x}" if at else "", at, 2 * count - 2 * at)
        for at in range(count)
    ]
    tree = build(chain[::-1], JUDGING)
    assert [line.depth for line in tree.lines] == list(range(count))
    assert tree.lines[0].spans_below == count - 1
    assert [line.depth for line in tree.lines[-1:]] == [count - 1]
    wide = build(
        [msgspec.structs.replace(one, parent_id="0" if one.time_ns else "") for one in chain],
        JUDGING,
    )
    assert [line.depth for line in wide.lines] == [0, *[1] * (count - 1)]


def test_failure_is_judged_by_the_field_and_by_the_status() -> None:
    assert failed_by(True, 0) == ("error",)
    assert failed_by("False", 2) == ("status_code",)
    assert failed_by("connection refused", None) == ("error",)
    assert failed_by("true", 2.0) == ("error", "status_code")
    for error in (None, False, "false", "0", "", 0):
        assert failed_by(error, 1) == ()
    assert failed_by(None, True) == ()


# --- against an obvious implementation ---------------------------------------------------------

_IDS = st.sampled_from(["1", "2", "3", "4", "5", "6", "7"])


@st.composite
def _spans(draw: st.DrawFn) -> list[TraceEvent]:
    """Spans with different ids and any parents: missing ones, their own, circles."""
    ids = draw(st.lists(_IDS, unique=True, max_size=7))
    return [
        span(one, draw(st.one_of(st.just(""), _IDS)), start := draw(st.integers(0, 6)),
             start + draw(st.integers(0, 6)))
        for one in ids
    ]  # fmt: skip


def _obvious(spans: list[TraceEvent]) -> list[tuple[int, str, int, int | None]]:
    """Depth, id, spans below and self seconds of each line, by plain recursion."""
    spans = sorted(spans, key=TraceEvent.order)
    by_id = {one.span_id: one for one in spans}
    parent = {one.span_id: one.parent_id for one in spans}

    def circle(one: str) -> list[str]:
        seen: list[str] = []
        while one and one not in seen:
            seen.append(one)
            one = parent.get(one, "")
        return seen[seen.index(one) :] if one else []

    for one in spans:  # the earliest comes first
        if one.span_id in (found := circle(one.span_id)):
            first = next(x.span_id for x in spans if x.span_id in found)
            parent[first] = ""
    missing = {p for p in parent.values() if p and p not in by_id}

    def children(of: str) -> list[TraceEvent]:
        return [x for x in spans if parent[x.span_id] == of]

    def below(of: str) -> int:
        return sum(1 + below(x.span_id) for x in children(of))

    def self_s(one: TraceEvent) -> int:
        assert one.duration_ns is not None
        begin, end = one.time_ns // S, (one.time_ns + one.duration_ns) // S
        return sum(
            not any(
                c.time_ns // S <= second < (c.time_ns + (c.duration_ns or 0)) // S
                for c in children(one.span_id)
            )
            for second in range(begin, end)
        )

    def lines(of: str, depth: int) -> list[tuple[int, str, int, int | None]]:
        own = self_s(by_id[of]) if of in by_id else None
        found = [(depth, of, below(of), own)]
        for child in children(of):
            found += lines(child.span_id, depth + 1)
        return found

    tops = [(x.time_ns, spans.index(x), x.span_id) for x in children("")]
    # a missing parent begins with its first child, and comes after a span of the same start
    tops += [(children(x)[0].time_ns, len(spans), x) for x in missing]
    first_child = {x: spans.index(children(x)[0]) for x in missing}
    tops.sort(key=lambda top: (*top[:2], first_child.get(top[2], 0)))
    return [line for _, _, top in tops for line in lines(top, 0)]


@given(_spans())
@settings(max_examples=200, deadline=None)
def test_the_tree_is_that_of_an_obvious_implementation(spans: list[TraceEvent]) -> None:
    tree = build(spans, JUDGING)
    found = [
        (n.depth, n.span_id, n.spans_below, None if n.self_ns is None else n.self_ns // S)
        for n in tree.lines
    ]
    assert found == _obvious(spans)
    for line in tree.lines:
        above = TOP if line.depth == 0 else tree.lines[line.parent].depth
        assert line.depth == (0 if line.parent == TOP else above + 1)
        assert (line.kind == Kind.MISSING) == (line.event is None)


@given(_spans(), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_order_in_which_events_come_does_not_matter(
    spans: list[TraceEvent], random: object
) -> None:
    shuffled = list(spans)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert build(shuffled, JUDGING) == build(spans, JUDGING)


_FEW = st.sampled_from(["", "1", "2", "3", "0A", "a", "x"])


@st.composite
def _any_events(draw: st.DrawFn) -> list[TraceEvent]:
    """Events as bad data may have them: any kind, any ids, spans with one id, no durations."""
    one = st.builds(
        TraceEvent,
        _FEW, _FEW,
        time_ns=st.integers(-3, 3),
        duration_ns=st.one_of(st.none(), st.integers(0, 4)),
        name=st.sampled_from(["", "n"]),
        service=st.sampled_from(["", "a", "b"]),
        kind=st.sampled_from(["", "client", "server", "producer", "consumer"]),
        annotation=st.sampled_from(["", "", "", "span_event", "link", "span_start", "other"]),
        signal=st.sampled_from(["", "trace", "log"]),
        within=st.sampled_from(["", "", "1", "y"]),
        process=st.sampled_from(["", "p", "q"]),
        machine=st.sampled_from(["", "m"]),
        shared=st.booleans(),
    )  # fmt: skip
    return draw(st.lists(one, max_size=9))


@given(_any_events(), st.integers(-5, 10), st.integers(0, 3), st.integers(0, 3))
@settings(max_examples=200, deadline=None)
def test_every_event_has_one_line_whatever_comes(
    events: list[TraceEvent], now_ns: int, silent_ns: int, skew_ns: int
) -> None:
    lines = build(events, Judging(now_ns, silent_ns, skew_ns)).lines
    shown = [line.event for line in lines if line.event is not None]
    left_out = list(events)
    for event in shown:
        left_out.remove(event)  # fails for one that is shown twice
    finished = {folded(n.span_id) for n in lines if n.kind == Kind.SPAN}
    for event in left_out:
        assert event.annotation == "span_start"
        assert folded(event.span_id) in finished, "another event of the span is there"
    below = [0] * len(lines)
    for at in range(len(lines) - 1, -1, -1):
        line = lines[at]
        assert below[at] == line.spans_below
        assert line.parent < at
        assert line.depth == (0 if line.parent == TOP else lines[line.parent].depth + 1)
        if line.parent != TOP:
            assert lines[line.parent].kind in (Kind.SPAN, Kind.MISSING)
            below[line.parent] += below[at] + (line.kind == Kind.SPAN)
        if line.kind == Kind.SPAN:
            assert (line.open is None) == (line.end_ns is not None and not _announces(line))
        if line.kind == Kind.MISSING:
            assert any(child.parent == at for child in lines)
        if line.self_ns is not None:
            assert line.end_ns is not None
            assert 0 <= line.self_ns <= line.end_ns - line.start_ns
    starts: dict[int, int] = {}
    for line in lines:  # siblings come in the order of their starts
        assert starts.get(line.parent, line.start_ns) <= line.start_ns
        starts[line.parent] = line.start_ns


def _announces(line: TreeLine) -> bool:
    return line.event is not None and line.event.annotation == "span_start"
