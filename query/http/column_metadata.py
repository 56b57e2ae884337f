"""What metadata has of a dataset's columns: definitions by users, facts from senders of metrics."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from common.errors import MetadataUnavailable
from common.metadata import ApiKey, Column, ColumnFacts, Metadata
from query.http.dataset_names import DatasetNames


class ColumnMetadata(NamedTuple):
    """Definitions and facts, each by the name of its column."""

    definitions: Mapping[str, Column] = {}
    facts: Mapping[str, ColumnFacts] = {}


def column_metadata(metadata: Metadata, dataset_id: str) -> ColumnMetadata:
    """Of a dataset, without those of a deleted dataset that had the same name.

    Blocks. Raises MetadataUnavailable.
    """
    dataset = metadata.get_dataset(dataset_id)
    if dataset is None:
        return ColumnMetadata()
    since_ns = dataset.created_ns
    defined, facts = metadata.list_columns(dataset_id), metadata.list_column_facts(dataset_id)
    return ColumnMetadata(
        {column.name: column for column in defined if column.updated_ns >= since_ns},
        {one.name: one for one in facts if one.updated_ns >= since_ns},
    )


async def column_metadata_if_available(
    names: DatasetNames, key: ApiKey, dataset_id: str
) -> ColumnMetadata:
    """The same; empty while metadata fails, as columns of events stay readable (I8)."""
    if names.metadata_is_away:
        return ColumnMetadata()
    try:
        return await names.ask(key, lambda metadata: column_metadata(metadata, dataset_id))
    except MetadataUnavailable:
        return ColumnMetadata()


def described_facts(facts: ColumnFacts | None) -> dict[str, Any]:
    """The member `metric` of a column in a response; without facts there is none."""
    if facts is None:
        return {}
    metric: dict[str, Any] = {"type": facts.kind}
    if facts.unit:
        metric["unit"] = facts.unit
    if facts.temporality:
        metric["temporality"] = facts.temporality
        metric["monotonic"] = facts.monotonic
    if facts.description:
        metric["description"] = facts.description
    return {"metric": metric}
