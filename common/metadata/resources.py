"""Small things that people keep beside their events: markers and their colours, derived columns,
annotations of queries, definitions of spans. Each belongs to a dataset or to a whole environment.

They are alike: found by environment, dataset and id, and stored in one table for each kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar


@dataclass(frozen=True, slots=True)
class Resource:
    """What all kinds have.

    id: unique among those of its kind in the dataset or environment.
    dataset_id: "": it belongs to the environment.
    created_ns, updated_ns: unix ns.
    """

    id: str
    env_id: str
    dataset_id: str
    created_ns: int = field(default=0, kw_only=True)
    updated_ns: int = field(default=0, kw_only=True)


@dataclass(frozen=True, slots=True)
class Marker(Resource):
    """A moment, or a time, that charts show.

    start_s, end_s: unix seconds; end_s 0: a moment.
    type: markers of one type have one colour (`MarkerSetting`).
    """

    start_s: int
    end_s: int = 0
    message: str = ""
    type: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class MarkerSetting(Resource):
    """The colour of markers of one type, as `#F96E11`. The id follows from the type."""

    type: str
    color: str


@dataclass(frozen=True, slots=True)
class DerivedColumn(Resource):
    """A calculated field: `alias` names it, `expression` computes it. The id follows from the
    alias.
    """

    alias: str
    expression: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class QueryAnnotation(Resource):
    """A name and a description of a stored query."""

    name: str
    description: str
    query_id: str


@dataclass(frozen=True, slots=True)
class SpanDefinition(Resource):
    """The field that holds one part of a span in a dataset.

    id: the part, by the vendor's name for it (`trace_id`).
    column_name: "": the default applies, as without a row.
    """

    column_name: str


RESOURCES: Final[dict[str, type[Resource]]] = {  # by their kind in exports
    "marker": Marker,
    "marker_setting": MarkerSetting,
    "derived_column": DerivedColumn,
    "query_annotation": QueryAnnotation,
    "span_definition": SpanDefinition,
}
R = TypeVar("R", bound=Resource)


@dataclass(frozen=True, slots=True)
class Room:
    """How many of a kind there may be: in one dataset (or of the environment itself), and in all
    of the environment.
    """

    of_dataset: int
    of_environment: int


class ResourceStore(Protocol):
    """Calls block. Every method raises MetadataUnavailable if the store cannot be used now."""

    def create_resource(self, row: Resource, room: Room) -> bool:
        """Store a new one; False if there is no room for it. Raises Conflict if its id exists."""

    def put_resources(self, rows: Sequence[Resource]) -> None:
        """Insert or replace some of one kind, all or nothing."""

    def get_resource(self, kind: type[R], env_id: str, dataset_id: str, row_id: str) -> R | None:
        """The one of this id in the dataset, or None."""

    def list_resources(self, kind: type[R], env_id: str, dataset_id: str | None) -> list[R]:
        """Those of a dataset ("": of the environment itself), oldest first. None: of the whole
        environment.
        """

    def delete_resource(
        self, kind: type[Resource], env_id: str, dataset_id: str, row_id: str
    ) -> bool:
        """Delete one; False if there is none of this id."""

    def delete_resources_of(self, env_id: str, dataset_id: str) -> None:
        """Delete everything that belongs to a dataset."""

    def list_derived_columns(self, env_id: str, dataset_id: str | None) -> list[DerivedColumn]:
        """Those of the environment, oldest first, then those of the dataset. None: only the
        environment's. An alias may be in both: the dataset's counts there.
        """
