"""Every kind of resource that the generic routes serve."""

from typing import Any, Final

from query.api.resources.derived_columns import DERIVED_COLUMNS
from query.api.resources.kind import ResourceKind
from query.api.resources.markers import MARKER_SETTINGS, MARKERS
from query.api.resources.query_annotations import QUERY_ANNOTATIONS

RESOURCE_KINDS: Final[tuple[ResourceKind[Any], ...]] = (
    *(MARKERS, MARKER_SETTINGS, DERIVED_COLUMNS, QUERY_ANNOTATIONS),
)
