"""Columns as the API shows them: what events have, and what somebody said of them.

A column can be said to be there before any event has it. One that was deleted is not shown until
an event has it again: stored events keep their fields, whatever is said of them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from common import limits
from common.metadata import Column, Metadata
from common.model.names import column_id
from query.faults import FaultCollector, SpecError, read_description
from query.wire.columns import ColumnPage, IndexedColumn

_TYPES: Final = {"i": "integer", "f": "float", "b": "boolean"}
_TYPE_NAMES: Final = ("string", "float", "integer", "boolean")


class ColumnView(NamedTuple):
    """A column that is shown: in events, or said to be there, or both."""

    name: str
    seen: IndexedColumn | None
    said: Column | None


class ColumnBody(NamedTuple):
    """What a body says of a column. None: nothing."""

    type: str | None
    description: str
    hidden: bool | None


def definitions_of(metadata: Metadata, dataset_id: str) -> dict[str, Column]:
    """What is said of a dataset's fields, by name: not what was said of an earlier dataset that
    had the same name. Blocks. Raises MetadataUnavailable.
    """
    dataset = metadata.get_dataset(dataset_id)
    if dataset is None:
        return {}
    said = metadata.list_columns(dataset_id)
    return {column.name: column for column in said if column.updated_ns >= dataset.created_ns}


def shown(name: str, seen: IndexedColumn | None, said: Column | None) -> ColumnView | None:
    """The column if it is there."""
    if said is not None and said.deleted_ns:
        if seen is None or seen.last_seen_ns <= said.deleted_ns:
            return None
        said = None  # it came again: as a new one
    return None if seen is None and said is None else ColumnView(name, seen, said)


def merge_definitions(
    page: ColumnPage, said: Mapping[str, Column], after: str | None, size: int
) -> tuple[list[ColumnView], str | None]:
    """A page of at most `size` columns by name, and the name after which the next one begins.

    page: those that events have, from the name `after` on.
    """
    seen = {column.name: column for column in page.columns}
    end = page.columns[-1].name if page.more and page.columns else None
    names = {
        name
        for name in (*seen, *said)
        if (after is None or name > after) and (end is None or name <= end)
    }
    found: list[ColumnView] = []
    for name in sorted(names):
        column = shown(name, seen.get(name), said.get(name))
        if column is None:
            continue
        if len(found) == size:
            return found, found[-1].name
        found.append(column)
    return found, end


def describe(dataset: str, column: ColumnView) -> dict[str, Any]:
    """A column as the vendor shows it."""
    seen, said = column.seen, column.said
    first_ns = 0 if seen is None else seen.first_seen_ns
    of_events = "string" if seen is None else shown_type(seen.types)
    return {
        "id": column_id(dataset, column.name),
        "key_name": column.name,
        "type": (said.type if said is not None else "") or of_events,
        "description": "" if said is None else said.description,
        "hidden": said is not None and said.hidden,
        "last_written": None if seen is None else _iso(seen.last_seen_ns),
        "created_at": _iso(first_ns if said is None else said.created_ns),
        "updated_at": _iso(first_ns if said is None else said.updated_ns),
    }


def shown_type(types: list[str]) -> str:
    """One of the vendor's four types; mixed: float if all are numbers, else string."""
    if len(types) == 1:
        return _TYPES.get(types[0], "string")
    return "float" if set(types) <= {"i", "f"} else "string"


def read_new(body: dict[str, Any]) -> tuple[str, ColumnBody]:
    """The name of a new column, and what is said of it. Raises Invalid with every fault."""
    reader = FaultCollector()
    name = reader.read(lambda: _name(body), "")
    return name, _read(body, reader)


def read_change(body: dict[str, Any], name: str) -> ColumnBody:
    """What is said of a column from now on: a description that is left out is empty again, type
    and `hidden` stay. Raises Invalid with every fault.
    """
    reader = FaultCollector()
    reader.read(lambda: _same_name(body, name), None)
    return _read(body, reader)


def _read(body: dict[str, Any], reader: FaultCollector) -> ColumnBody:
    found = ColumnBody(
        reader.read(lambda: _type(body), None),
        reader.read(lambda: _description(body), ""),
        reader.read(lambda: _hidden(body), None),
    )
    reader.check()
    return found


def _name(body: dict[str, Any]) -> str:
    name = body.get("key_name")
    if name is None or name == "":
        raise SpecError("key_name", "missing", "cannot be blank")
    if not isinstance(name, str):
        raise SpecError("key_name", "incorrect_type", "must be a string")
    if len(name) > limits.COLUMN_TEXT_CHARS_MAX:
        raise SpecError(
            "key_name", "invalid", f"is longer than {limits.COLUMN_TEXT_CHARS_MAX} characters"
        )
    return name


def _same_name(body: dict[str, Any], name: str) -> None:
    if body.get("key_name") not in (None, name):
        raise SpecError("key_name", "invalid", "cannot be changed: events have the name they have")


def _type(body: dict[str, Any]) -> str | None:
    value = body.get("type")
    if value is not None and not isinstance(value, str):
        raise SpecError("type", "incorrect_type", "must be a string")
    if value is not None and value not in _TYPE_NAMES:
        raise SpecError("type", "invalid", f"must be one of {', '.join(_TYPE_NAMES)}")
    return value


def _description(body: dict[str, Any]) -> str:
    return read_description(body, limits.COLUMN_TEXT_CHARS_MAX)


def _hidden(body: dict[str, Any]) -> bool | None:
    value = body.get("hidden")
    if value is not None and not isinstance(value, bool):
        raise SpecError("hidden", "incorrect_type", "must be true or false")
    return value


def check_room(said: Mapping[str, Column], name: str) -> None:
    """Raises SpecError where a dataset has as many columns of this kind as it may have."""
    if name not in said and len(said) >= limits.COLUMN_DEFINITIONS_MAX:
        most = limits.COLUMN_DEFINITIONS_MAX
        raise SpecError("key_name", "invalid", f"the dataset has {most} described columns already")


def _iso(ns: int) -> str:
    return datetime.fromtimestamp(ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
