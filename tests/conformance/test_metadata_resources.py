"""What every metadata store promises of markers, derived columns and the like."""

from dataclasses import replace
from pathlib import Path

import pytest

from common.errors import Conflict
from common.metadata import (
    DerivedColumn,
    Marker,
    MarkerSetting,
    Metadata,
    QueryAnnotation,
    Resource,
    Room,
    SpanDefinition,
    StoredQuery,
)
from common.metadata.resources import RESOURCES
from common.metadata.rows import decode_row, encode_row
from tests.conformance import implementations as known

ROOM = Room(of_dataset=3, of_environment=5)
TEXT = "Stra\u00dfe \U0001f600 'x' %s \\ \x00"
TIMES = {"created_ns": 3, "updated_ns": 4}
SAMPLES: list[Resource] = [
    Marker("id", "e", "d", 2**62, 5, TEXT, TEXT, TEXT, **TIMES),
    MarkerSetting("id", "e", "d", TEXT, "#F96E11", **TIMES),
    DerivedColumn("id", "e", "d", TEXT, TEXT, TEXT, **TIMES),
    QueryAnnotation("id", "e", "d", TEXT, TEXT, "query", **TIMES),
    SpanDefinition("id", "e", "d", TEXT, **TIMES),
]


def marker(name: str, dataset: str = "d", env: str = "e", created_ns: int = 0) -> Marker:
    return Marker(name, env, dataset, 1, created_ns=created_ns)


def test_every_kind_comes_back_as_it_was_stored(metadata: Metadata) -> None:
    assert {type(row) for row in SAMPLES} == set(RESOURCES.values())
    for row in SAMPLES:
        kind = type(row)
        assert metadata.get_resource(kind, "e", "d", "id") is None
        assert metadata.create_resource(row, ROOM)
        assert metadata.get_resource(kind, "e", "d", "id") == row
        assert metadata.list_resources(kind, "e", "d") == [row]
        assert list(metadata.dump()) == [row]
        assert decode_row(encode_row(row)) == row
        assert metadata.delete_resource(kind, "e", "d", "id")
        assert not metadata.delete_resource(kind, "e", "d", "id")
        assert metadata.list_resources(kind, "e", "d") == []


def test_a_resource_is_found_in_its_dataset_or_environment_alone(metadata: Metadata) -> None:
    rows = [marker("a"), marker("a", "D"), marker("a", ""), marker("a", "d", "E")]
    for row in rows:
        assert metadata.create_resource(row, ROOM)
    for row in rows:
        assert metadata.get_resource(Marker, row.env_id, row.dataset_id, "a") == row
        assert metadata.list_resources(Marker, row.env_id, row.dataset_id) == [row]
    assert metadata.get_resource(Marker, "e", "d", "A") is None
    assert metadata.list_resources(MarkerSetting, "e", "d") == []
    assert metadata.list_resources(Marker, "e", None) == [rows[2], rows[1], rows[0]]
    assert metadata.delete_resource(Marker, "e", "d", "a")
    assert metadata.list_resources(Marker, "e", None) == [rows[2], rows[1]]


def test_they_are_listed_oldest_first(metadata: Metadata) -> None:
    for name, created_ns in (("a", 3), ("b", 1), ("c", 2)):
        assert metadata.create_resource(marker(name, created_ns=created_ns), ROOM)
    assert [row.id for row in metadata.list_resources(Marker, "e", "d")] == ["b", "c", "a"]


def test_an_id_is_taken_once_and_room_is_bounded(metadata: Metadata) -> None:
    assert metadata.create_resource(marker("a"), ROOM)
    with pytest.raises(Conflict):
        metadata.create_resource(replace(marker("a"), message="other"), ROOM)
    assert metadata.create_resource(marker("b"), ROOM)
    assert metadata.create_resource(marker("c"), ROOM)
    assert not metadata.create_resource(marker("x"), ROOM), "the dataset is full"
    with pytest.raises(Conflict):  # the clearer of both reasons
        metadata.create_resource(marker("a"), ROOM)
    assert metadata.create_resource(marker("x", ""), ROOM)
    assert metadata.create_resource(marker("y", ""), ROOM)
    assert not metadata.create_resource(marker("z", "other"), ROOM), "the environment is full"
    assert metadata.create_resource(marker("z", "d", "other"), ROOM)
    assert metadata.delete_resource(Marker, "e", "d", "a")
    assert metadata.create_resource(marker("z", "other"), ROOM)


