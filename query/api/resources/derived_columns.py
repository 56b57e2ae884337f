"""`/1/derived_columns`: calculated fields that are stored, for a dataset or an environment.

An expression is refused when it is saved: for its own faults, and where fields that use one another
go round in a circle or are too deep.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from common import limits
from common.metadata import DerivedColumn, Metadata, Room
from query.api.resources.kind import Draft, ResourceKind
from query.api.resources.members import Member
from query.expressions.check import check_expression
from query.faults import SpecError
from query.plan.calculated import UseFault, in_order_of_use


def _computes(metadata: Metadata, draft: Draft[DerivedColumn]) -> None:
    """Raises SpecError for an expression that could not be computed, or because of which others
    could not be any more.
    """
    row = draft.row
    fault = check_expression(row.expression)
    if fault is None:
        stored = metadata.list_derived_columns(row.env_id, row.dataset_id or None)
        before = {one.alias: one.expression for one in stored}
        after = before | {row.alias: row.expression}
        fault = _fault_of_use((row.alias,), after)
        if fault is None and _fault_of_use(before, before) is None:
            fault = _fault_of_use(after, after)
    if fault is not None:
        raise SpecError("expression", "invalid", fault)


def _fault_of_use(wanted: Iterable[str], known: Mapping[str, str]) -> str | None:
    """Why these calculated fields cannot be computed from one another; None: they can."""
    try:
        in_order_of_use(wanted, known)
    except UseFault as error:
        return str(error)
    return None


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
    check=_computes,
)
