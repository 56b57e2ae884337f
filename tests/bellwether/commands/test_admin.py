"""`bellwether keys` and `bellwether datasets` as they are typed, on a folder where nothing runs."""

import re
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bellwether.cli import cli
from common.clock import SystemClock
from common.metadata import Marker
from common.metadata.sqlite import SqliteMetadata
from common.process.auth import hash_key
from ops import admin


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    metadata = SqliteMetadata(tmp_path / "metadata.db")
    metadata.open()
    admin.ensure_scope(metadata, "Default", "Default")
    metadata.close()
    return tmp_path


def run(folder: Path, *words: str, typed: str = "") -> Result:
    return CliRunner().invoke(cli, [*words, "--data", str(folder)], input=typed)


def stored_hashes(folder: Path) -> set[str]:
    with sqlite3.connect(folder / "metadata.db") as db:
        return {found for (found,) in db.execute("SELECT hash FROM api_keys")}


def test_classic_keys_are_made_and_keys_of_clients_are_taken_over(folder: Path) -> None:
    made = run(folder, "keys", "create", "old", "--classic")
    assert made.exit_code == 0
    assert re.fullmatch("[0-9a-f]{32}", made.stdout.strip())
    ingest = run(folder, "keys", "create", "old", "--classic", "--ingest")
    assert re.fullmatch("hcxic_[0-9a-z]{58}", ingest.stdout.strip())
    mine = "0123456789abcdef" * 2
    taken = run(folder, "keys", "create", "mine", "--import", "-", typed=f"{mine}\n")
    assert taken.exit_code == 0, taken.output
    assert mine not in taken.output
    assert hash_key(mine) in stored_hashes(folder)
    again = run(folder, "keys", "create", "mine", "--import", "-", typed=mine)
    assert (again.exit_code, "exists" in again.stderr) == (1, True)


@pytest.mark.parametrize("typed", ["", "short\n", "two words that are long enough\n"])
def test_what_cannot_be_a_key_is_not_taken_over(folder: Path, typed: str) -> None:
    refused = run(folder, "keys", "create", "mine", "--import", "-", typed=typed)
    assert refused.exit_code == 1
    assert "a key " in refused.stderr
    assert stored_hashes(folder) == set()


def test_a_dataset_is_managed_by_its_name_and_by_its_slug(folder: Path) -> None:
    made = run(folder, "datasets", "create", "MyDataset!")
    assert made.stdout == "mydataset- (depth 0)\n"
    again = run(folder, "datasets", "create", "mydataset-", "--depth", "3")
    assert again.stdout == "mydataset- (depth 0)\n", "it is that one"
    assert run(folder, "datasets", "set-depth", "mydataset-", "2").exit_code == 0
    assert run(folder, "datasets", "set-retention", "MYDATASET!", "9").exit_code == 0
    listed = run(folder, "datasets", "list").stdout.splitlines()
    assert len(listed) == 2
    assert listed[1].split()[:6] == ["mydataset-", "MyDataset!", "2", "9", "d", "yes"]
    assert run(folder, "datasets", "create", "MyDataset?").exit_code == 0
    both = run(folder, "datasets", "list").stdout.splitlines()[1:]
    assert [line.split()[0] for line in both] == ["mydataset!", "mydataset?"]
    ambiguous = run(folder, "datasets", "set-depth", "mydataset-", "1")
    assert ambiguous.exit_code == 1
    assert "'MyDataset!', 'MyDataset?'" in ambiguous.stderr


def test_a_protected_dataset_is_deleted_only_after_its_protection(folder: Path) -> None:
    run(folder, "datasets", "create", "My Data!")
    refused = run(folder, "datasets", "delete", "my-data-", "--yes")
    assert refused.exit_code == 1
    assert "bellwether datasets unprotect 'my-data!'" in refused.stderr
    assert run(folder, "datasets", "unprotect", "my-data-").exit_code == 0
    assert run(folder, "datasets", "protect", "my-data!").exit_code == 0
    assert run(folder, "datasets", "delete", "my-data!", "--yes").exit_code == 1
    assert run(folder, "datasets", "unprotect", "My Data!").exit_code == 0
    kept = run(folder, "datasets", "delete", "my-data-", typed="n\n")
    assert kept.exit_code == 1
    assert "Delete My Data! and every event in it?" in kept.output
    assert "My Data!" in run(folder, "datasets", "list").stdout
    deleted = run(folder, "datasets", "delete", "my-data-", "--yes")
    assert deleted.exit_code == 0, deleted.output
    assert "My Data!" not in run(folder, "datasets", "list").stdout
    unknown = run(folder, "datasets", "unprotect", "my-data-")
    assert (unknown.exit_code, "no dataset 'my-data-'" in unknown.stderr) == (1, True)


def test_a_dataset_that_is_deleted_takes_its_markers_with_it(folder: Path) -> None:
    assert run(folder, "datasets", "create", "web").exit_code == 0
    assert run(folder, "datasets", "unprotect", "web").exit_code == 0
    metadata = SqliteMetadata(folder / "metadata.db")
    metadata.open()
    try:
        [dataset] = metadata.list_datasets(metadata.list_environments()[0][1].id)
        metadata.put_resources([Marker("abcdef", dataset.env_id, dataset.id, 1)])
        assert run(folder, "datasets", "delete", "web", "--yes").exit_code == 0
        assert metadata.list_resources(Marker, dataset.env_id, None) == []
    finally:
        metadata.close()


def test_datasets_of_an_older_folder_keep_their_ids_and_can_be_deleted(folder: Path) -> None:
    """The rows are those that the program before slugs and protection wrote."""
    metadata = SqliteMetadata(folder / "metadata.db")
    metadata.open()
    place = admin.ensure_scope(metadata, "Default", "Default")
    new = admin.create_dataset(metadata, place, "MyDataset!", 0, "", SystemClock())
    metadata.close()
    with sqlite3.connect(folder / "metadata.db") as db:
        db.execute("DELETE FROM datasets")
        db.execute("ALTER TABLE datasets DROP COLUMN delete_protected")
        db.execute("DROP TABLE columns")
        db.execute("PRAGMA user_version = 2")
        db.execute(
            "INSERT INTO datasets VALUES (?, ?, 'mydataset!', 'MyDataset!', '', 0, 1, 0, 0)",
            ("170c98a985c8020dc325be73", place.environment.id),
        )
    assert new.id == "170c98a985c8020dc325be73", "the rule of ids never changes"
    listed = run(folder, "datasets", "list").stdout.splitlines()[1]
    assert listed.split()[:5] == ["mydataset-", "MyDataset!", "0", "default", "no"]
    assert run(folder, "datasets", "delete", "mydataset-", "--yes").exit_code == 0
