"""The views of datasets by their definitions: those that have the same ones are read together."""

from collections.abc import Sequence

from query.plan.parts.spans import DEFAULT_NAMES, SpanNames
from query.plan.plan import Plan
from query.share.view.view import DatasetView


def by_definition(plan: Plan, views: Sequence[DatasetView]) -> dict[SpanNames, list[DatasetView]]:
    """At least one kind, which may be without views. A plan without datasets has the defaults."""
    names = {one.id: one.names for one in plan.datasets}
    found: dict[SpanNames, list[DatasetView]] = {}
    for view in views:
        found.setdefault(names.get(view.dataset, DEFAULT_NAMES), []).append(view)
    return found or {next(iter(names.values()), DEFAULT_NAMES): []}
