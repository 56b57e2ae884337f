"""Spans that are open: how many start and end in each sixteenth of a step, by group.

Counts of starts and ends add up over any split of the rows, and over groups; the query role makes
levels of them (`query.results.calculations.concurrency`). Spans that began before the range are
read too, as far back as the plan says; they start with the range.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import pyarrow as pa

from query.plan.plan import Need, Plan, State
from query.share.defined.joins import JoinedColumns
from query.share.defined.kinds import by_definition
from query.share.defined.rows import gather_asked
from query.share.pruning.footer_facts import FooterFacts
from query.share.sources.small_segments import SmallSegments
from query.share.sources.sources import Sources
from query.share.spans.parts import SpanParts
from query.share.states.groups import wanted_groups
from query.share.states.statements import WANTED, Statements
from query.share.view.view import DatasetView

_NS_PER_MS: Final = 1e6


def earlier_plan(plan: Plan) -> Plan:
    """The plan that reads the spans which may be open in the range: of totals, from earlier on.

    Its needs are those that count spans.
    """
    assert plan.open_spans is not None
    return msgspec.structs.replace(
        plan,
        start_ns=max(-(2**63), plan.start_ns - plan.open_spans.before_ns),
        needs=tuple(need for need in plan.needs if need.state is State.CONCURRENCY),
        step_ns=None,
        by_end=False,
    )


@dataclass(frozen=True, slots=True)
class OpenSpans:
    """The statements over the views of datasets with the same definitions.

    suffix: of the names of tables.
    """

    plan: Plan
    sources: Sources
    statements: Statements
    parts: SpanParts
    suffix: str

    @property
    def tables(self) -> dict[str, pa.Table]:
        """Tables that the statements read, by name."""
        found = dict(self.sources.tables)
        if self.plan.groups is not None and self.plan.breakdowns:
            groups = wanted_groups(self.plan, self.statements.wanted_parts())
            found[WANTED + self.suffix] = groups
        return found

    @property
    def states(self) -> Iterator[tuple[str, str]]:
        """(name of a state, its statement)."""
        for index, need in enumerate(self.plan.needs):
            if need.state is State.CONCURRENCY:
                yield f"a{index}{self.suffix}", self._sql(index, need)

    def _sql(self, index: int, need: Need) -> str:
        """A row per group: lists of parts of steps, and how many spans start and end in each.

        Without a duration an event is no span, and one with an annotation is part of another.
        """
        plan, wanted = self.plan, self.plan.open_spans
        assert wanted is not None
        duration_ns = f"{self.parts.duration_ms} * {_NS_PER_MS!r}"
        start, end, base = plan.start_ns, plan.end_ns, wanted.base_ns(plan)
        wide = "" if end - base + wanted.before_ns < 2**63 else "::HUGEINT"
        ends = f"CASE WHEN d >= {end:d} - t{wide} THEN {end:d} ELSE t + round(d)::BIGINT END"
        is_span = self.statements.masks.holds(need, f"{self.parts.annotation} IS NULL")
        cells = self.statements.cell_columns
        keys = ", ".join([*cells.values(), ""])
        names = ", ".join([*cells, ""])
        lists = ", ".join(f"list({name}) AS a{index}_{ending}" for name, ending in _LISTS)
        by_group = f" GROUP BY {', '.join(cells)}" if cells else " HAVING count(*) > 0"
        return (
            f"WITH timed AS (SELECT *, {duration_ns} AS d FROM ({self.statements.picked}) picked"
            f" WHERE {is_span}),"
            f" ended AS (SELECT *, {ends} AS e FROM timed WHERE d >= 0),"
            f" spans AS (SELECT {keys}r, greatest(t, {start:d}) AS t, e FROM ended"
            f" WHERE t >= {start:d} OR e > {start:d}),"
            f" moves AS (SELECT *, ((CASE WHEN is_end THEN e ELSE t END{wide} - {base:d})"
            f" // {wanted.part_ns:d})::BIGINT AS o"
            f" FROM spans, (VALUES (FALSE), (TRUE)) both_ends(is_end)"
            f" WHERE NOT is_end OR e < {end:d}),"
            f" parts AS (SELECT {names}o,"
            f" coalesce(sum(r) FILTER (WHERE NOT is_end), 0)::BIGINT AS starts,"
            f" coalesce(sum(r) FILTER (WHERE is_end), 0)::BIGINT AS ends"
            f" FROM moves GROUP BY {names}o)"
            f" SELECT {names}{lists} FROM parts{by_group}"
        )


# column of a part -> ending of the list
_LISTS: Final = (("o", "o"), ("starts", "os"), ("ends", "oe"))


def open_spans(
    plan: Plan,
    views: Sequence[DatasetView],
    small: SmallSegments | None,
    facts: FooterFacts | None,
    joined: JoinedColumns = (),
) -> list[OpenSpans]:
    """What a plan asks about spans that are open, over the views of some partitions.

    joined: as of `gather_asked`.
    """
    if plan.open_spans is None:
        return []
    found = []
    for number, (names, some) in enumerate(by_definition(plan, views).items()):
        suffix = f"_open{number}"
        earlier = earlier_plan(plan)
        sources = gather_asked(earlier, some, small, facts, joined=joined, suffix=suffix)
        statements = Statements(earlier, sources, wanted=WANTED + suffix)
        parts = SpanParts(names, sources.stored_sql)
        # indices of needs, and the range, are those of the plan
        whole = msgspec.structs.replace(plan, step_ns=None)
        found.append(OpenSpans(whole, sources, statements, parts, suffix))
    return found
