"""Keys and environments as an operator manages them."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from common.clock import ManualClock
from common.errors import BadRequest, NotFound
from common.metadata import Access, KeyKind
from common.metadata.sqlite import SqliteMetadata
from common.process.auth import rights_of
from ops import admin

PLAIN = {
    "ingest": False,
    "read_only": False,
    "create_datasets": True,
    "admin": False,
    "operate": False,
}


@pytest.fixture
def metadata(tmp_path: Path) -> Iterator[SqliteMetadata]:
    found = SqliteMetadata(tmp_path / "metadata.db")
    found.open()
    yield found
    found.close()


def test_a_mistyped_environment_is_an_error_and_makes_nothing(metadata: SqliteMetadata) -> None:
    admin.ensure_scope(metadata, "Default", "Production")
    before = metadata.list_environments()
    with pytest.raises(NotFound, match=r"'Prodution'.*Production \(team Default\)"):
        admin.find_scope(metadata, "Default", "Prodution")
    with pytest.raises(NotFound, match="Defualt"):
        admin.find_scope(metadata, "Defualt", "Production")
    assert metadata.list_environments() == before
    assert admin.find_scope(metadata, "default", "PRODUCTION").environment.name == "Production"


def test_rights_of_each_kind_of_key() -> None:
    full = Access(queries=True, columns=True)
    assert rights_of(**PLAIN) == (KeyKind.CONFIGURATION, full)
    assert rights_of(**PLAIN | {"ingest": True}) == (KeyKind.INGEST, Access())
    reader = Access(events=False, queries=True, create_datasets=False)
    assert rights_of(**PLAIN | {"read_only": True}) == (KeyKind.CONFIGURATION, reader)
    for right in ("admin", "operate"):
        assert rights_of(**PLAIN | {right: True})[1] == replace(full, **{right: True})


@pytest.mark.parametrize(
    "wishes",
    [
        {"ingest": True, "admin": True},
        {"ingest": True, "operate": True},
        {"ingest": True, "read_only": True},
        {"read_only": True, "admin": True},
        {"read_only": True, "operate": True},
    ],
)
def test_wishes_that_contradict_each_other_are_an_error(wishes: dict[str, bool]) -> None:
    with pytest.raises(BadRequest):
        rights_of(**PLAIN | wishes)


def test_a_right_is_given_and_taken_within_one_environment(metadata: SqliteMetadata) -> None:
    scope = admin.ensure_scope(metadata, "Default", "Production")
    other = admin.ensure_scope(metadata, "Default", "Test")
    rights = rights_of(**PLAIN)
    _, key = admin.create_key(metadata, scope, "a", rights, ManualClock(), os.urandom)
    changed = admin.set_rights(metadata, scope, key.id, admin=None, operate=True)
    assert metadata.find_key(key.hash) == changed
    assert (changed.access.admin, changed.access.operate) == (False, True)
    with pytest.raises(NotFound):
        admin.set_rights(metadata, other, key.id, admin=True, operate=None)
    ingest = rights_of(**PLAIN | {"ingest": True})
    _, sender = admin.create_key(metadata, scope, "b", ingest, ManualClock(), os.urandom)
    with pytest.raises(BadRequest, match="ingest key"):
        admin.set_rights(metadata, scope, sender.id, admin=True, operate=None)
