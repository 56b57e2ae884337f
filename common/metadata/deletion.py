"""Deletes a dataset from the metadata, with everything that belongs to it."""

from dataclasses import replace

from common.metadata.interface import Dataset, Metadata


def mark_deleted(metadata: Metadata, dataset: Dataset, now_ns: int) -> Dataset:
    """The dataset as deleted. Its markers and the like go first: a dataset that comes back under
    this name has the same id.

    Blocks. Raises MetadataUnavailable; the deletion may be repeated then.
    """
    deleted = replace(dataset, deleted_ns=now_ns)
    metadata.delete_resources_of(dataset.env_id, dataset.id)
    metadata.update_dataset(deleted)
    return deleted
