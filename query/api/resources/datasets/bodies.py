"""Reads bodies that create or change a dataset; refuses them with every fault."""

from typing import Any, Final, NamedTuple

from common import limits
from common.model.names import BadDatasetName, dataset_slug, url_slug
from query.api.resources.members import Member, MemberType, refuse_unknown
from query.faults import FaultCollector, SpecError


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


NAME: Final = Member(
    "name", about="In any case.", required=True, fixed=True, at_most=limits.DATASET_NAME_CHARS_MAX
)
DESCRIPTION: Final = Member("description", at_most=limits.DATASET_DESCRIPTION_CHARS_MAX)
DEPTH: Final = Member(
    "expand_json_depth",
    MemberType.WHOLE,
    "Objects in fields become fields, to this depth.",
    at_most=limits.EXPAND_DEPTH_MAX,
    default=0,
)
RETENTION: Final = Member(
    "retention_days",
    MemberType.WHOLE,
    "How long events are kept; 0: the installation's setting.",
    at_most=limits.RETENTION_DAYS_MAX,
    default=0,
)
MEMBERS: Final = (NAME, DESCRIPTION, DEPTH, RETENTION)
SETTINGS: Final = "settings"
PROTECTED: Final = Member(
    "delete_protected", MemberType.FLAG, "Deleting the dataset is refused.", default=True
)
# what answers have besides
_READ_ONLY: Final = (*("slug", "regular_columns_count", "last_written_at", "created_at"),)


def read_new(body: dict[str, Any]) -> NewDataset:
    """Read the body of a creation. Raises InvalidValues with every fault."""
    reader = FaultCollector()
    name, slug = reader.read(lambda: _name(body), ("", ""))
    change = _read(body, reader)
    reader.read(lambda: _protected_from_the_start(change.delete_protected), None)
    reader.check()
    return NewDataset(
        name, slug, change.description, change.expand_json_depth, change.retention_days or 0
    )


def read_change(body: dict[str, Any], slug: str) -> DatasetChange:
    """Read the body of a change of the dataset of this slug. Raises InvalidValues with every fault.

    A description or depth that is left out is reset to its default, as in the vendor's API.
    Retention, which other clients do not send, and protection stay as they are.
    """
    reader = FaultCollector()
    reader.read(lambda: _same_name(body, slug), None)
    found = _read(body, reader)
    reader.check()
    return found


def _read(body: dict[str, Any], reader: FaultCollector) -> DatasetChange:
    description = reader.read(lambda: DESCRIPTION.read(body), None)
    depth = reader.read(lambda: DEPTH.read(body), None)
    retention = reader.read(lambda: RETENTION.read(body), None)
    protected = reader.read(lambda: _protection(body), None)
    known = [*(member.name for member in MEMBERS), SETTINGS]
    reader.read(lambda: refuse_unknown(body, known, _READ_ONLY), None)
    if retention is None and RETENTION.name in body:
        retention = 0  # null: the indexers' setting applies
    return DatasetChange(
        str(description or ""),
        int(depth or 0),
        None if retention is None else int(retention),
        protected,
    )


def _name(body: dict[str, Any]) -> tuple[str, str]:
    name = str(NAME.read_required(body))
    try:
        return name.strip(), dataset_slug(name)
    except BadDatasetName as error:
        raise SpecError(NAME.name, "invalid", str(error)) from error


def _same_name(body: dict[str, Any], slug: str) -> None:
    """A change may say the name, in any case, or the slug, as the client was shown them."""
    if body.get(NAME.name) is not None:
        _, sent = _name(body)
        if sent not in (slug, url_slug(slug)):
            raise SpecError(NAME.name, "invalid", "cannot be changed: events are sent to it")


def _protection(body: dict[str, Any]) -> bool | None:
    settings = body.get(SETTINGS)
    if settings is None:
        return None
    if not isinstance(settings, dict):
        raise SpecError(SETTINGS, "incorrect_type", "must be an object")
    try:
        value = PROTECTED.read(settings)
        refuse_unknown(settings, (PROTECTED.name,), ())
    except SpecError as error:
        raise SpecError(f"{SETTINGS}.{error.field}", error.code, error.description) from error
    return None if value is None else bool(value)


def _protected_from_the_start(protected: bool | None) -> None:
    if protected is False:
        raise SpecError(
            "settings.delete_protected",
            "invalid",
            "cannot be false when a dataset is created: change it afterwards, with PUT",
        )
