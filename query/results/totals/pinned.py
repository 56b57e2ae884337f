"""Shares over exactly the rows of earlier ones: the series of an answer, beside its totals (I2)."""

from typing import Any

from query.plan.plan import Plan
from query.scatter.partial_results import PartialResults
from query.scatter.scatter import Scatter
from query.scatter.state_room import QuestionStates
from query.share.compute.answer import same_rows


async def run_pinned(
    scatter: Scatter,
    plan: Plan,
    totals: PartialResults,
    coverage: dict[str, Any],
    held: QuestionStates,
) -> PartialResults:
    """The shares of a plan over the rows of the totals.

    coverage: gets their size, and the partitions that could not be asked again.
    """
    gathered = await scatter.run(plan, sorted(totals.answered), held)
    short = [
        p
        for p, of in totals.answered.items()
        if p not in gathered.answered or not same_rows(gathered.answered[p].covered, of.covered)
    ]
    coverage["state_bytes"] += gathered.state_bytes
    if short:
        coverage["complete"] = False
        coverage["series_incomplete"] = sorted(short)
    return gathered
