"""Columns as the API shows them: fields of stored events, and definitions made over the API.

A column can be defined before any event has it. A deleted one is not shown until an event has it
again: stored events keep their fields, whatever their definitions.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from common import limits
from common.metadata import Column, ColumnFacts
from common.model.names import column_id
from common.model.times.written import rfc3339_s
from query.api.resources.members import READ_ONLY, Member, MemberType, refuse_unknown
from query.faults import FaultCollector, SpecError
from query.http.column_metadata import ColumnMetadata, described_facts
from query.wire.columns import ColumnPage, IndexedColumn

_TYPES: Final = {"i": "integer", "f": "float", "b": "boolean"}
_TYPE_NAMES: Final = ("string", "float", "integer", "boolean")


class ColumnView(NamedTuple):
    """A column that is in events (`indexed`), defined over the API (`defined`), or both.

    facts: what senders say of the metric that it holds.
    """

    name: str
    indexed: IndexedColumn | None
    defined: Column | None
    facts: ColumnFacts | None = None


class ColumnBody(NamedTuple):
    """A column in the body of a request. None: the member is not in the body."""

    type: str | None
    description: str
    hidden: bool | None


def shown(name: str, indexed: IndexedColumn | None, known: ColumnMetadata) -> ColumnView | None:
    """The column; None if it is neither in events nor defined."""
    defined = known.definitions.get(name)
    if defined is not None and defined.deleted_ns:
        if indexed is None or indexed.last_seen_ns <= defined.deleted_ns:
            return None
        defined = None  # an event has it again: it is a new column
    if indexed is None and defined is None:
        return None
    return ColumnView(name, indexed, defined, known.facts.get(name))


def merge_definitions(
    page: ColumnPage, known: ColumnMetadata, after: str | None, size: int
) -> tuple[list[ColumnView], str | None]:
    """A page of at most `size` columns by name, and the name after which the next one begins.

    page: the columns of events that follow the name `after`.
    known: what metadata has of the dataset's columns.
    """
    indexed = {column.name: column for column in page.columns}
    end = page.columns[-1].name if page.more and page.columns else None
    names = {
        name
        for name in (*indexed, *known.definitions)
        if (after is None or name > after) and (end is None or name <= end)
    }
    found: list[ColumnView] = []
    for name in sorted(names):
        column = shown(name, indexed.get(name), known)
        if column is None:
            continue
        if len(found) == size:
            return found, found[-1].name
        found.append(column)
    return found, end


def describe(dataset: str, column: ColumnView) -> dict[str, Any]:
    """A column in the vendor's shape, and what senders say of it: `metric`."""
    indexed, defined = column.indexed, column.defined
    first_ns = 0 if indexed is None else indexed.first_seen_ns
    of_events = "string" if indexed is None else shown_type(indexed.types)
    return {
        "id": column_id(dataset, column.name),
        "key_name": column.name,
        "type": (defined.type if defined is not None else "") or of_events,
        "description": "" if defined is None else defined.description,
        "hidden": defined is not None and defined.hidden,
        "last_written": None if indexed is None else rfc3339_s(indexed.last_seen_ns),
        "created_at": rfc3339_s(first_ns if defined is None else defined.created_ns),
        "updated_at": rfc3339_s(first_ns if defined is None else defined.updated_ns),
    } | described_facts(column.facts)


def shown_type(types: list[str]) -> str:
    """One of the vendor's four types. Mixed types: float if all are numbers, else string."""
    if len(types) == 1:
        return _TYPES.get(types[0], "string")
    return "float" if set(types) <= {"i", "f"} else "string"


KEY_NAME: Final = Member(
    "key_name",
    about="The name of the field.",
    required=True,
    fixed=True,
    at_most=limits.COLUMN_TEXT_CHARS_MAX,
)
TYPE: Final = Member(
    "type", about="What is shown as its type; no event is refused.", allowed=_TYPE_NAMES
)
DESCRIPTION: Final = Member("description", at_most=limits.COLUMN_TEXT_CHARS_MAX)
HIDDEN: Final = Member("hidden", MemberType.FLAG, "Not suggested to people.", default=False)
MEMBERS: Final = (KEY_NAME, TYPE, DESCRIPTION, HIDDEN)
# what answers have besides
_READ_ONLY: Final = (*READ_ONLY, "last_written", "metric")


def read_new(body: dict[str, Any]) -> tuple[str, ColumnBody]:
    """Read the body of a creation: (name, column). Raises InvalidValues with every fault."""
    reader = FaultCollector()
    name = reader.read(lambda: str(KEY_NAME.read_required(body)), "")
    return name, _read(body, reader)


def read_change(body: dict[str, Any], name: str) -> ColumnBody:
    """Read the body of a change. A description that is left out becomes empty; type and `hidden`
    stay. Raises InvalidValues with every fault.
    """
    reader = FaultCollector()
    reader.read(lambda: _same_name(body, name), None)
    return _read(body, reader)


def _read(body: dict[str, Any], reader: FaultCollector) -> ColumnBody:
    of_type = reader.read(lambda: TYPE.read(body), None)
    description = reader.read(lambda: DESCRIPTION.read(body), None)
    hidden = reader.read(lambda: HIDDEN.read(body), None)
    known = [member.name for member in MEMBERS]
    reader.read(lambda: refuse_unknown(body, known, _READ_ONLY), None)
    reader.check()
    return ColumnBody(
        None if of_type is None else str(of_type),
        str(description or ""),
        None if hidden is None else bool(hidden),
    )


def _same_name(body: dict[str, Any], name: str) -> None:
    if body.get(KEY_NAME.name) not in (None, name):
        raise SpecError(
            KEY_NAME.name, "invalid", "cannot be changed: events have the name they have"
        )


def check_room(definitions: Mapping[str, Column], name: str) -> None:
    """Raises SpecError if the dataset already has as many definitions as it may have."""
    if name not in definitions and len(definitions) >= limits.COLUMN_DEFINITIONS_MAX:
        most = limits.COLUMN_DEFINITIONS_MAX
        raise SpecError("key_name", "invalid", f"the dataset has {most} described columns already")
