"""`/1/derived_columns`: calculated fields that are stored, for a dataset or an environment.

An expression is refused when it is saved: for its own faults, and where fields that use one another
go round in a circle or are too deep.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from common import limits
from common.metadata import DerivedColumn, Metadata, Room
from query.api.resources.kind import Draft, ResourceKind
from query.api.resources.members import Member
from query.expressions.check import check_expression
from query.expressions.nodes import columns_of
from query.expressions.parser import parse
from query.faults import SpecError


def _computes(metadata: Metadata, draft: Draft[DerivedColumn]) -> None:
    """Raises SpecError for an expression that could not be computed."""
    row = draft.row
    fault = check_expression(row.expression)
    if fault is not None:
        raise SpecError("expression", "invalid", fault)
    stored = metadata.list_derived_columns(row.env_id, row.dataset_id or None)
    known = {one.alias: one.expression for one in stored} | {row.alias: row.expression}
    chain = too_long_chain(row.alias, known)
    if not chain:
        return
    uses = " uses ".join(chain)
    if chain[-1] in chain[:-1]:
        raise SpecError("expression", "invalid", f"goes round in a circle: {uses}")
    most = limits.CALCULATED_DEPTH_MAX
    raise SpecError("expression", "invalid", f"uses others deeper than {most}: {uses}")


def too_long_chain(alias: str, known: Mapping[str, str]) -> list[str]:
    """Calculated fields from `alias` on, each of which uses the next one, that end in one that was
    there before or are too many; empty: there is no such chain.

    known: expressions by alias, which can be parsed.
    """
    used: dict[str, list[str]] = {}
    depth: dict[str, int] = {}  # of those that are done: they and what they use

    def uses(name: str) -> list[str]:
        if name not in used:
            named = dict.fromkeys(one.name for one in columns_of(parse(known[name])))
            used[name] = [one for one in named if one in known]
        return used[name]

    def next_of(names: Iterator[str]) -> str | None:
        """The next one that was not looked at, or that now lies too deep."""
        deepest = limits.CALCULATED_DEPTH_MAX - len(chain)
        return next((one for one in names if depth.get(one, deepest + 1) > deepest), None)

    chain, rest = [alias], [iter(uses(alias))]
    while chain:
        following = next_of(rest[-1])
        if following is None:
            name = chain.pop()
            rest.pop()
            depth[name] = 1 + max((depth[one] for one in uses(name)), default=0)
            continue
        if following in chain or len(chain) >= limits.CALCULATED_DEPTH_MAX:
            return [*chain, following]
        chain.append(following)
        rest.append(iter(uses(following)))
    return []


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
