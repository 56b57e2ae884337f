"""MySQL's own failures: each is 'unavailable', never 'not found', and ends with its cause (I8)."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from common.errors import MetadataUnavailable
from common.metadata import Dataset
from common.metadata.mysql import schema
from common.metadata.mysql.config import MysqlConfig
from common.metadata.mysql.create import create_database
from common.metadata.mysql.pool import connect
from common.metadata.mysql.store import MysqlMetadata
from compose.cluster.cluster import Cluster
from compose.servers.mariadb import Mariadb
from tests.conformance import cluster as conformance


@pytest.fixture
def config(
    servers: Cluster, mariadb_server: Mariadb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> MysqlConfig:
    """A database of the test's own; its time-out is short, but not for a busy machine."""
    monkeypatch.setenv(conformance.VARIABLE, json.dumps(servers.environment()))
    found = replace(conformance.mysql_config(tmp_path), timeout_ms=2_000)
    create_database(found)
    return found


@pytest.fixture
def metadata(config: MysqlConfig) -> Iterator[MysqlMetadata]:
    found = MysqlMetadata(config)
    found.open()
    yield found
    found.close()


def test_frozen_server_is_unavailable_and_the_same_store_goes_on_when_it_thaws(
    metadata: MysqlMetadata, mariadb_server: Mariadb
) -> None:
    team = metadata.ensure_team("Team", "team")
    mariadb_server.pause()
    try:
        for _ in range(2):  # over an idle connection, then over a new one
            with pytest.raises(MetadataUnavailable):
                metadata.find_key("hash")
    finally:
        mariadb_server.resume()
    assert metadata.ensure_team("Team", "team") == team


def test_killed_server_is_unavailable_and_a_restart_costs_no_failed_call(
    metadata: MysqlMetadata, config: MysqlConfig, mariadb_server: Mariadb
) -> None:
    team = metadata.ensure_team("Team", "team")
    mariadb_server.kill()
    try:
        with pytest.raises(MetadataUnavailable):
            metadata.ensure_team("Team", "team")
        unopened = MysqlMetadata(config)
        with pytest.raises(MetadataUnavailable):
            unopened.open()
    finally:
        mariadb_server.start()
    assert metadata.ensure_team("Team", "team") == team
    assert unopened.find_key("hash") is None  # opened when the server was away
    unopened.close()


def test_cut_link_is_unavailable_until_it_heals(metadata: MysqlMetadata, servers: Cluster) -> None:
    link = servers.proxy["mariadb"]
    link.latency(5_000)
    try:
        with pytest.raises(MetadataUnavailable):
            metadata.list_datasets("e")
        link.heal()
        assert metadata.list_datasets("e") == []
        link.refuse()
        with pytest.raises(MetadataUnavailable):
            metadata.list_datasets("e")
    finally:
        link.heal()
    assert metadata.list_datasets("e") == []


def test_wrong_password_is_unavailable_and_not_in_the_text(config: MysqlConfig) -> None:
    wrong = MysqlMetadata(replace(config, password="not-the-password"))
    with pytest.raises(MetadataUnavailable, match="denied") as caught:
        wrong.open()
    assert "not-the-password" not in str(caught.value)


def test_database_of_a_newer_program_is_refused_and_left_alone(config: MysqlConfig) -> None:
    newer = len(schema.MIGRATIONS) + 1
    db = connect(config, config.database)
    with db.cursor() as cursor:
        cursor.execute("INSERT INTO schema_steps (step) VALUES (%s)", (newer,))
        with pytest.raises(MetadataUnavailable, match="upgrade"):
            MysqlMetadata(config).open()
        assert schema.version(cursor) == newer
    db.close()


def test_lost_table_is_unavailable_not_an_unknown_key(
    metadata: MysqlMetadata, config: MysqlConfig
) -> None:
    db = connect(config, config.database)
    with db.cursor() as cursor:
        cursor.execute("DROP TABLE api_keys")
    db.close()
    with pytest.raises(MetadataUnavailable):
        metadata.find_key("hash")


def test_migration_that_was_cut_off_half_way_is_completed(config: MysqlConfig) -> None:
    db = connect(config, config.database)
    with db.cursor() as cursor:  # the last table was made but not counted, and one is missing
        cursor.execute("DELETE FROM schema_steps WHERE step >= 4")
        cursor.execute("DROP TABLE datasets")
        MysqlMetadata(config).open()
        assert schema.version(cursor) == len(schema.MIGRATIONS)
        cursor.execute("DELETE FROM schema_steps WHERE step >= 6")  # what they made is there
        MysqlMetadata(config).open()
        assert schema.version(cursor) == len(schema.MIGRATIONS)
    db.close()


def test_datasets_of_a_database_that_knew_no_protection_can_be_deleted_as_before(
    config: MysqlConfig,
) -> None:
    db = connect(config, config.database)
    with db.cursor() as cursor:  # as the program before this step left it
        cursor.execute("DELETE FROM schema_steps WHERE step >= 6")
        cursor.execute("DROP TABLE `columns`")
        cursor.execute("ALTER TABLE datasets DROP COLUMN delete_protected")
        cursor.execute(
            "INSERT INTO datasets (id, env_id, slug, name, description, expand_json_depth,"
            " created_ns, deleted_ns, retention_days)"
            " VALUES ('d', 'e', 'my set!', 'My Set!', '', 3, 1, 0, 7)"
        )
    db.close()
    metadata = MysqlMetadata(config)
    metadata.open()
    assert metadata.list_datasets("e") == [
        Dataset("d", "e", "my set!", "My Set!", "", 3, 1, 0, 7, delete_protected=False)
    ]
    metadata.close()
