"""The selection of a group is that group, also where other types have values that `=` takes too."""

from pathlib import Path

from common.process.versions import OWN
from query.differences.exactly import Scalar
from tests.query.differences.test_route import differences
from tests.query.harness import BASE_S, query_harness
from tests.query.share.rows import Row

# (value, events): every one is a group of its own.
GROUPS: list[tuple[Scalar | None, int]] = [
    (1, 3), ("1", 4), ("1.0", 5), (True, 6), ("true", 7), (0, 8), ("0", 9), (False, 10),
    ("false", 11), (1.5, 12), ("1.5", 13), ("", 14), ("x", 15), (None, 16), (2**53 + 1, 17),
    (str(2**53 + 1), 18),
]  # fmt: skip


async def test_a_group_of_mixed_types_is_selected_without_its_namesakes(tmp_path: Path) -> None:
    values = [value for value, events in GROUPS for _ in range(events)]
    rows = [
        Row((BASE_S + at % 100) * 10**9, {"n": at, **({} if value is None else {"v": value})}, 1)
        for at, value in enumerate(values)
    ]
    async with query_harness(tmp_path, rows=rows) as running:
        running.indexers["a"].announce(OWN)
        running.indexers["a"].columns = {"n": ["i"], "v": ["i", "f", "b", "s"]}
        found = []
        for value, _ in GROUPS:
            answer = await differences(running, fields=["n"], selection={"groups": [{"v": value}]})
            found.append((value, answer["inside"]["stored"]))
    assert found == GROUPS
