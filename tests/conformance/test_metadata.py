"""What every metadata store promises (I8)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from common.errors import Conflict, MetadataUnavailable
from common.metadata import (
    Access,
    ApiKey,
    Column,
    ColumnFacts,
    Dataset,
    KeyKind,
    Metadata,
    MetadataRow,
    StoredQuery,
)
from common.metadata.rows import KINDS, kind_of
from tests.conformance import implementations as known
from tests.conformance.processes import finish, started


def a_key(metadata: Metadata, key_id: str = "id", key_hash: str = "hash") -> ApiKey:
    team = metadata.ensure_team("Team", "team")
    environment = metadata.ensure_environment(team.id, "Production", "production")
    return ApiKey(
        *(key_id, key_hash, KeyKind.CONFIGURATION, "a name", team, environment),
        access=Access(events=False, queries=True, columns=True, admin=True),
        events_per_s=7,
        events_per_day=9,
        created_ns=2**62,
    )


def test_teams_and_environments_are_created_once(metadata: Metadata) -> None:
    team = metadata.ensure_team("Team", "team")
    assert metadata.ensure_team("Other name", "team") == team
    production = metadata.ensure_environment(team.id, "Production", "production")
    assert metadata.ensure_environment(team.id, "x", "production") == production
    other = metadata.ensure_team("Other", "other")
    assert metadata.ensure_environment(other.id, "x", "production").id != production.id


def test_key_is_found_by_its_hash_with_all_that_was_stored(metadata: Metadata) -> None:
    key = a_key(metadata)
    assert metadata.find_key("hash") is None
    metadata.create_key(key)
    assert metadata.find_key("hash") == key
    assert metadata.list_keys(key.environment.id) == [key]
    assert metadata.list_keys("another") == []


def test_key_id_and_hash_are_unique(metadata: Metadata) -> None:
    key = a_key(metadata)
    metadata.create_key(key)
    for other in (replace(key, id="other"), replace(key, hash="other")):
        with pytest.raises(Conflict):
            metadata.create_key(other)
    assert metadata.list_keys(key.environment.id) == [key]


def test_revoked_key_is_still_found_and_its_time_stays(metadata: Metadata) -> None:
    metadata.create_key(a_key(metadata))
    assert metadata.revoke_key("id", 5)
    assert metadata.revoke_key("id", 6)
    assert not metadata.revoke_key("unknown", 5)
    found = metadata.find_key("hash")
    assert found is not None
    assert found.revoked_ns == 5


def test_rights_of_a_key_are_changed(metadata: Metadata) -> None:
    key = a_key(metadata)
    metadata.create_key(key)
    assert not key.access.operate
    operator = replace(key.access, admin=False, operate=True)
    assert metadata.set_access("id", operator)
    assert metadata.find_key("hash") == replace(key, access=operator)
    assert metadata.set_access("id", operator), "the same rights again are no missing key"
    assert not metadata.set_access("unknown", operator)


def test_environments_are_listed_with_their_teams(metadata: Metadata) -> None:
    assert metadata.list_environments() == []
    made = []
    for team_slug, slug in (("b", "x"), ("a", "y"), ("a", "x"), ("A", "x")):
        team = metadata.ensure_team(team_slug, team_slug)
        made.append((team, metadata.ensure_environment(team.id, slug, slug)))
    by_slugs = sorted(made, key=lambda pair: (pair[0].slug, pair[1].slug))
    assert metadata.list_environments() == by_slugs


def test_keys_are_listed_oldest_first(metadata: Metadata) -> None:
    for name, created_ns in (("b", 2), ("a", 3), ("c", 1)):
        metadata.create_key(replace(a_key(metadata, name, name), created_ns=created_ns))
    environment = a_key(metadata).environment.id
    assert [k.id for k in metadata.list_keys(environment)] == ["c", "b", "a"]


def test_dataset_keeps_its_first_values_until_it_is_deleted(metadata: Metadata) -> None:
    first = Dataset("d1", "e", "my-set", "My Set", "text", 3, created_ns=1)
    assert metadata.ensure_dataset(first) == first
    assert metadata.ensure_dataset(replace(first, name="MY SET")) == first
    changed = replace(first, description="new", expand_json_depth=5)
    assert metadata.update_dataset(changed)
    assert metadata.get_dataset("d1") == changed
    assert metadata.update_dataset(replace(changed, deleted_ns=9))
    assert metadata.get_dataset("d1") is None
    assert metadata.list_datasets("e") == []
    late = metadata.ensure_dataset(replace(first, created_ns=8))
    assert (late.deleted_ns, metadata.get_dataset("d1")) == (9, None)
    again = replace(first, name="again", created_ns=10)
    assert metadata.ensure_dataset(again) == again
    assert not metadata.update_dataset(replace(first, id="unknown"))


def test_datasets_are_listed_by_slug_for_their_environment_only(metadata: Metadata) -> None:
    for slug, env in (("b", "e"), ("a", "e"), ("c", "other")):
        metadata.ensure_dataset(Dataset(slug, env, slug, slug))
    assert [d.slug for d in metadata.list_datasets("e")] == ["a", "b"]


def test_protection_of_a_dataset_is_kept_and_comes_back_with_it(metadata: Metadata) -> None:
    first = Dataset("d1", "e", "a", "A", created_ns=1, delete_protected=True)
    assert metadata.ensure_dataset(first) == first
    assert metadata.list_datasets("e") == [first]
    open_to_all = replace(first, delete_protected=False)
    assert metadata.update_dataset(open_to_all)
    found = metadata.get_dataset("d1")
    assert found == open_to_all
    assert found.delete_protected is False, "a number would be written into exports"
    assert metadata.update_dataset(replace(open_to_all, deleted_ns=9))
    again = replace(first, created_ns=10)
    assert metadata.ensure_dataset(again) == again
    assert metadata.get_dataset("d1") == again


def test_datasets_are_found_by_their_second_name(metadata: Metadata) -> None:
    slugs = [
        *("mydataset!", "mydataset?", "mydataset-", "mydataset", "mydataset--", "amydataset!"),
        *("\u65e5\u672c", "\u4e2d\u56fd", "50%=a_b", "50x=a_b", "50%=axb", "gone!"),
    ]
    for slug in slugs:
        metadata.ensure_dataset(Dataset(f"id of {slug}", "e", slug, slug))
    metadata.ensure_dataset(Dataset("other", "f", "mydataset!", "mydataset!"))
    metadata.update_dataset(Dataset("id of gone!", "e", "gone!", "gone!", deleted_ns=1))

    def found(name: str) -> list[str]:
        return [dataset.slug for dataset in metadata.find_by_url_slug("e", name)]

    assert found("mydataset-") == ["mydataset!", "mydataset-", "mydataset?"]
    assert found("mydataset--") == ["mydataset--"]
    assert found("--") == ["\u4e2d\u56fd", "\u65e5\u672c"]
    assert found("50--a_b") == ["50%=a_b"]
    assert found("mydataset") == ["mydataset"]
    assert found("mydataset!") == []
    assert found("gone-") == []


def test_what_is_said_of_columns_is_kept_replaced_and_listed_by_dataset(metadata: Metadata) -> None:
    first = Column("c1", "d", "dur\u00e9e \U0001f600", "float", "text", True, 1, 2**62, 0)
    other = Column("C1", "d", "x" * 70_000)
    metadata.put_column(first)
    metadata.put_column(other)
    metadata.put_column(Column("c1", "another", "a"))
    assert metadata.list_columns("d") == [other, first]
    changed = replace(first, description="", hidden=False, deleted_ns=9)
    metadata.put_column(changed)
    assert metadata.list_columns("d") == [other, changed]
    assert metadata.list_columns("d")[1].hidden is False
    assert metadata.list_columns("unknown") == []


def test_facts_of_columns_stand_beside_what_a_user_has_set(metadata: Metadata) -> None:
    defined = Column("c2", "d", "Stra\u00dfe", "float", "the user's", True, 3, 4)
    metadata.put_column(defined)
    first = ColumnFacts("c2", "d", "Stra\u00dfe", "sum", "ms", "delta", True, "the sender's", 5)
    other = ColumnFacts("c1", "d", "b", "gauge")
    metadata.put_column_facts([first, other, ColumnFacts("c1", "another", "a", "gauge")])
    metadata.put_column_facts([])
    assert metadata.list_column_facts("d") == [other, first]
    changed = replace(first, monotonic=False, unit="s")
    metadata.put_column_facts([changed, other])
    assert metadata.list_column_facts("d") == [other, changed]
    assert metadata.list_column_facts("d")[1].monotonic is False
    assert metadata.list_column_facts("unknown") == []
    assert metadata.list_columns("d") == [defined]


def test_stored_query_is_echoed_unchanged(metadata: Metadata) -> None:
    query = StoredQuery("q", "e", "d", b'{ "limit" : 1.0 }\xff', 7)
    metadata.put_query(query)
    metadata.put_query(replace(query, spec_json=b"other"))
    assert metadata.get_query("q") == query
    assert metadata.get_query("unknown") is None


def test_names_are_compared_byte_by_byte(metadata: Metadata) -> None:
    metadata.create_key(a_key(metadata, "id", "hash"))
    assert metadata.find_key("HASH") is None
    assert metadata.find_key("hash ") is None
    slugs = ["a", "a ", "A", "\u00e4", "z", "\U0001f600", "ss", "\u00df"]
    for slug in slugs:
        metadata.ensure_dataset(Dataset(f"id of {slug}", "bytes", slug, f"{slug} \U0001f600"))
        metadata.ensure_team(slug, slug)
    found = metadata.list_datasets("bytes")
    assert [d.slug for d in found] == sorted(slugs, key=str.encode)
    assert all(d.name == f"{d.slug} \U0001f600" for d in found)
    assert len({metadata.ensure_team("x", slug).id for slug in slugs}) == len(slugs)


def test_threads_share_one_store(metadata: Metadata) -> None:
    with ThreadPoolExecutor(8) as pool:
        teams = list(pool.map(lambda i: metadata.ensure_team("T", f"t{i % 5}"), range(40)))
    assert len({team.id for team in teams}) == 5


def test_processes_open_migrate_and_write_at_once(metadata_kind: str, tmp_path: Path) -> None:
    with started(*([["add_datasets", metadata_kind, str(tmp_path), "30"]] * 3)) as processes:
        first, *others = [finish(p) for p in processes]
    assert len(first) == 30
    assert all(other == first for other in others)


def test_what_is_written_survives_and_a_closed_store_is_unavailable(
    metadata_kind: str, tmp_path: Path
) -> None:
    metadata = known.METADATA[metadata_kind](tmp_path)
    with pytest.raises(MetadataUnavailable):
        metadata.find_key("hash")
    metadata.open()
    metadata.create_key(a_key(metadata))
    metadata.close()
    with pytest.raises(MetadataUnavailable):
        metadata.find_key("hash")
    metadata.open()
    assert metadata.find_key("hash") is not None
    metadata.close()


def filled(metadata: Metadata, queries: int = 3) -> list[MetadataRow]:
    """Rows of every kind, also deleted and revoked ones and texts of all sorts."""
    key = a_key(metadata)
    other = metadata.ensure_environment(key.team.id, "Test \u00fc\U0001f600", "test")
    metadata.create_key(key)
    metadata.create_key(replace(key, id="Id", hash="Hash", environment=other, revoked_ns=5))
    metadata.ensure_dataset(Dataset("d1", other.id, "a", "A \u00e9", "text", 2, 1, 0, 7, True))
    metadata.ensure_dataset(Dataset("D1", other.id, "b", "B", created_ns=3))
    metadata.update_dataset(Dataset("D1", other.id, "b", "B", created_ns=3, deleted_ns=9))
    for n in range(queries):
        metadata.put_query(StoredQuery(f"q{n}", other.id, "d1", b'{"\xff":1}', n))
    metadata.put_column(Column("c1", "d1", "na\u00efve", "string", "text", True, 1, 2, 3))
    metadata.put_column_facts([ColumnFacts("c1", "d1", "na\u00efve", "gauge", updated_ns=4)])
    return list(metadata.dump())


def test_dump_has_every_row_parents_first_and_loads_into_an_empty_store(
    metadata_kind: str, metadata: Metadata, tmp_path: Path
) -> None:
    assert list(metadata.dump()) == []
    rows = filled(metadata)
    kinds = [kind_of(row) for row in rows]
    assert kinds == sorted(kinds, key=list(KINDS).index)
    assert [row.id for row in rows if isinstance(row, ApiKey)] == ["Id", "id"]
    assert len(rows) == 1 + 2 + 2 + 2 + 3 + 1 + 1
    other = known.METADATA[metadata_kind](tmp_path / "other")
    other.open()
    try:
        assert other.load(iter(rows)) == len(rows)
        assert list(other.dump()) == rows
        assert other.find_key("hash") == metadata.find_key("hash")
        assert other.list_retentions() == {"d1": 7}
        with pytest.raises(Conflict):
            other.load(iter(rows))
        assert other.load(iter(rows[:3]), overwrite=True) == 3
        assert list(other.dump()) == rows[:3]
    finally:
        other.close()


def test_load_that_fails_half_way_changes_nothing(metadata: Metadata) -> None:
    rows = filled(metadata)

    def broken() -> Iterator[MetadataRow]:
        yield from rows[:5]
        raise RuntimeError("cut off")

    with pytest.raises((RuntimeError, MetadataUnavailable)):
        metadata.load(broken(), overwrite=True)
    assert list(metadata.dump()) == rows
    with pytest.raises(Conflict):
        metadata.load([rows[0], rows[0]], overwrite=True)
    assert list(metadata.dump()) == rows


def test_dump_is_of_one_moment_while_others_write(metadata: Metadata) -> None:
    rows = filled(metadata, queries=500)
    found = []
    for row in metadata.dump():
        if not found:
            metadata.put_query(StoredQuery("late", "e", "d1", b"{}", 1))
            metadata.ensure_team("Late", "late")
        found.append(row)
    assert found == rows


def test_retention_of_a_dataset_is_kept_and_listed(metadata: Metadata) -> None:
    dataset = metadata.ensure_dataset(Dataset("d1", "e", "a", "A"))
    assert metadata.list_retentions() == {}
    assert metadata.update_dataset(replace(dataset, retention_days=30))
    found = metadata.get_dataset("d1")
    assert found is not None
    assert found.retention_days == 30
    assert metadata.list_retentions() == {"d1": 30}
    assert metadata.update_dataset(replace(found, deleted_ns=9))
    assert metadata.list_retentions() == {}
