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
from common.metadata.resources import (
    DerivedColumn,
    Marker,
    MarkerSetting,
    QueryAnnotation,
    Resource,
    Room,
    SpanDefinition,
)

__all__ = [
    "Access",
    "ApiKey",
    "Column",
    "ColumnFacts",
    "Dataset",
    "DerivedColumn",
    "Environment",
    "KeyKind",
    "Marker",
    "MarkerSetting",
    "Metadata",
    "MetadataRow",
    "QueryAnnotation",
    "Resource",
    "Room",
    "SpanDefinition",
    "StoredQuery",
    "Team",
]
