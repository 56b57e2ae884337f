"""The calculated fields of a tail: those that its conditions and fields use, as of a plan."""

import msgspec

from common.process.fair.requester import Requester
from query.plan.plan import Plan, RowsWanted
from query.results.calculated.stored import StoredFields, with_stored
from query.wire.tail import TailFilter


async def with_calculated_fields(
    choice: TailFilter, dataset: str, requester: Requester, stored: StoredFields
) -> TailFilter:
    """The choice with what it uses, stored ones too. Raises UseFault."""
    plan = Plan(
        dataset=dataset,
        start_ns=0,
        end_ns=0,
        needs=(),
        filters=choice.filters,
        any_filter=choice.any_filter,
        rows=RowsWanted(limit=1, bytes_max=0, fields=choice.fields),
        calculated=choice.calculated,
        env=requester.env,
        key=requester.key,
    )
    used, _ = await with_stored(plan, stored)
    return msgspec.structs.replace(choice, calculated=used.calculated)
