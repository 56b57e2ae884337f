"""Instances of a question about other spans: keys first, then the rows of events joined with them.

What an instance has of another span is as what it has of its events: the first value.
"""

from functools import partial

from query.plan.planner import QueryRequest
from query.results.answer import Answer
from query.results.instances.answer import (
    answer_over_instances,
    instances_plan,
    notes_on_instances,
    types_of_events,
)
from query.results.relations.run import RelatedQuery, pinned
from query.results.steps import Steps
from query.results.totals.totals import Totals
from query.share.compute.database import Databases
from query.wire.keys import encode_keys


async def related_instances(
    query: QueryRequest,
    question: RelatedQuery,
    steps: Steps,
    databases: Databases,
    margin_ns: int,
) -> tuple[Answer, Totals]:
    """The answer. margin_ns: as of `instances_plan`. Raises as `Steps.first` does."""
    keys = await question.keys(steps)
    types = question.types(steps)
    plan = question.joined(instances_plan(query, margin_ns, at_least={}, wait_ms=0, log=""), keys)
    found = await steps.again(
        partial(pinned, plan),
        lambda states: answer_over_instances(query, plan, states, databases),
        encode_keys([table for _, table in keys.joins]),
    )
    types |= steps.latest
    notes = notes_on_instances(query.spec, found, types)
    return (
        Answer(
            found.totals.data,
            steps.coverage,
            [*notes, *steps.notes, *question.notes(steps)],
            types_of_events(query.spec, plan, types),
            found.totals.groups,
        ),
        found.totals,
    )
