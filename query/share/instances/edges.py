"""The instances that have events just outside of a plan's range: of these some may be in it, too.

Only the values of the field are read, and no more than the margin on both sides.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import pyarrow as pa

from query.plan.plan import InstancesWanted, Plan
from query.share.defined.joins import JoinedColumns
from query.share.defined.kinds import by_definition
from query.share.defined.rows import with_joins
from query.share.instances import columns as names
from query.share.pruning.footer_facts import FooterFacts
from query.share.sources.filters import Parameters, condition
from query.share.sources.small_segments import SmallSegments
from query.share.sources.sources import gather
from query.share.view.view import DatasetView

_TIME_MIN, _TIME_MAX = -(2**63), 2**63 - 1


class Edges(NamedTuple):
    """A statement whose rows are values of the field, by their parts; empty if there is no margin.

    parameters: to be bound. tables: those to register, by name.
    """

    sql: str
    parameters: list[str]
    tables: dict[str, pa.Table]


def edges_of(
    plan: Plan,
    wanted: InstancesWanted,
    views: Sequence[DatasetView],
    small: SmallSegments | None,
    facts: FooterFacts | None,
    joined: JoinedColumns = (),
) -> Edges:
    """The statement over these views. joined: as of `InstanceStatements`. Raises DamagedObject."""
    bound, tables = Parameters(), dict[str, pa.Table]()
    margin, only = wanted.margin_ns, msgspec.structs.replace(wanted, columns=(), fields=())
    ranges = [
        (max(plan.start_ns - margin, _TIME_MIN), plan.start_ns),
        (plan.end_ns, min(plan.end_ns + margin, _TIME_MAX)),
    ]
    found = []
    for number, (start_ns, end_ns) in enumerate(ranges):
        if start_ns >= end_ns:
            continue
        beside = msgspec.structs.replace(plan, start_ns=start_ns, end_ns=end_ns, instances=only)
        for kind, (definitions, some) in enumerate(by_definition(plan, views).items()):
            sources = gather(beside, some, small, facts, suffix=f"_edge{number}_{kind}")
            if sources.is_empty:
                continue
            tables |= sources.tables
            sources = with_joins(sources, definitions, plan, joined)
            own = sources.fields_sql[wanted.field]
            conditions = [condition(one, sources.fields_sql, bound) for one in plan.filters]
            matching = (" OR " if plan.any_filter else " AND ").join(conditions) or "TRUE"
            found.append((own, f"({sources.sql}) src WHERE ({matching}) AND {own.exists}"))
    keys = sorted({name for field_sql, _ in found for name in field_sql.key_parts})
    selects = []
    for field_sql, rows in found:
        parts = field_sql.key_parts
        columns = (f"{names.key_part(parts, name)} AS {names.KEY}{name}" for name in keys)
        selects.append(f"SELECT {', '.join(columns)} FROM {rows}")
    joined = " UNION ALL ".join(selects)
    return Edges(f"SELECT DISTINCT * FROM ({joined})" if keys else "", bound.values, tables)
