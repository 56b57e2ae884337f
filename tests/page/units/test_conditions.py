"""A click on a group asks about that group: the page's conditions are the server's own."""

from typing import Any

import pytest

from query.differences.exactly import exactly
from tests.page.units.node import answer_of
from tests.query.differences.test_exactly import GROUPS


def conditions_of(groups: list[Any]) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = answer_of("conditions.mjs", groups)
    return found


@pytest.mark.slow
def test_groups_of_several_types_are_asked_for_one_by_one() -> None:
    values = [value for value, _ in GROUPS]
    wanted = [
        [
            {
                "column": one.field,
                "op": one.op.value,
                **({"value": one.values[0]} if one.values else {}),
            }
            for one in exactly("v", value)
        ]
        for value in values
    ]
    assert conditions_of(values) == wanted


@pytest.mark.slow
def test_groups_of_one_type_are_asked_for_by_their_value_alone() -> None:
    for values in (["200", "true", "x"], [0, 1, 2.5], [True, False]):
        found = conditions_of([*values, None])
        same = [[{"column": "v", "op": "=", "value": value}] for value in values]
        assert found == [*same, [{"column": "v", "op": "does-not-exist"}]]
