"""Reads bodies that create or change a dataset; refuses them with every fault."""

from typing import Any, NamedTuple

from common import limits
from common.model.names import BadDatasetName, dataset_slug
from query.faults import FaultCollector, SpecError, read_description


class NewDataset(NamedTuple):
    """The body of a creation. slug: the URL name, from which the dataset's id is derived."""

    name: str
    slug: str
    description: str
    expand_json_depth: int
    retention_days: int


class DatasetChange(NamedTuple):
    """The body of a change. None: the value stays as it is."""

    description: str
    expand_json_depth: int
    retention_days: int | None
    delete_protected: bool | None


def read_new(body: dict[str, Any]) -> NewDataset:
    """Read the body of a creation. Raises InvalidValues with every fault."""
    reader = FaultCollector()
    name, slug = reader.read(lambda: _name(body), ("", ""))
    retention = reader.read(lambda: _retention(body), None)
    found = NewDataset(
        name,
        slug,
        reader.read(lambda: _description(body), ""),
        reader.read(lambda: _depth(body), 0),
        retention or 0,
    )
    reader.read(lambda: _protected_from_the_start(body), None)
    reader.check()
    return found


def read_change(body: dict[str, Any]) -> DatasetChange:
    """Read the body of a change. Raises InvalidValues with every fault.

    A description or depth that is left out is reset to its default, as in the vendor's API.
    Retention, which other clients do not send, and protection stay as they are.
    """
    reader = FaultCollector()
    found = DatasetChange(
        reader.read(lambda: _description(body), ""),
        reader.read(lambda: _depth(body), 0),
        reader.read(lambda: _retention(body), None),
        reader.read(lambda: _protection(body), None),
    )
    reader.check()
    return found


def _name(body: dict[str, Any]) -> tuple[str, str]:
    name = body.get("name")
    if name is None:
        raise SpecError("name", "missing", "cannot be blank")
    if not isinstance(name, str):
        raise SpecError("name", "incorrect_type", "must be a string")
    if not name.strip():
        raise SpecError("name", "missing", "cannot be blank")
    try:
        return name.strip(), dataset_slug(name)
    except BadDatasetName as error:
        raise SpecError("name", "invalid", str(error)) from error


def _description(body: dict[str, Any]) -> str:
    return read_description(body, limits.DATASET_DESCRIPTION_CHARS_MAX)


def _depth(body: dict[str, Any]) -> int:
    return _whole(body, "expand_json_depth", limits.EXPAND_DEPTH_MAX, "a whole number") or 0


def _retention(body: dict[str, Any]) -> int | None:
    """Days of retention; null becomes 0, so that the indexers' setting applies."""
    days = _whole(body, "retention_days", limits.RETENTION_DAYS_MAX, "a whole number of days")
    return 0 if days is None and "retention_days" in body else days


def _whole(body: dict[str, Any], field: str, most: int, kind: str) -> int | None:
    value = body.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise SpecError(field, "incorrect_type", f"must be {kind}")
    if not 0 <= value <= most:
        raise SpecError(field, "invalid", f"must be between 0 and {most}")
    return value


def _protection(body: dict[str, Any]) -> bool | None:
    settings = body.get("settings")
    if settings is None:
        return None
    if not isinstance(settings, dict):
        raise SpecError("settings", "incorrect_type", "must be an object")
    value = settings.get("delete_protected")
    if value is not None and not isinstance(value, bool):
        raise SpecError("settings.delete_protected", "incorrect_type", "must be true or false")
    return value


def _protected_from_the_start(body: dict[str, Any]) -> None:
    if _protection(body) is False:
        raise SpecError(
            "settings.delete_protected",
            "invalid",
            "cannot be false when a dataset is created: change it afterwards, with PUT",
        )
