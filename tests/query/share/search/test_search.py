"""A search finds a text in every text field, whatever the case, wherever an event is stored."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from common import limits
from common.errors import BadRequest
from common.process.versions import PLAN_QUESTIONS
from query.faults import SpecError
from query.plan.check_plan import check_request
from query.plan.parts.conditions import Filter, FilterOp
from query.plan.plan import Plan, RowsWanted, ShareRequest, version_needed
from query.plan.read.filters import read_filters
from query.share.compute.computation import Computation
from query.share.row_search.search import rows_of
from query.share.search.pattern import holding, pattern_of
from query.share.view.view import DatasetView
from segment.columns import FieldType
from tests.query.share.rows import Json, Row, block, segment, view
from tests.query.share.test_share_against_oracle import ALLOWED

EVENTS: list[dict[str, Any]] = [
    {"message": "GOAWAY: Frame_Too_Large on stream 5", "status": 500},
    {"message": "ok", "error": "frame_too_large", "attributes": Json('{"code":"FRAME_TOO_LARGE"}')},
    {"frame_too_large": "no", "status": 200},
    {"message": 'a "quoted" line\n with a \\ backslash', "size": 77_777},
    {"message": "ÜBERGRÖSSE im ΤΈΛΟΣ, \u212aelvin und mi\u017ft"},
]
ROWS = [Row(at, {**event, "id": at}) for at, event in enumerate(EVENTS)]
WIDE = 40


def searching(text: str, **more: Any) -> Plan:
    wanted = RowsWanted(limit=100, bytes_max=10**6, oldest=True, **more)
    one = Filter("", FilterOp.SEARCH, (text,))
    return Plan(dataset="d", start_ns=0, end_ns=10**9, needs=(), filters=(one,), rows=wanted)


def found(views: Sequence[DatasetView], plan: Plan) -> list[tuple[int, tuple[str, ...]]]:
    answer = Computation(plan, views, ALLOWED).run().states["main"]
    return [(row.position.time_ns, row.matches) for row in rows_of(answer)]


@pytest.fixture(params=["live", "file", "overflow"])
def views(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[DatasetView]:
    if request.param == "live":
        return [view(blocks=[block(ROWS)])]
    if request.param == "overflow":
        monkeypatch.setattr(limits, "SEGMENT_COLUMNS_MAX_V1", 1)
    made = segment(ROWS, tmp_path)
    assert bool(made.overflow_columns) == (request.param == "overflow")
    return [view(segments=[made])]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("frame_too_large", [(0, ("message",)), (1, ("attributes", "error"))]),
        ("FRAME", [(0, ("message",)), (1, ("attributes", "error"))]),
        ("too_large on", [(0, ("message",))]),
        ("code", [(1, ("attributes",))]),
        ('"QUOTED"', [(3, ("message",))]),
        ("line\n", [(3, ("message",))]),
        ("n with", []),  # the line break is stored as \n in the overflow column
        (" \\ ", [(3, ("message",))]),
        ("77777", []),  # a number is no text
        ("übergröße", []),
        ("übergrösse", [(4, ("message",))]),
        ("τέλοσ,", [(4, ("message",))]),
        ("kelvin und MIST", [(4, ("message",))]),
        ("f:message:s", []),  # the names of columns are no values
        ("'; DROP TABLE live; --", []),
    ],
)
def test_a_text_is_found_in_every_text_field_and_the_fields_are_named(
    views: list[DatasetView], text: str, expected: list[tuple[int, tuple[str, ...]]]
) -> None:
    assert found(views, searching(text)) == expected


@pytest.mark.parametrize(
    ("stored", "sought"),
    [
        (json.dumps({"a": ["Straße 日本 😀"]}), "STRAẞE 日本 😀"),
        (json.dumps({"a": "ΣΊΣΥΦΟΣ"}), "σίσυφος"),
        ('{"a":"http:\\/\\/x"}', "http://X"),
        ('{"a":"1 \\u003c 2 \\u0026 3"}', "1 < 2 & 3"),
        ('{"a":"say \\"hi\\" \\u0022ho\\u0022"}', 'say "hi" "ho"'),
        ('{"a":"c:\\\\temp\\tx"}', "C:\\TEMP\tX"),
        ('{"a":"é"}', "É"),
    ],
)
@pytest.mark.parametrize("where", ["live", "file", "overflow"])
def test_a_text_is_found_in_json_however_its_characters_are_written(
    stored: str, sought: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [Row(0, {"j": Json(stored), "id": 0, "s": "x"}), Row(1, {"s": stored, "id": 1})]
    if where == "overflow":
        monkeypatch.setattr(limits, "SEGMENT_COLUMNS_MAX_V1", 1)
    live = where == "live"
    views = [view(blocks=[block(rows)]) if live else view(segments=[segment(rows, tmp_path)])]
    expected = [(0, ("j",))] + [(1, ("s",))] * (sought.lower() in stored.lower())
    assert found(views, searching(sought)) == expected


def test_fields_that_match_are_named_though_others_are_asked_for(views: list[DatasetView]) -> None:
    plan = searching("frame_too", fields=("id",))
    answer = Computation(plan, views, ALLOWED).run().states["main"]
    rows = rows_of(answer)
    assert [json.loads(row.data) for row in rows] == [{"id": 0}, {"id": 1}]
    assert [row.matches for row in rows] == [("message",), ("attributes", "error")]


def test_columns_beyond_a_few_are_searched_each_by_itself(tmp_path: Path) -> None:
    """A text that ends one column and begins the next one is in none of them."""
    many = [Row(at, {f"c{n:03}": f"left{n}right" for n in range(150)}) for at in range(2)]
    many.append(Row(2, {"c077": "frame \ue000 TOO large"}))
    views = [view(segments=[segment(many, tmp_path)])]
    assert found(views, searching("rightleft")) == []
    assert found(views, searching("right\ue000left")) == []
    assert [len(names) for _, names in found(views, searching("LEFT149"))] == [1, 1]
    assert found(views, searching("\ue000 too")) == [(2, ("c077",))]


def test_a_text_that_must_not_be_held_is_not_named(views: list[DatasetView]) -> None:
    without = Filter("", FilterOp.NONE_OF, (), (Filter("", FilterOp.SEARCH, ("frame",)),))
    plan = searching("o")
    both = Plan(
        dataset="d", start_ns=0, end_ns=9, needs=(), rows=plan.rows,
        filters=(*plan.filters, without),
    )  # fmt: skip
    assert found(views, both) == [(2, ("frame_too_large",)), (3, ("message",))]


def test_arrow_and_the_database_hold_the_same_characters_to_be_the_same() -> None:
    letters = [chr(code) for code in range(1, 0x2_200) if not 0xD800 <= code < 0xE000]
    cases = [(one, f"a{other}b") for one in letters for other in {one.upper(), one.lower(), one}]
    cases += [("\0x", "\0X"), ("a.b", "axb"), ("(?i)", "(?I)"), ("\\d", "5"), ("a\nb", "A\nB")]
    texts = [text for _, text in cases]
    sql = "SELECT regexp_matches(unnest($1::VARCHAR[]), unnest($2::VARCHAR[]))"
    patterns = [pattern_of(one) for one, _ in cases]
    found = duckdb.connect().execute(sql, [texts, patterns]).fetchall()
    mine = [
        holding(pa.array([text], pa.large_string()), one, FieldType.STRING)[0].as_py()
        for one, text in cases
    ]
    assert mine == [held for (held,) in found]


@pytest.mark.parametrize(
    ("item", "at"),
    [
        ({"op": "search"}, "filters[0].value"),
        ({"op": "search", "value": ""}, "filters[0].value"),
        ({"op": "search", "value": 5}, "filters[0].value"),
        ({"op": "search", "value": "x" * 1_001}, "filters[0].value"),
        ({"op": "search", "value": "\ud800"}, "filters[0].value"),
        ({"op": "search", "value": "x", "column": "message"}, "filters[0].column"),
    ],
)
def test_a_faulty_search_is_refused_at_its_member(item: dict[str, Any], at: str) -> None:
    with pytest.raises(SpecError) as refused:
        read_filters({"filters": [item]})
    assert refused.value.field == at


def test_a_question_searches_for_a_bounded_number_of_texts() -> None:
    many = [{"op": "search", "value": str(at)} for at in range(limits.SEARCHES_MAX + 1)]
    assert len(read_filters({"filters": many[1:]})) == limits.SEARCHES_MAX
    with pytest.raises(SpecError):
        read_filters({"filters": [{"filters": many}]})


def test_a_search_is_sent_only_to_programs_that_know_it() -> None:
    assert version_needed(searching("x")) == PLAN_QUESTIONS
    for one in (Filter("x", FilterOp.SEARCH, ("y",)), Filter("", FilterOp.SEARCH)):
        plan = Plan(dataset="d", start_ns=0, end_ns=1, needs=(), filters=(one,))
        with pytest.raises(BadRequest):
            check_request(ShareRequest(plan=plan, partitions=(0,)))
