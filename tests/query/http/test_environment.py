"""Which datasets a question about traces reads."""

from collections.abc import Callable
from pathlib import Path

import pytest

from common import limits
from common.clock import ManualClock, SystemClock
from common.errors import MetadataUnavailable
from common.metadata import Dataset
from common.metadata.sqlite import SqliteMetadata
from common.process.auth import hash_key
from ops.admin import create_dataset, ensure_scope
from query.http.dataset_names import DatasetNames
from query.http.environment import EnvironmentDatasets
from tests.query.harness import add_keys


async def test_a_dataset_is_read_as_soon_as_it_is_there_and_the_last_list_while_metadata_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = SqliteMetadata(tmp_path / "meta.db")
    metadata.open()
    add_keys(metadata)
    key = metadata.find_key(hash_key("K"))
    assert key is not None
    place, clock = ensure_scope(metadata, "T", "e"), ManualClock()
    datasets = EnvironmentDatasets(DatasetNames(metadata, clock), clock)
    asked = list[str]()
    list_datasets: Callable[[str], list[Dataset]] = metadata.list_datasets

    def fails(env_id: str) -> list[Dataset]:
        asked.append(env_id)
        raise MetadataUnavailable("away")

    async def names() -> tuple[str, ...]:
        return (await datasets.named(key, None)).names

    try:
        create_dataset(metadata, place, "web", 0, "", SystemClock())
        assert await names() == ("web",)
        create_dataset(metadata, place, "late", 0, "", SystemClock())
        assert await names() == ("late", "web")
        monkeypatch.setattr(metadata, "list_datasets", fails)
        assert [await names() for _ in range(3)] == [("late", "web")] * 3
        assert len(asked) == 1  # it is not waited for again and again
        clock.advance_ms(limits.METADATA_RETRY_S * 1_000)
        monkeypatch.setattr(metadata, "list_datasets", list_datasets)
        create_dataset(metadata, place, "more", 0, "", SystemClock())
        assert await names() == ("late", "more", "web")
    finally:
        metadata.close()
