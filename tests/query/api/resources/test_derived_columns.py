"""Expressions of derived columns are refused when they are saved."""

from pathlib import Path
from typing import Any

import pytest

from tests.query.harness import QueryHarness, query_harness


async def save(running: QueryHarness, alias: str, expression: str, dataset: str = "shop") -> Any:
    body = {"alias": alias, "expression": expression}
    status, answer = await running.post(f"/1/derived_columns/{dataset}", body)
    if status == 201:
        return answer["id"]
    assert status == 422, answer
    [fault] = answer["type_detail"]
    assert (fault["field"], fault["code"]) == ("expression", "invalid")
    return fault["description"]


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("NOT_A_FUNCTION(1)", "column 1"),
        ("ADD(1", "column"),
        ("1 +", "column"),
        ("IF(GTE($duration_ms 500), 1, 0)", "column 21"),
        ('REG_MATCH($name, "(")', "column 18"),
        ("(" * 2_000, "column"),
    ],
)
async def test_a_faulty_expression_is_refused_with_the_place_of_its_fault(
    tmp_path: Path, expression: str, fault: str
) -> None:
    async with query_harness(tmp_path) as running:
        assert fault in await save(running, "a", expression)
        assert await running.get("/1/derived_columns/shop") == (200, [])


async def test_fields_that_use_one_another_have_no_circle(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        assert "`a` -> `a`" in await save(running, "a", "$a + 1")
        first = await save(running, "a", "$b + 1")  # b is a stored field, or will be one
        assert "`b` -> `a` -> `b`" in await save(running, "b", "$a + 1")
        where = f"/1/derived_columns/shop/{first}"
        assert (await running.put(where, {"expression": "1"}))[0] == 200
        await save(running, "b", "$a + 1")
        status, refused = await running.put(where, {"expression": "$b"})
        assert status == 422
        assert "`a` -> `b` -> `a`" in refused["type_detail"][0]["description"]


async def test_a_dataset_may_use_what_the_environment_calculates(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        await save(running, "wide", "$mine", "__all__")
        assert "`mine` -> `wide` -> `mine`" in await save(running, "mine", "$wide")


async def test_fields_use_one_another_ten_deep_however_they_are_saved(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        for number in range(9):
            await save(running, f"f{number}", f"$f{number + 1} + $f{number + 1}")
        lowest = await save(running, "f9", "$ms")
        assert "more than 10 deep" in await save(running, "top", "$f0")
        where = f"/1/derived_columns/shop/{lowest}"
        assert (await running.put(where, {"expression": "$ms + 1"}))[0] == 200
        await save(running, "f10", "$ms", "__all__")
        status, refused = await running.put(where, {"expression": "$f10"})
        assert (status, refused["type_detail"][0]["field"]) == (422, "expression")
        await save(running, "x1", "$x0")
        assert "more than 10 deep" in await save(running, "ms", "$x1"), "others would be too deep"
