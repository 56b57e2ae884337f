"""Pages of a trace: every line once, judged as on the first page, refused when it has changed."""

import json
from typing import Any

import msgspec
import pytest
from multidict import MultiDict

from query.faults import SpecError
from query.http.problems import QueryEnded
from query.traces.one.event import TraceEvent
from query.traces.one.ids import folded, trace_id_of
from query.traces.one.page import encode_page
from query.traces.one.request import read_trace_request

S = 10**9
NOW = 2_000 * S
MORE: dict[str, object] = {"coverage": {"complete": True}, "notes": []}


def page(events: list[TraceEvent], now_ns: int = NOW, **given: str) -> dict[str, Any]:
    wanted = read_trace_request("ab", MultiDict(given), now_ns)
    found: dict[str, Any] = json.loads(encode_page(wanted, events, MORE))
    return found


def some_events(count: int) -> list[TraceEvent]:
    return [
        TraceEvent(f"{n:x}", f"{n // 2:x}" if n > 1 else "", (999 + n) * S, S, f"n{n}", "s", "d")
        for n in range(1, count + 1)
    ]  # fmt: skip


@pytest.mark.parametrize("limit", ["1", "7", "10000"])
def test_pages_give_every_line_once(limit: str) -> None:
    events, seen, cursor = some_events(23), list[str](), None
    whole = page(events)
    while True:
        more = {} if cursor is None else {"cursor": cursor}
        answer = page(events, NOW + len(seen) * S, limit=limit, **more)
        assert answer["first_line"] == len(seen)
        assert answer["judged_at"] == whole["judged_at"]
        seen += [line["name"] for line in answer["lines"]]
        cursor = answer["next"]
        if cursor is None:
            break
    assert seen == [line["name"] for line in whole["lines"]]
    assert len(set(seen)) == 23
    assert whole["spans"] == whole["lines_in_all"] == 23


def test_a_cursor_of_a_trace_that_has_changed_before_its_page_is_refused() -> None:
    events = some_events(23)
    cursor = page(events, limit="10")["next"]
    root_again = TraceEvent("ffff", "1", 1_000 * S, 10 * S, "early", "svc", "d")
    with pytest.raises(QueryEnded):
        page([*events, root_again], cursor=cursor)
    late = TraceEvent("ffff", "", 9_000 * S, S, "late", "svc", "d")
    assert page([*events, late], cursor=cursor)["lines"][-1]["name"] == "late"


@pytest.mark.parametrize(
    "given",
    [
        {"limit": "0"}, {"limit": "10001"}, {"limit": "x"}, {"silent_s": "-1"}, {"skew_ms": "nan"},
        {"links": "perhaps"}, {"cursor": "abc"}, {"cursor": "é"}, {"feild": "a"},
    ],
)  # fmt: skip
def test_a_parameter_that_cannot_be_read_is_named(given: dict[str, str]) -> None:
    with pytest.raises(SpecError) as caught:
        page([], **given)
    assert caught.value.field == next(iter(given))


def test_a_cursor_of_another_request_is_refused() -> None:
    cursor = page(some_events(5), limit="2")["next"]
    with pytest.raises(SpecError):
        page(some_events(5), cursor=cursor, silent_s="1")


def test_the_members_of_a_line_tell_what_is_known_of_a_span() -> None:
    events = [
        TraceEvent("1", "", 1_000 * S, 3 * S, "root", "a", "d", process="p"),
        TraceEvent(
            "2", "1", 999 * S, S, "call", "b", "d", ("status_code",), "server",
            fields={"n": msgspec.Raw(b"36893488147419103232")},
        ),
        TraceEvent("", "2", 999 * S + 1, None, "boom", "b", "d", annotation="span_event"),
        TraceEvent("", "2", 999 * S, None, "", "b", "d", annotation="link", link_trace_id="cd"),
        TraceEvent("5", "4", 1_001 * S, S, "orphan", "a", "d"),
    ]  # fmt: skip
    answer = page(events, 1_500 * S)
    root, call, link, boom, missing, orphan = (answer["lines"][at] for at in range(6))
    assert (root["name"], root["self_ms"], root["duration_ms"]) == ("root", 3_000.0, 3_000.0)
    assert call["error_by"] == ["status_code"]
    assert call["outside_parent_ms"] == -1_000.0
    assert call["fields"] == {"n": 36893488147419103232}
    assert call["offset_ms"] == 0.0
    assert link["link"] == {"trace_id": "cd", "span_id": ""}
    assert (boom["kind"], boom["span_id"], boom["depth"]) == ("event", "2", 2)
    assert boom["start"] == "1970-01-01T00:16:39.000000001Z"
    assert (missing["kind"], missing["span_id"]) == ("missing", "4")
    assert missing["open"]["how"] == "inferred"
    assert "first of them" in missing["open"]["why"]
    assert orphan["parent_id"] == "4"
    assert answer["open"] == {"inferred": 1}
    assert (answer["spans"], answer["missing"], answer["errors"]) == (3, 1, 1)
    assert (answer["roots"], answer["outside_parent"], answer["linked"]) == (1, 1, 1)
    assert answer["services"] == {"a": 2, "b": 1}
    assert (answer["silent_s"], answer["skew_ms"]) == (600.0, 10.0)
    later = page(events, 9_000 * S, silent_s="60")["lines"][4]["open"]
    assert (later["how"], later["known_by"]) == ("interrupted", "inferred")
    assert "silent_s" in later["why"]


def test_ids_are_taken_as_people_have_them() -> None:
    long = "00f067aa0ba902b74bf92f3577b34da6"
    assert trace_id_of(f"00-{long}-00f067aa0ba902b7-01") == long
    assert trace_id_of(" 7c9e6679-7425-40de-944b-e07fc1f90ae7 ").count("-") == 4
    assert folded("00AB") == folded("ab") == "ab"
    assert folded("0000") == "0"
    assert folded("not hex") == "not hex"
