"""The rows of a share are the events that were sent, in the order of their times, each once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common import limits
from common.errors import Unavailable
from common.model.reroute import EpochOffset
from common.process.versions import OWN
from query.faults import SpecError
from query.plan.parts.conditions import Filter
from query.plan.plan import Plan
from query.rows.page import Page, make_page
from query.rows.request import RowsRequest, read_rows_request
from query.share.compute.answer import decode_answer, encode_answer, of_version
from query.share.compute.computation import Computation
from query.share.row_search.search import RowSearch
from query.share.view.view import DatasetView
from tests.query.share import oracle
from tests.query.share.rows import Json, Row, block, segment, view
from tests.query.share.test_share_against_oracle import ALLOWED, ROWS, SPAN_S, filters, split

DATASET = "d" * 24

MANY = [Row(at, {"y": 1}) for at in range(1_000)]  # beside which a column of one value is rare


def rows_request(body: dict[str, Any] | None = None, **more: Any) -> RowsRequest:
    asked = {"start_time": 0, "end_time": SPAN_S, **(body or {}), **more}
    return read_rows_request(asked, DATASET, 10**18)


def plan_of(asked: RowsRequest) -> Plan:
    return asked.plan(at_least={}, wait_ms=0, log="")


def page(asked: RowsRequest, views: Sequence[DatasetView], **plan: Any) -> Page:
    wanted = msgspec.structs.replace(plan_of(asked), **plan)
    answers = [Computation(wanted, [one], ALLOWED).run() for one in views]
    sent = [encode_answer(of_version(a, OWN.plan, 0)) for a in answers]
    return make_page(asked, [decode_answer(data).states for data in sent])


def pages(
    body: dict[str, Any],
    views: Sequence[DatasetView],
    bytes_max: int = limits.ROWS_BYTES_MAX,
) -> list[Page]:
    """All pages of a request, in the order in which a client fetches them."""
    found = [page(replace(rows_request(body), bytes_max=bytes_max), views)]
    while (cursor := found[-1].next) is not None:
        wanted = replace(rows_request(body, cursor=cursor), bytes_max=bytes_max)
        found.append(page(wanted, views))
    return found


def _operand(one: Filter) -> dict[str, Any]:
    if not one.values:
        return {}
    is_list = "in" in one.op.value.split("-")
    return {"value": list(one.values) if is_list else one.values[0]}


def shown(row: Row) -> tuple[int, int, str]:
    """An event as the answer gives it: its data as canonical JSON, types and digits kept."""
    data = {n: json.loads(v.text) if isinstance(v, Json) else v for n, v in row.data.items()}
    return row.time_ns, row.rate, json.dumps(data, sort_keys=True)


def given_rows(found: Sequence[Page]) -> list[tuple[int, int, str]]:
    return [
        (row.position.time_ns, row.rate, json.dumps(json.loads(row.data), sort_keys=True))
        for one in found
        for row in one.rows
    ]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(ROWS, max_size=25),
    cuts=st.lists(st.integers(0, 25), max_size=4),
    some=st.lists(filters(), max_size=2),
    any_filter=st.booleans(),
    limit=st.integers(1, 9),
    oldest=st.booleans(),
)
def test_all_pages_together_are_the_events_that_match_in_order(
    rows: list[Row],
    cuts: list[int],
    some: list[Filter],
    any_filter: bool,
    limit: int,
    oldest: bool,
    tmp_path: Path,
) -> None:
    views = split(rows, cuts, tmp_path)
    body = {
        "filters": [{"column": f.field, "op": f.op.value} | _operand(f) for f in some],
        "filter_combination": "OR" if any_filter else "AND",
        "limit": limit,
        "order": "oldest" if oldest else "newest",
    }
    found = pages(body, views)
    hits = [[oracle.matches(f, row) for f in some] for row in rows]
    matching = [
        row
        for row, hit in zip(rows, hits, strict=True)
        if not hit or (any(hit) if any_filter else all(hit))
    ]
    mine = given_rows(found)
    assert sorted(mine) == sorted(map(shown, matching))
    times = [time_ns for time_ns, _, _ in mine]
    assert times == sorted(times, reverse=not oldest)
    assert all(len(one.rows) == limit for one in found[:-1])
    positions = [row.position for one in found for row in one.rows]
    assert len(set(positions)) == len(positions)


def second(at: int, **data: Any) -> Row:
    return Row(at * 10**9, data)


def test_values_keep_their_types_and_digits(tmp_path: Path) -> None:
    data: dict[str, Any] = {
        "big": 2**63 - 1,
        "odd": 2**53 + 1,
        "whole": 50.0,
        "minus": -0.0,
        "tiny": 5e-324,
        "huge": 1e300,
        "yes": True,
        "no": False,
        "digits": "007",
        "empty": "",
        "text": 'a "b"\n\0ü\U0001f600',
        "list": Json('[1,{"a":[true,null]},1.50]'),
        "a.b.c": "dotted",
        "`odd` name\n": 1,
        "": "the empty name",
    }
    rows = [Row(7, data)]
    expected = (
        '{"":"the empty name","`odd` name\\n":1,"a.b.c":"dotted","big":9223372036854775807,'
        '"digits":"007","empty":"","huge":1e+300,"list":[1,{"a":[true,null]},1.50],"minus":-0.0,'
        '"no":false,"odd":9007199254740993,"text":"a \\"b\\"\\n\\u0000ü😀","tiny":5e-324,'
        '"whole":50.0,"yes":true}'
    )
    for one in (view(blocks=[block(rows)]), view(segments=[segment(rows, tmp_path)])):
        found = page(rows_request(), [one])
        assert [row.data.decode() for row in found.rows] == [expected]


def test_an_event_of_2000_fields_comes_whole_from_live_rows_and_from_rest_columns(
    tmp_path: Path,
) -> None:
    wide = [Row(at + SPAN_S, {f"f{at}.{n}": n for n in range(2_000)}) for at in range(3)]
    sealed = segment([*wide, *MANY], tmp_path)
    assert sealed.overflow_columns
    for one in (
        view(blocks=[block(wide)]),
        view(segments=[replace(sealed, columns=frozenset(), overflow_columns=frozenset())]),
    ):
        found = page(rows_request(limit=3), [one])
        assert given_rows([found]) == [shown(row) for row in reversed(wide)]


def test_named_fields_come_alone_also_those_of_rest_columns_and_none_if_none_is_named(
    tmp_path: Path,
) -> None:
    wide = [Row(at + SPAN_S, {f"f{at}.{n}": n for n in range(500)} | {"x": at}) for at in range(3)]
    sealed = segment([*wide, *MANY], tmp_path)
    assert any(key.field == "f1.7" for key in sealed.overflow_columns)
    for one in (view(blocks=[block(wide)]), view(segments=[sealed])):
        found = page(rows_request(limit=3, fields=["x", "f1.7", "nothing"]), [one])
        assert [row.data for row in found.rows] == [b'{"x":2}', b'{"f1.7":7,"x":1}', b'{"x":0}']
        assert [row.data for row in page(rows_request(limit=3, fields=[]), [one]).rows] == [
            b"{}"
        ] * 3


def test_the_newest_events_of_many_segments_are_read_from_few(tmp_path: Path) -> None:
    segments = [
        segment([second(10 * at + n, x=n) for n in range(10)], tmp_path, 10 * at)
        for at in range(60)
    ]
    read = {}
    for order in ("newest", "oldest"):
        asked = rows_request(order=order, limit=15)
        plan = plan_of(asked)
        assert plan.rows is not None
        one = view(segments=segments)
        answer = Computation(plan, [one], ALLOWED)
        search = RowSearch(plan, plan.rows, [one])
        answer._run_rows(search)
        read[order] = search.segments_read
        found = page(asked, [one])
        times = [row.position.time_ns // 10**9 for row in found.rows]
        assert times == (list(range(599, 584, -1)) if order == "newest" else list(range(15)))
    assert read == {"newest": 4, "oldest": 4}


def test_rows_are_found_by_their_filters_alone_however_many_fields_are_named() -> None:
    names = [f"f{n}" for n in range(50)]
    rows = [Row(at, {"x": at % 2, **dict.fromkeys(names, at)}) for at in range(20)]
    plan = plan_of(rows_request(filters=[{"column": "x", "op": "=", "value": 1}], fields=names))
    assert plan.rows is not None
    columns: list[int] = []

    def ask(sql: str, parameters: list[str], tables: Mapping[str, pa.Table]) -> pa.Table:
        columns.extend(table.num_columns for table in tables.values())
        connection = duckdb.connect()
        for name, table in tables.items():
            connection.register(name, table)
        return connection.sql(sql, params=parameters).to_arrow_table()

    found = RowSearch(plan, plan.rows, [view(blocks=[block(rows)])]).run(ask)["main"]
    assert columns == [9]  # time, rate, the filter's field and where each row is
    assert json.loads(found.column("data")[0].as_py()) == dict.fromkeys(names, 19)


def test_a_page_ends_where_a_share_had_no_room_and_the_next_goes_on_there(
    tmp_path: Path,
) -> None:
    large = [second(2 * at, x="a" * 900) for at in range(10)]
    small = [second(2 * at + 1, x="b") for at in range(10)]
    views = [view(0, [segment(large, tmp_path)]), view(1, blocks=[block(small)])]
    found = pages({"limit": 100}, views, bytes_max=3_000)
    assert len(found) > 3
    assert given_rows(found) == [
        shown(row) for row in sorted(large + small, key=lambda row: -row.time_ns)
    ]
    assert all(sum(len(row.data) for row in one.rows) <= 3_000 for one in found)


def test_one_event_larger_than_a_page_has_a_page_of_its_own(
    tmp_path: Path,
) -> None:
    rows = [second(at, x="a" * 1_000) for at in range(3)]
    found = pages({}, [view(segments=[segment(rows, tmp_path)])], bytes_max=100)
    assert [len(one.rows) for one in found] == [1, 1, 1]


def test_events_of_one_instant_are_told_apart_by_their_places(tmp_path: Path) -> None:
    rows = [Row(5, {"x": at}) for at in range(40)]
    views = [
        view(0, [segment(rows[:20], tmp_path)], [block(rows[20:25], 20)]),
        view(1, blocks=[block(rows[25:], 0)]),
    ]
    for order in ("newest", "oldest"):
        found = pages({"limit": 7, "order": order}, views)
        assert sorted(given_rows(found)) == sorted(map(shown, rows))
        positions = [row.position for one in found for row in one.rows]
        assert positions == sorted(positions, reverse=order == "newest")


def test_events_that_arrive_between_pages_neither_repeat_nor_hide_others() -> None:
    rows = [second(10 * at, x=at) for at in range(20)]
    seen: list[int] = []
    cursor = None
    arrived = list(rows)
    for number in range(20):
        body = {"limit": 3} if cursor is None else {"limit": 3, "cursor": cursor}
        found = page(rows_request(body), [view(blocks=[block(arrived)])])
        seen += [json.loads(row.data)["x"] for row in found.rows]
        cursor = found.next
        if cursor is None:
            break
        last_s = found.rows[-1].position.time_ns // 10**9
        # one that is later than all that was shown, and one that is still to come
        arrived += [second(SPAN_S - 1, x=1_000 + number), second(last_s - 5, x=2_000 + number)]
    assert [x for x in seen if x < 1_000] == list(range(19, -1, -1))
    assert len(seen) == len(set(seen))
    assert not [x for x in seen if 1_000 <= x < 2_000]
    assert [x for x in seen if x >= 2_000]


def test_batches_that_count_elsewhere_are_left_out_and_undecided_ones_taken_once(
    tmp_path: Path,
) -> None:
    rows = [second(at, x=at) for at in range(10)]
    one = replace(
        view(segments=[segment(rows[:5], tmp_path)], blocks=[block(rows[5:], 5)]),
        dropped=(EpochOffset(1, 2), EpochOffset(1, 7)),
    )
    shown_x = [json.loads(row.data)["x"] for row in page(rows_request(), [one]).rows]
    assert shown_x == [9, 8, 6, 5, 4, 3, 1, 0]
    only = page(rows_request(), [one], counted={0: ((1, 2), (1, 7))}, only_counted=True)
    assert [json.loads(row.data)["x"] for row in only.rows] == [7, 2]
    cut = page(rows_request(), [one], upto={0: 6})
    assert [json.loads(row.data)["x"] for row in cut.rows] == [5, 4, 3, 1, 0]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"calculations": [{"op": "COUNT"}]}, "calculations"),
        ({"breakdowns": ["x"]}, "breakdowns"),
        ({"limit": 0}, "limit"),
        ({"limit": limits.ROWS_LIMIT_MAX + 1}, "limit"),
        ({"limit": True}, "limit"),
        ({"order": "up"}, "order"),
        ({"fields": "x"}, "fields"),
        ({"fields": [1]}, "fields"),
        ({"cursor": 5}, "cursor"),
        ({"cursor": "öö"}, "cursor"),
        ({"cursor": "eA"}, "cursor"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_a_fault_in_the_question_names_its_field(body: dict[str, Any], field: str) -> None:
    with pytest.raises(SpecError) as caught:
        rows_request(body)
    assert caught.value.field.split("[")[0] == field


def test_a_cursor_keeps_its_range_and_is_refused_for_another_question() -> None:
    views = [view(blocks=[block([second(at, x=at) for at in range(9)])])]
    first = page(read_rows_request({"time_range": 9, "limit": 4, "end_time": 9}, DATASET, 0), views)
    assert first.next is not None
    later = read_rows_request({"time_range": 1, "limit": 4, "cursor": first.next}, DATASET, 10**18)
    assert (later.start_ns, later.end_ns) == (0, 9 * 10**9)
    for other in ({"order": "oldest"}, {"filters": [{"column": "x", "op": "exists"}]}):
        with pytest.raises(SpecError):
            rows_request({**other, "cursor": first.next})
    with pytest.raises(SpecError):
        read_rows_request({"cursor": first.next}, "e" * 24, 10**18)


def test_a_share_of_an_older_indexer_is_no_empty_page() -> None:
    with pytest.raises(Unavailable):
        make_page(rows_request(), [{"main": pa.table({"n": [3]})}])
