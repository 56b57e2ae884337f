"""Long-lived databases: what they may read and write, and what is left after a question."""

import threading
import weakref
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from query.share.compute.database import DatabaseLimits, Databases, was_interrupted
from tests.query.share.rows import Row, segment

ALLOWED = DatabaseLimits(memory_mb=64, threads=1, spill_mb=512)
MANY_GROUPS = (
    "SELECT count(*), sum(s) FROM (SELECT md5(i::VARCHAR) AS k, sum(i) AS s"
    " FROM range(1_000_000) AS t(i) GROUP BY k)"
)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_csv('{elsewhere}/other.csv')",
        "SELECT * FROM read_text('{folder}/../elsewhere/other.csv')",
        "SELECT * FROM glob('{elsewhere}/*')",
        "COPY (SELECT 1) TO '{elsewhere}/written'",
        "ATTACH '{elsewhere}/other.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT * FROM read_parquet('http://127.0.0.1:1/x')",
        "SET threads = 64",
        "SET enable_external_access = true",
        "SET allowed_paths = ['/etc/passwd']",
        "SET allowed_directories = ['/']",
        "SET temp_directory = '/tmp'",
        "SET memory_limit = '100GB'",
    ],
)
def test_database_reads_the_folder_of_segments_and_nothing_else(
    tmp_path: Path, statement: str
) -> None:
    folder, elsewhere = tmp_path / "segments", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (elsewhere / "other.csv").write_text("a\n1\n")
    mine = segment([Row(0, {"x": 1})], folder)
    databases = Databases(ALLOWED, 1, folder, tmp_path / "spill")
    with databases.use() as connection:
        found = connection.execute(f"SELECT count(*) FROM read_parquet('{mine.path}')").fetchall()
        assert found == [(1,)]
    with pytest.raises(duckdb.Error), databases.use() as connection:
        connection.execute(statement.format(folder=folder, elsewhere=elsewhere)).fetchall()
    assert sorted(path.name for path in elsewhere.iterdir()) == ["other.csv"]
    databases.close()


def test_nothing_of_a_question_is_left_for_the_next_one() -> None:
    databases = Databases(ALLOWED, 1)
    with databases.use() as connection:
        table = pa.table({"x": [1, 2, 3]})
        kept = weakref.ref(table)
        connection.register("live", table)
        connection.execute("CREATE TEMP TABLE mine AS SELECT * FROM live")
        assert connection.execute("SELECT sum(x) FROM mine").fetchall() == [(6,)]
        first = connection.execute("SELECT current_setting('memory_limit')").fetchall()
        del table
    assert kept() is None
    for name in ("live", "mine"):
        with pytest.raises(duckdb.CatalogException), databases.use() as connection:
            connection.execute(f"SELECT * FROM {name}")
    with databases.use() as connection:
        assert connection.execute("SELECT current_setting('memory_limit')").fetchall() == first
    databases.close()


def test_many_groups_spill_and_leave_neither_memory_nor_files(tmp_path: Path) -> None:
    spill = tmp_path / "spill"
    databases = Databases(ALLOWED, 1, spill=spill)
    with databases.use() as connection:
        assert connection.execute(MANY_GROUPS).fetchone() == (1_000_000, 499_999_500_000)
        spilled = connection.execute("SELECT sum(size) FROM duckdb_temporary_files()").fetchall()
    with databases.use() as connection:
        held = connection.execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchall()
    assert held[0][0] < 8 * 2**20
    assert not spilled[0][0]
    databases.close()
    assert [path for path in spill.rglob("*") if path.is_file()] == []


def test_a_question_without_room_on_the_disk_fails_and_its_database_is_replaced(
    tmp_path: Path,
) -> None:
    databases = Databases(DatabaseLimits(64, 1, spill_mb=1), 1, spill=tmp_path / "spill")
    with databases.use() as connection:
        before = connection.execute("SELECT current_database()").fetchall()
        connection.execute("CREATE TABLE memory.main.of_the_first AS SELECT 1 AS x")
    with databases.use() as connection:  # still the same one
        assert connection.execute("SELECT x FROM memory.main.of_the_first").fetchall() == [(1,)]
    with pytest.raises(duckdb.OutOfMemoryException), databases.use() as connection:
        connection.execute(MANY_GROUPS)
    with databases.use() as connection:
        assert connection.execute("SELECT current_database()").fetchall() == before
        tables = connection.execute("SELECT count(*) FROM duckdb_tables()").fetchall()
    assert tables == [(0,)]
    databases.close()


