"""`POST /bw/1/fields`, and the patterns that choose names."""

from pathlib import Path
from typing import Any

import pytest

from common import limits
from common.process.versions import OWN
from query.wire.name_pattern import NamePattern
from tests.query.harness import BASE_S, TIMES, QueryHarness, query_harness
from tests.query.share.rows import Json, Row, block, view

SECOND_NS = 10**9


async def fields_of(running: QueryHarness, expected: int = 200, **body: Any) -> Any:
    status, answer = await running.post("/bw/1/fields", {"dataset": "shop", **body})
    assert status == expected, answer
    return answer


async def test_fields_tell_types_share_last_time_and_frequent_values(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        running.indexers["a"].columns |= {"service": ["s"], "rare": ["j", "s"]}
        held = running.indexers["a"].views.held
        rare = [
            Row((BASE_S + 50) * SECOND_NS, {"rare": Json("[1]")}, 20),
            Row((BASE_S + 51) * SECOND_NS, {"rare": "x" * 500}, 80),
        ]
        held[1] = view(1, blocks=[*held[1].blocks, block(rare, 500)])
        answer = await fields_of(running, samples=5, **TIMES)
        assert answer["events"] == 200
        assert answer["coverage"]["complete"] is True
        found = {field.pop("name"): field for field in answer["fields"]}
        assert list(found) == ["ms", "rare", "service", "status"]
        assert found["status"] == {
            "types": ["integer"],
            "last_indexed": "2033-05-18T03:33:20Z",
            "events": 100,
            "share": 0.5,
            "last_seen": "2023-11-14T22:14:59Z",
            "samples": found["status"]["samples"],
        }
        assert sorted(found["status"]["samples"]) == [200, 201, 202]
        assert sorted(found["service"]["samples"]) == ["a", "b"]
        assert found["rare"]["types"] == ["json", "string"]
        assert found["rare"]["events"] == 100
        assert found["rare"]["last_seen"] == "2023-11-14T22:14:11Z"
        cut = "x" * limits.FIELD_SAMPLE_CHARS_MAX + "..."
        assert sorted(found["rare"]["samples"]) == ["[1]", cut]


async def test_fields_of_all_datasets_are_counted_together_in_the_own_environment(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path, datasets=("shop", "bank")) as running:
        running.indexers["a"].announce(OWN)
        running.indexers["a"].columns["service"] = ["s"]
        asked = {"dataset": "__all__", "match": "service", **TIMES}
        answer = await fields_of(running, **asked)
        assert [(one["name"], one["events"]) for one in answer["fields"]] == [("service", 200)]
        assert (answer["events"], answer["coverage"]["complete"]) == (200, True)
        newest = await fields_of(running, dataset="__all__", name="status")
        assert newest["events"] == 200  # of the hours before the newest event of any
        assert (await running.post("/bw/1/fields", asked, key="NOQUERY"))[0] == 403


async def test_without_a_range_the_hours_before_the_newest_event_are_counted_and_it_is_said(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path) as running:
        answer = await fields_of(running, match="stat")
        assert [field["name"] for field in answer["fields"]] == ["status"]
        assert answer["events"] == 100
        assert answer["fields"][0]["share"] == 1.0
        assert answer["end"] == "2023-11-14T22:15:00Z"
        assert "2023-11-14T22:14:59Z" in answer["notes"][0]
        ranged = await fields_of(running, match="stat", time_range=60)
        assert (ranged["events"], ranged["notes"]) == (0, [])


async def test_conditions_narrow_the_events_that_are_counted(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        some = [{"column": "status", "op": "=", "value": 200}]
        answer = await fields_of(running, filters=some, **TIMES)
        assert answer["events"] == 34
        assert answer["fields"][-1]["samples"] == [200]


async def test_names_alone_come_in_pages_of_many_and_narrowed_by_a_pattern(tmp_path: Path) -> None:
    async with query_harness(tmp_path, zones=("a", "b")) as running:
        names = [f"f{n:05d}" for n in range(12_000)]
        running.indexers["a"].columns = {name: ["s"] for name in names}
        running.indexers["b"].columns = {name: ["i"] for name in names[::2]}
        found: list[str] = []
        cursor = None
        while True:
            answer = await fields_of(
                running, details=False, **({"cursor": cursor} if cursor else {})
            )
            found += [field["name"] for field in answer["fields"]]
            cursor = answer["next"]
            if cursor is None:
                break
        assert found == names
        narrowed = await fields_of(running, details=False, match="F0?0*1", limit=5)
        assert [field["name"] for field in narrowed["fields"]] == [
            "f00001",
            "f00011",
            "f00021",
            "f00031",
            "f00041",
        ]
        assert narrowed["next"] == "f00041"


async def test_one_field_is_asked_by_its_name_and_a_wrong_name_is_told_those_near(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path) as running:
        answer = await fields_of(running, name="ms", **TIMES)
        assert [field["name"] for field in answer["fields"]] == ["ms"]
        wrong = await fields_of(running, name="Statu", **TIMES)
        assert wrong["fields"] == []
        assert wrong["notes"] == ["no event has a field `Statu`; did you mean `status`?"]


@pytest.mark.parametrize(
    "body",
    [
        {"match": 5},
        {"match": "x" * 1_001},
        {"limit": 0},
        {"limit": 201},
        {"samples": 21},
        {"details": "yes"},
        {"nonsense": 1},
        {"dataset": None},
        {"start_time": 5, "end_time": 4},
    ],
)
async def test_a_question_that_cannot_be_asked_is_refused(
    tmp_path: Path, body: dict[str, Any]
) -> None:
    async with query_harness(tmp_path) as running:
        refused = await fields_of(running, 422, **body)
        assert refused["type_detail"][0]["field"] in (*body, "end_time")


async def test_keys_without_the_right_to_query_see_no_field(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        for key, expected in (("NOQUERY", 403), ("INGEST", 403), ("nobody", 401)):
            status, _ = await running.post("/bw/1/fields", {"dataset": "shop"}, key)
            assert status == expected


@pytest.mark.parametrize(
    ("pattern", "fitting"),
    [
        ("", ["http.status", "Status", "a*b", "ü"]),
        ("status", ["http.status", "Status"]),
        ("STATUS", ["http.status", "Status"]),
        ("status*", ["Status"]),
        ("*status", ["http.status", "Status"]),
        ("?", ["ü"]),
        ("a*b", ["a*b"]),
        ("*.*", ["http.status"]),
        ("h*t*t*p*", ["http.status"]),
        ("Ü", ["ü"]),
        ("[a-z]", []),
        ("**", ["http.status", "Status", "a*b", "ü"]),
        ("status*status", []),
    ],
)
def test_a_pattern_is_a_part_of_a_name_or_its_shape(pattern: str, fitting: list[str]) -> None:
    names = ["http.status", "Status", "a*b", "ü"]
    assert [name for name in names if NamePattern(pattern).matches(name)] == fitting
    assert [name for name in names if NamePattern(pattern).matches(name.encode())] == fitting


def test_a_pattern_of_many_stars_costs_no_more_than_its_pieces() -> None:
    assert not NamePattern("*a" * 400 + "*b").matches("a" * 50_000)
