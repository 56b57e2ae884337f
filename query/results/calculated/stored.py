"""Calculated fields that are stored, by dataset: every plan that names one computes it.

So they are usable wherever a field is: in queries, rows, details of fields, differences and traces.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple, Protocol

from common.process.fair.requester import Requester
from query.plan.calculated import named_fields, with_calculated
from query.plan.plan import Plan
from query.scatter.partial_results import PartialResults


class KnownFields(NamedTuple):
    """expressions: by name. complete: whether they could be read just now."""

    expressions: Mapping[str, str]
    complete: bool = True


class StoredFields(Protocol):
    """Reads the calculated fields that are stored."""

    async def of(self, dataset: str, requester: Requester) -> KnownFields:
        """Those of a dataset and of the environment; dataset "": of the environment alone."""


class NoStoredFields:
    """There are none."""

    async def of(self, dataset: str, requester: Requester) -> KnownFields:
        """See `StoredFields`."""
        return KnownFields({})


NO_STORED_FIELDS: Final = NoStoredFields()


async def with_stored(plan: Plan, stored: StoredFields) -> tuple[Plan, bool]:
    """(the plan with the calculated fields that it uses, whether all of them are known).

    Raises UseFault.
    """
    if not named_fields(plan):
        return plan, True
    datasets = plan.spans.datasets if plan.spans is not None else plan.datasets
    dataset = datasets[0].id if len(datasets) == 1 else plan.dataset
    known = await stored.of(dataset, Requester(plan.env, plan.key))
    return with_calculated(plan, known.expressions), known.complete


def notes_on_calculated(gathered: PartialResults) -> list[str]:
    """Notes of an answer: on stored fields that calculated ones take the place of, and where it is
    not known which calculated fields there are.
    """
    notes = [
        f"`{name}` is calculated: the stored field of this name gives way"
        for name in sorted(gathered.given_way)
    ]
    if gathered.fields_unread:
        notes.append(
            "calculated fields that are stored count as missing: metadata cannot be read now"
        )
    return notes
