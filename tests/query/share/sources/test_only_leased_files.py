"""A plan reads the leased files of its own datasets, whatever its names and filters say.

A database may read every segment of the indexer. So each statement is taken apart by DuckDB's own
parser: the table functions and tables that it names are looked at, not its text.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.errors import BellwetherError
from query.plan.parts.conditions import Filter, FilterOp, GroupKey
from query.plan.plan import Need, Plan, RowsWanted, State
from query.share.compute.computation import Computation
from query.share.compute.database import Databases
from query.share.sources.parquet_scan import parquet_scan
from query.share.sources.small_segments import SmallSegments
from query.share.view.view import DatasetView
from tests.query.share.databases import databases
from tests.query.share.rows import Row, block, segment, view

OF_ANOTHER = "of another dataset"
PARSER = duckdb.connect()
CALCULATED = (State.COUNT, State.NUMBER, State.QUANTILE, State.DISTINCT)
TABLES = {"src", "picked", "live", "small", "wanted"}  # made by the statement, or registered for it


class Recorder:
    """A connection that keeps the statements it is given."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, seen: list[str]) -> None:
        self._connection = connection
        self._seen = seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def sql(self, text: str, **more: Any) -> Any:
        self._seen.append(text)
        return self._connection.sql(text, **more)

    def execute(self, text: str, *more: Any) -> Any:
        self._seen.append(text)
        return self._connection.execute(text, *more)


class RecordingDatabases(Databases):
    """Databases of other ones, whose statements are kept in `seen`."""

    def __init__(self, real: Databases) -> None:
        self.allowed = real.allowed
        self._real = real
        self.seen: list[str] = []

    @contextmanager
    def use(self) -> Iterator[Any]:
        with self._real.use() as connection:
            yield Recorder(connection, self.seen)


def named(statement: str) -> tuple[set[str], set[str], set[str]]:
    """(files, table functions, tables) of a statement, which must be one SELECT."""
    [(text,)] = PARSER.execute("SELECT json_serialize_sql(?)", [statement]).fetchall()
    parsed = json.loads(text)
    assert parsed["error"] is False, parsed
    assert len(parsed["statements"]) == 1
    files, functions, tables, ctes = set[str](), set[str](), set[str](), set[str]()

    def look(node: Any) -> None:
        if isinstance(node, list):
            for one in node:
                look(one)
        if not isinstance(node, dict):
            return
        if node.get("type") == "TABLE_FUNCTION":
            function = node["function"]
            functions.add(function["function_name"])
            files.update(constants(function))
        if node.get("type") == "BASE_TABLE":
            tables.add(node["table_name"])
        for name, one in node.items():
            if name == "cte_map":
                ctes.update(entry["key"] for entry in one["map"])
            look(one)

    look(parsed["statements"])
    return files, functions, tables - ctes


def constants(node: Any) -> Iterator[str]:
    """Every text literal in a part of a statement."""
    if isinstance(node, list):
        for one in node:
            yield from constants(one)
    elif isinstance(node, dict):
        if node.get("type") == "VALUE_CONSTANT" and node["literal"]["kind"] == "STRING":
            yield node["literal"]["text"]
        for one in node.values():
            yield from constants(one)


def check(statements: Sequence[str], leased: set[str]) -> None:
    assert statements
    for statement in statements:
        files, functions, tables = named(statement)
        assert files <= leased, files - leased
        assert functions <= {"read_parquet"}
        assert tables <= TABLES


