"""`/1/markers` and `/1/marker_settings`: moments that charts show, and colours of their types."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from common import limits
from common.metadata import Marker, MarkerSetting, Metadata, Room
from query.api.resources.kind import Draft, ResourceKind
from query.api.resources.members import Member, MemberType
from query.api.resources.scope import Scope
from query.faults import SpecError

_TYPE: Final = Member(
    "type", about="Markers of one type have one colour.", at_most=limits.COLUMN_TEXT_CHARS_MAX
)


def _placed(draft: Draft[Marker]) -> Marker:
    """A marker without a time is placed when it arrives; a change leaves it there."""
    row, before = draft.row, draft.before
    if row.start_s:
        return row
    return replace(row, start_s=row.updated_ns // 10**9 if before is None else before.start_s)


def _in_order(metadata: Metadata, draft: Draft[Marker]) -> None:
    row = draft.row
    if row.end_s and row.end_s < row.start_s:
        raise SpecError("end_time", "invalid", f"is before the start, {row.start_s}")


def _coloured(metadata: Metadata, scope: Scope, rows: Sequence[Marker]) -> list[dict[str, Any]]:
    """The colour of each one's type: the dataset's setting, or the environment's."""
    settings = metadata.list_resources(MarkerSetting, scope.env_id, "")
    if scope.dataset_id:
        settings += metadata.list_resources(MarkerSetting, scope.env_id, scope.dataset_id)
    colours = {one.type: one.color for one in settings}
    return [{"color": colours[row.type]} if row.type in colours else {} for row in rows]


MARKERS: Final = ResourceKind(
    path="markers",
    noun="marker",
    row=Marker,
    about="A moment that charts show, as a deployment.",
    members=(
        Member(
            "start_time",
            MemberType.WHOLE,
            "When it is, in unix seconds; by default when the request arrives.",
            at_most=limits.MARKER_TIME_S_MAX,
            default=0,
        ),
        Member(
            "end_time",
            MemberType.WHOLE,
            "When it ends, in unix seconds, if it takes time.",
            at_most=limits.MARKER_TIME_S_MAX,
            default=0,
        ),
        Member("message", about="What happened.", at_most=limits.MARKER_MESSAGE_CHARS_MAX),
        _TYPE,
        Member(
            "url",
            about="Where the message leads.",
            at_most=limits.MARKER_URL_CHARS_MAX,
            pattern=r"(?i)https?://\S+",
            like="an address that begins with http:// or https://",
        ),
    ),
    attributes={"start_time": "start_s", "end_time": "end_s"},
    room=Room(*limits.MARKERS_MAX),
    right="markers",
    id_digits=6,
    shows_deleted=True,
    hides_empty=True,
    complete=_placed,
    check=_in_order,
    decorate=_coloured,
    read_only=("id", "created_at", "updated_at", "color"),
)
MARKER_SETTINGS: Final = ResourceKind(
    path="marker_settings",
    noun="marker setting",
    row=MarkerSetting,
    about="The colour of markers of a type.",
    members=(
        replace(_TYPE, required=True, fixed=True),
        Member(
            "color",
            about="As `#F96E11`.",
            required=True,
            pattern="#[0-9A-Fa-f]{6}",
            like="`#` and six hexadecimal digits, as #F96E11",
        ),
    ),
    room=Room(*limits.MARKER_SETTINGS_MAX),
    right="markers",
    unique="type",
    shows_deleted=True,
)
