"""A click on a group asks about that group: the page's conditions are the server's own."""

import json
import subprocess
from typing import Any

import pytest

from query.differences.exactly import exactly
from tests.clients.npm import folder_with
from tests.page.test_pieces import FOLDER, SOURCES
from tests.query.differences.test_exactly import GROUPS


def conditions_of(groups: list[Any]) -> list[list[dict[str, Any]]]:
    done = subprocess.run(
        ["node", str(FOLDER / "conditions.mjs"), str(SOURCES)],
        cwd=folder_with("pieces", "esbuild@0.28.2"),
        input=json.dumps(groups),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    read: list[list[dict[str, Any]]] = json.loads(done.stdout)
    return read


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
