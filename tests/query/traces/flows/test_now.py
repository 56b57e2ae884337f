"""Where instances are, and how that is known; nothing pretends that open spans were stored."""

from query.traces.flows.now import Known, whereabouts
from query.traces.flows.steps import make_steps
from tests.query.traces.flows.plain import MS, Event, columns


def where(
    *events: Event, now_ms: int = 1_000, terminal: tuple[str, ...] = (), silent_ms: float = 10_000
) -> list[tuple[str, str, int, Known]]:
    steps = make_steps(columns(events))
    found = whereabouts(steps, now_ms * MS, silent_ms, terminal)
    return [(one.instance, one.step, one.since_ns // MS, one.known) for one in found]


def test_an_announced_step_is_where_the_instance_is() -> None:
    events = (
        Event("i", "a", 0, 5, span="1", following="b"),
        Event("i", "b", 6, span="2", announced=True, process="p"),
    )
    assert where(*events) == [("i", "b", 6, Known.ANNOUNCED)]
    assert where(*events, now_ms=20_000) == [("i", "b", 6, Known.INTERRUPTED)]


def test_another_process_that_goes_on_shows_the_interruption() -> None:
    events = (
        Event("i", "b", 6, span="2", announced=True, process="p"),
        Event("i", "b", 60, 5, span="3", process="q", following="c"),
    )
    assert where(*events) == [("i", "b", 6, Known.INTERRUPTED)]


def test_without_announcement_it_is_between_two_steps() -> None:
    assert where(Event("i", "a", 0, 5, following="b")) == [("i", "a", 5, Known.INFERRED)]
    assert where(Event("i", "a", 0, 5), terminal=("z",)) == [("i", "a", 5, Known.INFERRED)]


def test_the_end_is_known_by_the_last_event_or_by_the_caller_or_by_the_root() -> None:
    last = Event("i", "z", 0, 5)
    assert where(last._replace(following="")) == []
    assert where(last, terminal=("z",)) == []
    assert where(last._replace(span="1")) == []
    assert where(last._replace(span="2", parent="1")) == [("i", "z", 5, Known.UNKNOWN)]


def test_those_that_have_not_moved_for_longest_come_first() -> None:
    events = [Event(f"i{n}", "a", 100 - n, 5, following="b") for n in range(3)]
    assert [name for name, *_ in where(*events)] == ["i2", "i1", "i0"]
