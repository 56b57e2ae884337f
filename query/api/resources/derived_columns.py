"""`/1/derived_columns`: calculated fields that are stored, for a dataset or an environment."""

from typing import Final

from common import limits
from common.metadata import DerivedColumn, Room
from query.api.resources.kind import ResourceKind
from query.api.resources.members import Member

DERIVED_COLUMNS: Final = ResourceKind(
    path="derived_columns",
    noun="derived column",
    row=DerivedColumn,
    about="A field that is calculated from those of an event.",
    members=(
        Member(
            "alias",
            about="The name of the field.",
            required=True,
            fixed=True,
            at_most=limits.COLUMN_TEXT_CHARS_MAX,
        ),
        Member(
            "expression",
            about="What computes it.",
            required=True,
            at_most=limits.EXPRESSION_CHARS_MAX,
        ),
        Member("description", at_most=limits.COLUMN_TEXT_CHARS_MAX),
    ),
    room=Room(*limits.DERIVED_COLUMNS_MAX),
    right="columns",
    unique="alias",
    found_by="alias",
)