def test_some_are_replaced_at_once(metadata: Metadata) -> None:
    first, second = SpanDefinition("name", "e", "d", "a"), SpanDefinition("error", "e", "d", "b")
    metadata.put_resources([first])
    metadata.put_resources([replace(first, column_name="c"), second])
    metadata.put_resources([])
    found = {row.id: row.column_name for row in metadata.list_resources(SpanDefinition, "e", "d")}
    assert found == {"name": "c", "error": "b"}


def test_what_belongs_to_a_deleted_dataset_goes_with_it(metadata: Metadata) -> None:
    stays = [marker("a", "other"), marker("a", ""), marker("a", "d", "other")]
    for row in (*SAMPLES, *stays):
        metadata.put_resources([row])
    metadata.delete_resources_of("e", "d")
    assert list(metadata.dump()) == sorted(stays, key=lambda r: (r.env_id, r.dataset_id))


def test_derived_columns_of_a_dataset_follow_those_of_its_environment(metadata: Metadata) -> None:
    of_dataset = DerivedColumn("a", "e", "d", "a", "INT(2)", created_ns=1)
    of_environment = DerivedColumn("a", "e", "", "a", "INT(1)", created_ns=2)
    for row in (of_dataset, of_environment, DerivedColumn("a", "e", "other", "a", "INT(3)")):
        assert metadata.create_resource(row, ROOM)
    assert metadata.list_derived_columns("e", "d") == [of_environment, of_dataset]
    assert metadata.list_derived_columns("e", None) == [of_environment]
    assert metadata.list_derived_columns("other", "d") == []


def test_oldest_queries_leave_unless_they_are_annotated(metadata: Metadata) -> None:
    for n in range(6):
        metadata.put_query(StoredQuery(f"q{n}", "e", "d", b"{}", n))
    metadata.put_query(StoredQuery("other", "E", "d", b"{}", 0))
    metadata.put_resources([QueryAnnotation("a", "e", "", "name", "", "q1")])
    assert metadata.trim_queries("e", 6) == 0
    assert metadata.trim_queries("e", 3) == 2
    left = [row.id for row in metadata.dump() if isinstance(row, StoredQuery)]
    assert left == ["other", "q1", "q3", "q4", "q5"]


def test_a_query_that_is_stored_again_counts_as_new_once_a_day(metadata: Metadata) -> None:
    day_ns = 86_400 * 10**9
    metadata.put_query(StoredQuery("q", "e", "d", b"{}", 5))
    for created_ns, expected in ((4, 5), (day_ns, 5), (day_ns + 5, day_ns + 5), (6, day_ns + 5)):
        metadata.put_query(StoredQuery("q", "e", "d", b"other", created_ns))
        assert metadata.get_query("q") == StoredQuery("q", "e", "d", b"{}", expected)


def test_they_are_loaded_from_a_dump(
    metadata_kind: str, metadata: Metadata, tmp_path: Path
) -> None:
    for row in SAMPLES:
        metadata.put_resources([row])
    rows = list(metadata.dump())
    other = known.METADATA[metadata_kind](tmp_path / "other")
    other.open()
    try:
        assert other.load(iter(rows)) == len(SAMPLES)
        assert list(other.dump()) == rows
        with pytest.raises(Conflict):
            other.load(iter(rows))
        assert other.load([], overwrite=True) == 0
        assert list(other.dump()) == []
    finally:
        other.close()


def test_a_secret_is_made_once_and_a_link_is_taken_once(metadata: Metadata) -> None:
    first = metadata.ensure_secret("session", b"\x00\xff one")
    assert first == b"\x00\xff one"
    assert metadata.ensure_secret("session", b"two") == first
    metadata.put_secret("login/a", b"hash", now_ns=10, expires_ns=20)
    metadata.put_secret("login/b", b"hash", now_ns=10, expires_ns=12)
    assert metadata.take_secret("login/a", 20) is None
    assert metadata.take_secret("login/b", 11) == b"hash"
    assert metadata.take_secret("login/b", 11) is None
    metadata.put_secret("login/c", b"hash", now_ns=30, expires_ns=40)
    assert metadata.take_secret("login/c", 31) == b"hash"
    assert metadata.take_secret("no such", 0) is None
    assert list(metadata.dump()) == []