def hostile(other: Path) -> list[str]:
    """Texts that would read the other file if any of them became part of a statement."""
    return [
        f"x' FROM read_parquet('{other}') --",
        f"x\" FROM read_parquet('{other}') --",
        f"') UNION ALL SELECT * FROM read_parquet('{other}",
        f"x']), read_parquet(['{other}",
        f"{other}",
        f"$1 OR EXISTS (FROM '{other}')",
        f"1); COPY (FROM '{other}') TO '{other}.copy'; SELECT (1",
        f"\\'; FROM '{other}'; --",
        f"E'\\'' || (SELECT any_value(secret) FROM '{other}')",
        f"{{{{read_parquet('{other}')}}}}",
        "c0_s",
        "src",
        "live",
        "$1::VARCHAR",
        "/* x */ --\n;",
        "\x00'\"",
        "*.parquet",
    ]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_names_filters_and_keys_never_become_files_or_statements(
    tmp_path: Path, data: st.DataObject
) -> None:
    other = segment([Row(5, {"secret": OF_ANOTHER, "x": OF_ANOTHER})], tmp_path)
    texts = st.sampled_from(hostile(other.path))
    names = data.draw(st.lists(texts, min_size=1, max_size=3, unique=True))
    rows = [Row(at, dict.fromkeys(names, value)) for at, value in enumerate(["a", 2, 0.5])]
    mine = segment(rows, tmp_path)
    fields = [*names, "x"]
    filters = tuple(
        Filter(data.draw(st.sampled_from(fields)), op, values)
        for op, values in data.draw(
            st.lists(
                st.sampled_from(
                    [FilterOp.EQ, FilterOp.NE, FilterOp.LT, FilterOp.STARTS, FilterOp.CONTAINS]
                ).flatmap(lambda op: texts.map(lambda text: (op, (text,)))),
                max_size=2,
            )
        )
    )
    groups: tuple[GroupKey, ...] | None = data.draw(
        st.none() | texts.map(lambda text: tuple(("s" + text,) for _ in range(1)))
    )
    is_rows = data.draw(st.booleans())
    states = data.draw(st.sampled_from([CALCULATED, (State.FIELD,)]))
    plan = Plan(
        dataset=data.draw(texts),
        start_ns=0,
        end_ns=100,
        needs=() if is_rows else tuple(Need(state, data.draw(st.sampled_from(fields)))
                                       for state in states),
        breakdowns=() if is_rows else tuple(names[:1]),
        filters=filters,
        step_ns=None if is_rows else data.draw(st.none() | st.just(10)),
        groups=None if is_rows else groups,
        log=data.draw(texts),
        rows=RowsWanted(limit=5, bytes_max=1_000, fields=tuple(names)) if is_rows else None,
    )  # fmt: skip
    recording = RecordingDatabases(databases())
    views = [view(segments=[mine], blocks=[block(rows)])]
    small = data.draw(st.none() | st.builds(SmallSegments))
    answer = Computation(plan, views, recording, small).run()
    check(recording.seen, {str(mine.path)})
    assert OF_ANOTHER not in str({name: table.to_pydict() for name, table in answer.states.items()})
    assert sorted(tmp_path.glob("*.copy")) == []


def test_a_scan_takes_no_file_that_is_not_named_after_its_segment(tmp_path: Path) -> None:
    mine = segment([Row(1, {"x": 1})], tmp_path)
    assert named(f"SELECT * FROM {parquet_scan([mine])}")[0] == {str(mine.path)}
    wrong = (
        replace(mine, path=tmp_path / "key"),
        replace(mine, path=tmp_path / "*.parquet", object_hash="*"),
        replace(mine, object_hash="0" * 64),
        replace(mine, object_hash=mine.object_hash.upper()),
    )
    for one in wrong:
        with pytest.raises(BellwetherError, match="not a file of segment"):
            parquet_scan([mine, one])


def test_the_folder_of_segments_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / 'it\'s; DROP -- "x"'
    folder.mkdir()
    mine = segment([Row(1, {"x": 1}), Row(2, {"x": 2})], folder)
    own = Databases(databases().allowed, 1, folder)
    plan = Plan(dataset="d", start_ns=0, end_ns=100, needs=(Need(State.COUNT),))
    views: list[DatasetView] = [view(segments=[mine])]
    recording = RecordingDatabases(own)
    states = Computation(plan, views, recording).run().states
    assert states["main"].column("a0_w").to_pylist() == [2]
    check(recording.seen, {str(mine.path)})
    own.close()
