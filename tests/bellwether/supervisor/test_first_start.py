"""First start: a key that is made once, kept for its owner alone, and known by its hash only."""

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bellwether.config.secrets import key_file, read_internal_token, read_key, write_key
from bellwether.config.sections import UpConfig
from bellwether.supervisor.first_start import FirstStartError, prepare
from common.metadata.sqlite import SqliteMetadata
from common.process.auth import hash_key


@pytest.fixture
def metadata(tmp_path: Path) -> Iterator[SqliteMetadata]:
    found = SqliteMetadata(tmp_path / "metadata.db")
    found.open()
    yield found
    found.close()


def test_key_is_made_once_and_only_its_hash_is_stored(
    tmp_path: Path, metadata: SqliteMetadata
) -> None:
    first = prepare(tmp_path, UpConfig(), metadata, 1)
    assert first.new_key is not None
    assert read_key(tmp_path) == first.new_key
    assert stat.S_IMODE(key_file(tmp_path).stat().st_mode) == 0o600
    stored = metadata.find_key(hash_key(first.new_key))
    assert stored is not None
    assert stored.access.admin
    assert prepare(tmp_path, UpConfig(), metadata, 2).new_key is None


def test_start_that_was_cut_off_is_completed_with_the_same_key(
    tmp_path: Path, metadata: SqliteMetadata
) -> None:
    write_key(tmp_path, "kept-before-the-crash")
    assert prepare(tmp_path, UpConfig(), metadata, 1).new_key == "kept-before-the-crash"


def test_given_key_is_used_and_kept(tmp_path: Path, metadata: SqliteMetadata) -> None:
    prepare(tmp_path, UpConfig(), metadata, 1)
    prepare(tmp_path, UpConfig(key="given-by-hand"), metadata, 2)
    assert read_key(tmp_path) == "given-by-hand"
    assert metadata.find_key(hash_key("given-by-hand")) is not None


def test_revoked_key_is_replaced_and_never_revived(
    tmp_path: Path, metadata: SqliteMetadata
) -> None:
    first = prepare(tmp_path, UpConfig(), metadata, 1).new_key or ""
    stored = metadata.find_key(hash_key(first))
    assert stored is not None
    metadata.revoke_key(stored.id, 2)
    second = prepare(tmp_path, UpConfig(), metadata, 3).new_key
    assert second not in (None, first)
    with pytest.raises(FirstStartError, match="revoked"):
        prepare(tmp_path, UpConfig(key=first), metadata, 4)


def test_internal_token_stays_the_same(tmp_path: Path) -> None:
    assert read_internal_token(tmp_path) == read_internal_token(tmp_path)
    token = tmp_path / "secrets" / "internal-token"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600


def test_roles_that_start_at_once_agree_on_their_token(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        for number in range(20):
            folders = [tmp_path / str(number)] * 8
            assert len(set(threads.map(read_internal_token, folders))) == 1
    assert not list(tmp_path.rglob("*.new"))
