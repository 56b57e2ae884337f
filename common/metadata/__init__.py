"""Metadata: teams, keys, datasets, stored queries. Two implementations, one conformance suite."""

from common.metadata.interface import (
    Access,
    ApiKey,
    Column,
    ColumnFacts,
    Dataset,
    Environment,
    KeyKind,
    Metadata,
    MetadataRow,
    StoredQuery,
    Team,
)

__all__ = [
    "Access",
    "ApiKey",
    "Column",
    "ColumnFacts",
    "Dataset",
    "Environment",
    "KeyKind",
    "Metadata",
    "MetadataRow",
    "StoredQuery",
    "Team",
]
