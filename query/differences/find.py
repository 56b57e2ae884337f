"""Asks for differences: two exchanges over the same rows, of which the second is small."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
import pyarrow as pa

from common import limits
from query.differences.distribution import Distributions, merge_distributions
from query.differences.follows import followers
from query.differences.rank import RankedField, rank
from query.differences.request import DifferencesRequest
from query.plan.plan import Plan
from query.results.steps import Steps


@dataclass(frozen=True, slots=True, repr=False)
class FoundDifferences:
    """follows: why a field is listed apart, by its name."""

    sides: Distributions
    ranked: Sequence[RankedField]
    follows: dict[str, str]
    coverage: dict[str, Any]
    notes: list[str]
    types: dict[str, str]


async def find_differences(
    wanted: DifferencesRequest, names: Sequence[str], steps: Steps
) -> FoundDifferences:
    """The fields of these names by how much the sides differ in them. Raises as `Steps.first`."""
    selected = sorted(wanted.selection.fields)[: limits.DIFFERENCES_SELECTED]

    def merged(answers: Sequence[dict[str, pa.Table]]) -> tuple[Distributions, list[RankedField]]:
        sides = merge_distributions(len(names), answers)
        return sides, rank(names, sides)

    sides, ranked = await steps.first(partial(wanted.plan, tuple(names)), merged)
    differing = [one.name for one in ranked if one.measured.score > 0]
    others = [one for one in differing if one not in wanted.selection.fields]
    others = others[: limits.DIFFERENCES_COMPARED]
    follows: dict[str, str] = {}
    if selected and others:

        def sampled(plan: Plan) -> Plan:
            assert plan.differences is not None
            some = msgspec.structs.replace(
                plan.differences,
                fields=(*selected, *others),
                sample=limits.DIFFERENCES_SAMPLED,
            )
            return msgspec.structs.replace(plan, differences=some)

        follows = await steps.again(
            sampled,
            lambda answers: followers([one["sample"] for one in answers], selected, others),
        )
    return FoundDifferences(sides, ranked, follows, steps.coverage, steps.notes, steps.types)
