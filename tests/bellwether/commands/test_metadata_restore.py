"""`bellwether metadata restore` does not choose an export of a database that was made anew."""

from pathlib import Path

from click.testing import CliRunner

from bellwether.commands.operate.metadata import metadata
from common.metadata.sqlite import SqliteMetadata
from ops.admin import ensure_scope


def call(data: Path, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(metadata, [*arguments, "--data", str(data)])
    return done.exit_code, done.output


def fill(data: Path, *environments: str) -> None:
    store = SqliteMetadata(data / "metadata.db")
    store.open()
    for name in environments:
        ensure_scope(store, "Default", name)
    store.close()


def environments(data: Path) -> list[str]:
    store = SqliteMetadata(data / "metadata.db")
    store.open()
    found = [environment.name for _, environment in store.list_environments()]
    store.close()
    return found


def test_an_export_of_a_new_database_is_not_restored_unasked(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b", "c", "d", "e")
    assert call(tmp_path, "export")[0] == 0
    for path in tmp_path.glob("metadata.db*"):
        path.unlink()
    fill(tmp_path, "Default")  # as a start does that finds no database; its indexer exports it
    assert call(tmp_path, "export")[0] == 0
    code, said = call(tmp_path, "restore", "--overwrite")
    assert code == 1
    assert "version 1 has 6" in " ".join(said.split())
    assert environments(tmp_path) == ["Default"]
    assert call(tmp_path, "restore", "--overwrite", "--version", "1")[0] == 0
    assert environments(tmp_path) == ["a", "b", "c", "d", "e"]


def test_the_newest_export_is_restored_where_it_is_no_less_than_others(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b")
    assert call(tmp_path, "export")[0] == 0
    fill(tmp_path, "c")
    assert call(tmp_path, "export")[0] == 0
    code, said = call(tmp_path, "restore", "--overwrite")
    assert (code, said) == (0, "restored version 2: 4 rows\n")