@pytest.mark.parametrize("interrupted", [True, False])
def test_a_database_that_fails_while_its_rows_are_read_is_replaced_unless_it_was_interrupted(
    interrupted: bool,
) -> None:
    databases = Databases(ALLOWED, 1)
    with databases.use() as connection:
        connection.execute("CREATE TABLE memory.main.of_the_first AS SELECT 1 AS x")
    failing = (
        "SELECT CASE WHEN i < 9_000_000 THEN i ELSE error('no') END FROM range(10_000_000) t(i)"
    )

    def read() -> None:
        with databases.use() as connection:
            for _ in connection.sql(failing).to_arrow_reader(2_048):
                if interrupted:
                    connection.interrupt()

    with pytest.raises((duckdb.Error, pa.ArrowException, OSError)) as found:
        read()
    assert was_interrupted(found.value) == interrupted
    with databases.use() as connection:
        tables = connection.execute("SELECT count(*) FROM duckdb_tables()").fetchall()
    assert tables == [(1 if interrupted else 0,)]
    databases.close()


def test_an_interrupted_database_goes_on() -> None:
    databases = Databases(ALLOWED, 1)
    with databases.use() as connection:
        connection.execute("CREATE TABLE memory.main.of_the_first AS SELECT 1 AS x")
    started = threading.Event()

    def endless() -> None:
        with databases.use() as busy:
            started.connection = busy  # type: ignore[attr-defined]
            started.set()
            busy.execute("SELECT count(DISTINCT hash(i)) FROM range(100_000_000_000) AS t(i)")

    caught: list[BaseException] = []

    def run() -> None:
        try:
            endless()
        except duckdb.InterruptException as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert started.wait(30)
    while thread.is_alive():
        started.connection.interrupt()  # type: ignore[attr-defined]
        thread.join(0.01)
    assert len(caught) == 1
    with databases.use() as connection:
        assert connection.execute("SELECT x FROM memory.main.of_the_first").fetchall() == [(1,)]
    databases.close()


def test_two_questions_at_once_have_a_database_each_and_a_third_waits() -> None:
    databases = Databases(ALLOWED, 2)
    entered = threading.Event()
    with databases.use() as first, databases.use() as second:
        first.execute("CREATE TABLE memory.main.of_the_first AS SELECT 1 AS x")
        assert second.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(0,)]

        def third() -> None:
            with databases.use():
                entered.set()

        waiting = threading.Thread(target=third)
        waiting.start()
        assert not entered.wait(0.1)
    waiting.join(30)
    assert entered.is_set()
    databases.close()


def test_a_database_that_holds_much_is_given_back_when_nobody_uses_it() -> None:
    databases = Databases(DatabaseLimits(512, 1), 2)
    big = (
        "CREATE TABLE memory.main.big AS SELECT md5(i::VARCHAR) AS x FROM range(1_500_000) AS t(i)"
    )
    tables = "SELECT count(*) FROM duckdb_tables()"
    with databases.use() as connection:
        connection.execute("CREATE TABLE memory.main.of_the_first AS SELECT 1 AS x")
    databases.give_back()
    with databases.use() as connection:
        assert connection.execute(tables).fetchall() == [(1,)]  # it holds little
        connection.execute(big)
        databases.give_back()  # it is in use
        assert connection.execute(tables).fetchall() == [(2,)]
    databases.give_back()
    with databases.use() as connection:
        assert connection.execute(tables).fetchall() == [(0,)]
    databases.close()


def test_what_a_killed_process_spilled_is_removed_at_the_start(tmp_path: Path) -> None:
    left = tmp_path / "spill" / "0" / "duckdb_temp_storage-0.tmp"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"x" * 1_000)
    Databases(ALLOWED, 1, spill=tmp_path / "spill").close()
    assert not left.exists()
