"""The metadata file's own promises: every fault is 'unavailable', never 'not found' (I8)."""

import sqlite3
from pathlib import Path

import pytest

from common.errors import MetadataUnavailable
from common.metadata import Dataset, schema
from common.metadata.sqlite import SqliteMetadata


def test_file_that_is_not_a_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "metadata.db"
    path.write_bytes(b"this is not a database" * 100)
    with pytest.raises(MetadataUnavailable, match=r"metadata\.db"):
        SqliteMetadata(path).open()


def test_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(MetadataUnavailable):
        SqliteMetadata(tmp_path / "file" / "metadata.db").open()


def test_file_of_a_newer_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "metadata.db"
    newer = len(schema.MIGRATIONS) + 1
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {newer}")
    with pytest.raises(MetadataUnavailable, match="upgrade"):
        SqliteMetadata(path).open()
    with sqlite3.connect(path) as db:
        assert schema.version(db) == newer


def test_datasets_of_a_file_that_knew_no_protection_can_be_deleted_as_before(
    tmp_path: Path,
) -> None:
    path = tmp_path / "metadata.db"
    with sqlite3.connect(path) as db:
        for step in schema.MIGRATIONS[:2]:
            for statement in step:
                db.execute(statement)
        db.execute("INSERT INTO datasets VALUES ('d', 'e', 'my set!', 'My Set!', '', 3, 1, 0, 7)")
        db.execute("PRAGMA user_version = 2")
    metadata = SqliteMetadata(path)
    metadata.open()
    before = Dataset("d", "e", "my set!", "My Set!", "", 3, 1, 0, 7, delete_protected=False)
    assert metadata.list_datasets("e") == [before]
    assert metadata.find_by_url_slug("e", "my-set-") == [before]
    metadata.close()


def test_lost_table_is_unavailable_not_an_unknown_key(tmp_path: Path) -> None:
    path = tmp_path / "metadata.db"
    metadata = SqliteMetadata(path)
    metadata.open()
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE api_keys")
    with pytest.raises(MetadataUnavailable):
        metadata.find_key("hash")
    metadata.close()


def test_a_file_that_was_set_back_for_an_earlier_program_is_used_again(tmp_path: Path) -> None:
    path = tmp_path / "metadata.db"
    metadata = SqliteMetadata(path)
    metadata.open()
    team = metadata.ensure_team("T", "t")
    metadata.close()
    for version in (2, 1, 0):
        with sqlite3.connect(path) as db:
            db.execute(f"PRAGMA user_version = {version}")
        metadata = SqliteMetadata(path)
        metadata.open()
        assert metadata.ensure_team("T", "t") == team
        metadata.close()
    with sqlite3.connect(path) as db:
        assert schema.version(db) == len(schema.MIGRATIONS)
