"""`bellwether export`: every event in one file that other programs read; nothing half-written."""

import asyncio
import csv
import gzip
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from click.testing import CliRunner, Result

from bellwether.cli import cli
from tests.query.harness import BASE_S, QueryHarness, query_harness
from tests.query.share.rows import Json, Row

BIG = 2**53 + 1
ROWS = [
    Row((BASE_S + i) * 10**9 + 123456789, data, rate=1 + i)
    for i, data in enumerate(
        [
            {"n": BIG, "Status": 200, "status": 'a,b\n"c"', "tags": Json('[1,{"k":null}]')},
            {"n": 2.5, "Status": 404, "ok": True, "time": "noon"},
            {"n": 3.5, "status": "", "ok": "yes"},
            {"n": -1.5, "ok": False},
        ]
    )
]
RANGE = f"SINCE {BASE_S} UNTIL {BASE_S + 100}"


@asynccontextmanager
async def role(tmp_path: Path, rows: list[Row] = ROWS) -> AsyncIterator[QueryHarness]:
    (tmp_path / "server").mkdir()
    async with query_harness(tmp_path / "server", rows=rows) as found:
        yield found


async def export(found: QueryHarness, *arguments: str) -> Result:
    environ = {"BELLWETHER_URL": found.url, "BELLWETHER_KEY": "K"}

    def run() -> Result:
        return CliRunner(env=environ).invoke(cli, ["export", "shop", *arguments])

    return await asyncio.to_thread(run)


async def exported(tmp_path: Path, name: str, *more: str) -> Path:
    async with role(tmp_path) as found:
        result = await export(found, RANGE, str(tmp_path / name), *more)
    assert result.exit_code == 0, result.output
    return tmp_path / name


async def test_parquet_has_every_value_with_its_type_and_tells_what_a_column_holds(
    tmp_path: Path,
) -> None:
    table = pq.read_table(await exported(tmp_path, "some.parquet"))
    assert table.column("n").to_pylist() == [None, 2.5, 3.5, -1.5]
    assert table.column("n.integer").to_pylist() == [BIG, None, None, None]
    assert table.column("Status").to_pylist() == [200, 404, None, None]
    assert table.column("status_2").to_pylist() == ['a,b\n"c"', None, "", None]
    assert table.column("ok").to_pylist() == [None, True, None, False]
    assert table.column("ok.string").to_pylist() == [None, None, "yes", None]
    assert [None if v is None else json.loads(v) for v in table.column("tags").to_pylist()] == [
        [1, {"k": None}], None, None, None,
    ]  # fmt: skip
    assert table.column("samplerate").to_pylist() == [1, 2, 3, 4]
    times = table.column("event.time").cast(pa.int64()).to_pylist()
    assert times == [row.time_ns for row in ROWS]
    assert table.schema.field("status_2").metadata[b"bellwether.field"] == b"status"


async def test_arrow_has_the_same_columns(tmp_path: Path) -> None:
    path = await exported(tmp_path, "some.arrow")
    with pa.ipc.open_file(path) as file:
        table = file.read_all()
    assert table.column("n.integer").to_pylist() == [BIG, None, None, None]
    assert table.num_rows == len(ROWS)


async def test_duckdb_keeps_names_apart_that_differ_in_case(tmp_path: Path) -> None:
    path = await exported(tmp_path, "some.parquet")
    with duckdb.connect() as db:
        found = db.execute(f"SELECT Status, status_2 FROM '{path}' ORDER BY samplerate").fetchall()
    assert found == [(200, 'a,b\n"c"'), (404, None), (None, ""), (None, None)]


@pytest.mark.parametrize("name", ["some.csv", "some.csv.gz", "some.csv.zst"])
async def test_csv_is_read_back_to_the_same_texts(tmp_path: Path, name: str) -> None:
    rows = list(csv.DictReader(io.StringIO(unpacked(await exported(tmp_path, name)), newline="")))
    assert [row["n"] for row in rows] == [str(BIG), "2.5", "3.5", "-1.5"]
    assert [row["status_2"] for row in rows] == ['a,b\n"c"', "", "", ""]
    assert [row["ok"] for row in rows] == ["", "true", "yes", "false"]


@pytest.mark.parametrize("name", ["some.ndjson", "some.jsonl.gz", "some.ndjson.zst"])
async def test_ndjson_has_an_object_for_each_event_with_its_own_fields(
    tmp_path: Path, name: str
) -> None:
    rows = [json.loads(line) for line in unpacked(await exported(tmp_path, name)).splitlines()]
    assert rows[0]["n"] == BIG
    assert rows[0]["tags"] == [1, {"k": None}]
    assert rows[3].keys() == {"event.time", "samplerate", "n", "ok"}


async def test_only_the_named_fields_are_written(tmp_path: Path) -> None:
    table = pq.read_table(await exported(tmp_path, "some.parquet", "--fields", "Status"))
    assert table.column_names == ["time", "samplerate", "Status"]


async def test_more_events_than_one_page_and_one_row_group_are_all_there(tmp_path: Path) -> None:
    rows = [Row(BASE_S * 10**9 + i, {"i": i}) for i in range(12_000)]
    async with role(tmp_path, rows) as found:
        result = await export(found, RANGE, str(tmp_path / "many.parquet"))
    assert result.exit_code == 0, result.output
    assert pq.read_table(tmp_path / "many.parquet").column("i").to_pylist() == list(range(12_000))


async def test_what_is_there_is_not_replaced_and_what_fails_leaves_nothing(tmp_path: Path) -> None:
    kept = tmp_path / "kept.csv"
    kept.write_text("mine")
    async with role(tmp_path) as found:
        refused = await export(found, RANGE, str(kept))
        assert refused.exit_code == 1
        assert "--overwrite" in refused.output
        unknown = await export(found, RANGE, str(tmp_path / "some.xlsx"))
        assert unknown.exit_code == 2
        assert "parquet, arrow, csv" in unknown.output
        wrong = await export(found, "WHERE", str(tmp_path / "wrong.csv"))
        assert wrong.exit_code != 0
        for indexer in found.indexers.values():
            indexer.refuse = True
        gone = await export(found, RANGE, str(kept), "--overwrite")
        assert gone.exit_code == 1
        assert "INCOMPLETE" in gone.output
        assert kept.read_text() == "mine"
        some = await export(found, RANGE, str(kept), "--overwrite", "--accept-incomplete")
        assert some.exit_code == 0, some.output
    assert kept.read_text() == "time,samplerate\n"
    assert list_files(tmp_path) == ["kept.csv"]


def unpacked(path: Path) -> str:
    data: Any = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    if path.suffix == ".zst":
        data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return bytes(data).decode()


def list_files(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.is_file()]
