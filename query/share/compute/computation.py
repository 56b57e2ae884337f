"""One share from beginning to end: sources, statements, states, bytes. Runs in a thread.

A computation may be cancelled from another thread at any moment; it then raises ShareCancelled.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Final

import msgspec
import pyarrow as pa

from common.process.versions import OWN
from query.cancellation import Cancellation, WorkCancelled, cancellable, check_cancelled
from query.plan.parts.spans import SpanQuery
from query.plan.plan import DifferencesWanted, InstancesWanted, Plan
from query.share.compute.answer import PartitionCovered, ShareAnswer, ShareReport
from query.share.compute.covered import covered
from query.share.compute.database import Databases
from query.share.compute.errors import ShareCancelled, named_errors
from query.share.compute.has_read import with_what_was_read
from query.share.compute.too_heavy import (
    Bounds,
    too_many_bytes,
    too_many_cells,
    too_many_instance_bytes,
    too_many_instances,
    too_many_span_bytes,
    too_many_spans,
)
from query.share.defined.joins import columns_of
from query.share.defined.rows import gather_asked
from query.share.differences.distributions import Distributions
from query.share.instances.columns import EDGES
from query.share.instances.edges import edges_of
from query.share.instances.statements import InstanceStatements
from query.share.pruning.footer_facts import FooterFacts
from query.share.row_search.search import RowSearch
from query.share.sources.calculated import given_way, types_of
from query.share.sources.small_segments import SmallSegments
from query.share.sources.sources import Sources
from query.share.spans.coverage import covered_together, with_common_ends
from query.share.spans.data import with_data
from query.share.spans.parts import with_stored_forms
from query.share.spans.statements import KEYS, SpanStatements
from query.share.states.computed import Asking, compute_states
from query.share.states.concurrency import OpenSpans, open_spans
from query.share.states.groups import wanted_groups
from query.share.states.statements import WANTED, Statements, hash_version
from query.share.states.value_hashes import HashTexts
from query.share.view.view import DatasetView
from segment.parquet.reference import ReferenceEncoders

if TYPE_CHECKING:
    import duckdb


# Of a statement's result: states are counted as they come, so that one that is too large is never
# in memory as a whole. DuckDB makes its rows in vectors of so many.
_ROWS_PER_BATCH: Final = 2_048
# A statement over so few rows runs without being bound for its schema first, which costs 1 ms; its
# rows are copied once more, which costs a tenth more when they are very many.
_FEW_ROWS: Final = 32_768
_NOT_COMPILED: Final = ReferenceEncoders()
warnings.filterwarnings(
    "ignore", "Arrow output on a DB-API result makes an extra copy", UserWarning
)


States = dict[str, pa.Table]


class Computation:
    """Computes the states of a plan over the views of some partitions, once."""

    def __init__(
        self,
        plan: Plan,
        views: Sequence[DatasetView],
        databases: Databases,
        small: SmallSegments | None = None,
        facts: FooterFacts | None = None,
        version: int = OWN.plan,
        hash_texts: HashTexts = _NOT_COMPILED.hashes,
        keys: Sequence[pa.Table] = (),
    ) -> None:
        """small: the small segments in memory; None: they are read from their files.

        facts: what is known about segments; None: every segment of the range is read.
        version: of the request, for which the states are computed (`Understands.plan`).
        hash_texts: compiled, or not: the hashes are the same.
        keys: the tables of the plan's joins.
        """
        self._hash_version = hash_version(version)
        self._hash_texts = hash_texts
        self._keys = keys
        self._plan = plan
        self._views = views
        self._databases = databases
        self._small = small
        self._facts = facts
        self._allowed = databases.allowed
        self._cancelled = Cancellation()
        self._bytes = 0  # of the rows of the present statement
        self._connection: duckdb.DuckDBPyConnection | None = None

    @property
    def breakdowns(self) -> int:
        """Number of breakdowns of the plan."""
        return len(self._plan.breakdowns)

    def cancel(self) -> None:
        """Stop as soon as possible. Repeat until `run` has returned, as a call may be too early."""
        self._cancelled.set()

    def run(self) -> ShareAnswer:
        """Compute. Raises ShareCancelled, ShareTooHeavy, or BellwetherError for damaged files."""
        try:
            with cancellable(self._cancelled):
                return with_what_was_read(self._run(), self._plan, self._views)
        except WorkCancelled as error:
            raise ShareCancelled from error

    def _run(self) -> ShareAnswer:
        if self._plan.datasets:
            self._plan = with_common_ends(self._plan, self._views)
        if self._plan.rows is not None:
            joined = columns_of(self._keys)
            return self._run_rows(
                RowSearch(self._plan, self._plan.rows, self._views, self._facts, joined)
            )
        if self._plan.spans is not None:
            return self._run_spans(self._plan.spans)
        if self._plan.differences is not None:
            return self._run_differences(self._plan.differences)
        if self._plan.instances is not None:
            return self._run_instances(self._plan.instances)
        sources = self._gathered(self._plan)
        statements = Statements(self._plan, sources, self._hash_version)
        opened = open_spans(
            self._plan, self._views, self._small, self._facts, columns_of(self._keys)
        )
        with self._named_errors(), self._open() as connection:
            for name, table in sources.tables.items():
                connection.register(name, table)
            self._register_keys(connection)
            if self._plan.groups is not None and self._plan.breakdowns:
                connection.register(WANTED, wanted_groups(self._plan, statements.wanted_parts()))
            few = sources.rows_most <= _FEW_ROWS or _has_one_cell(self._plan)
            states = compute_states(
                self._plan,
                statements,
                sources.rows_most,
                Asking(
                    lambda kept, sql: self._table(sql, statements.parameters, few=few, kept=kept),
                    lambda sql, rows: self._batches(sql, statements.parameters, rows),
                    self._allowed.rows_max,
                    self._allowed.bytes_max,
                    self._hash_texts,
                ),
            )
            for one in opened:
                states |= self._open_spans(connection, one, states)
        types = types_of(sources.fields_sql, self._plan)
        return self._answer(types, states)

    def _open_spans(
        self, connection: duckdb.DuckDBPyConnection, spans: OpenSpans, states: States
    ) -> States:
        """The states of spans that are open. states: those that there are already."""
        for name, table in spans.tables.items():
            connection.register(name, table)
        kept = sum(state.nbytes for state in states.values())
        few = spans.sources.rows_most <= _FEW_ROWS
        parameters = spans.statements.parameters
        return {
            name: self._table(sql, parameters, few=few, kept=kept) for name, sql in spans.states
        }

    def _run_rows(self, search: RowSearch) -> ShareAnswer:
        with self._named_errors(), self._open() as connection:
            self._register_keys(connection)
            states = search.run(self._ask)
        return self._answer(search.types(), states)

    def _ask(self, sql: str, parameters: list[str], tables: Mapping[str, pa.Table]) -> pa.Table:
        """The few rows of a statement over these tables, which has a limit of its own."""
        assert self._connection is not None
        for name, table in tables.items():
            self._connection.register(name, table)
        return self._table(sql, parameters, few=True, bounded=True)

    def _run_spans(self, wanted: SpanQuery) -> ShareAnswer:
        plan = with_common_ends(self._plan, self._views)
        statements = SpanStatements.over(plan, wanted, self._views, self._small, self._facts)
        few = statements.rows_most <= _FEW_ROWS
        bounds = Bounds(wanted.rows_max, wanted.bytes_max, too_many_spans, too_many_span_bytes)
        queries = {"main": statements.main()}
        queries |= {f"kin{at}": statements.kin(one) for at, one in enumerate(wanted.kin)}
        queries |= {f"values{at}": statements.values(one) for at, one in enumerate(wanted.values)}
        states: dict[str, pa.Table] = {}
        with self._named_errors(), self._open() as connection:
            for name, table in statements.tables.items():
                connection.register(name, table)
            self._register_keys(connection)
            for name, (sql, parameters) in queries.items():
                kept = sum(state.nbytes for state in states.values())
                states[name] = self._table(sql, parameters, few=few, kept=kept, bounds=bounds)
            if wanted.with_data:
                states["main"] = with_data(
                    states["main"], statements.row_sources, self._ask, wanted.bytes_max
                )
        covers = covered_together([covered(view, plan) for view in self._views])
        return self._report(covers, statements.types, states)

    def _run_differences(self, wanted: DifferencesWanted) -> ShareAnswer:
        def gathered(fields: Sequence[str]) -> tuple[Plan, Sources]:
            some = msgspec.structs.replace(wanted, fields=tuple(fields))
            plan = msgspec.structs.replace(self._plan, differences=some)
            return plan, self._gathered(plan)

        with self._named_errors(), self._open() as connection:
            self._register_keys(connection)
            distributions = Distributions(wanted, gathered, self._ask, self._hash_version)
            states = distributions.run()
        return self._answer(distributions.types, states)

    def _run_instances(self, wanted: InstancesWanted) -> ShareAnswer:
        joined = columns_of(self._keys)
        of = InstanceStatements(self._plan, wanted, self._views, self._small, self._facts, joined)
        few = of.rows_most <= _FEW_ROWS
        bounds = Bounds(
            wanted.rows_max, wanted.bytes_max, too_many_instances, too_many_instance_bytes
        )
        with self._named_errors(), self._open() as connection:
            for name, table in of.tables.items():
                connection.register(name, table)
            self._register_keys(connection)
            states = {"main": self._table(of.sql, of.parameters, few=few, bounds=bounds)}
            edges = edges_of(self._plan, wanted, self._views, self._small, self._facts, joined)
            if edges.sql:
                for name, table in edges.tables.items():
                    connection.register(name, table)
                kept = states["main"].nbytes
                states[EDGES] = self._table(
                    edges.sql, edges.parameters, few=few, kept=kept, bounds=bounds
                )
        return self._answer(of.types, states)

    def _register_keys(self, connection: duckdb.DuckDBPyConnection) -> None:
        for number, keys in enumerate(self._keys):
            connection.register(f"{KEYS}{number}", with_stored_forms(keys))

    def _gathered(self, plan: Plan) -> Sources:
        joined = columns_of(self._keys)
        return gather_asked(plan, self._views, self._small, self._facts, joined=joined)

    def _answer(self, types: dict[str, str], states: dict[str, pa.Table]) -> ShareAnswer:
        covers = covered_together([covered(view, self._plan) for view in self._views])
        return self._report(covers, types, states)

    def _report(
        self, covers: list[PartitionCovered], types: dict[str, str], states: States
    ) -> ShareAnswer:
        hidden = tuple(sorted(given_way(self._plan, self._views)))
        return ShareAnswer(ShareReport(covers, types, self._hash_version, given_way=hidden), states)

    @contextmanager
    def _open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A database for this share alone until the block ends; `cancel` interrupts it."""
        with self._databases.use() as connection:
            self._connection = connection
            try:
                yield connection
            finally:
                self._connection = None

    def _named_errors(self) -> AbstractContextManager[None]:
        return named_errors(self._cancelled, self._allowed.described)

    def _batches(
        self, sql: str, parameters: list[str], rows: int, *, few: bool = False
    ) -> pa.RecordBatchReader:
        check_cancelled()
        assert self._connection is not None
        result: duckdb.DuckDBPyConnection | duckdb.DuckDBPyRelation
        if few:
            result = self._connection.execute(sql, parameters or None)
        else:
            result = self._connection.sql(sql, params=parameters or None)
        return result.to_arrow_reader(rows)

    def _table(
        self,
        sql: str,
        parameters: list[str],
        *,
        few: bool,
        bounded: bool = False,
        kept: int = 0,
        bounds: Bounds | None = None,
    ) -> pa.Table:
        """The rows of a statement.

        bounds: of its rows; None: those of states.
        bounded: whether it has a limit of its own.
        few: whether they are surely few (see `_FEW_ROWS`).
        kept: bytes of the states that there are already.
        """
        if bounds is None:
            bounds = Bounds(
                self._allowed.rows_max, self._allowed.bytes_max, too_many_cells, too_many_bytes
            )
        if not bounded:
            sql = f"SELECT * FROM ({sql}) LIMIT {bounds.rows_max + 1}"
        self._bytes = 0
        batches, rows = list[pa.RecordBatch](), 0
        # closed at once: an error keeps this frame, and so the statement's memory, for a while
        with self._batches(sql, parameters, _ROWS_PER_BATCH, few=few) as reader:
            for batch in reader:
                batches.append(batch)
                rows += batch.num_rows
                self._bytes += batch.nbytes
                bounds.check(rows, kept + self._bytes)
                check_cancelled()
        return pa.Table.from_batches(batches, reader.schema)


def _has_one_cell(plan: Plan) -> bool:
    """Whether the plan asks for totals of everything."""
    return not plan.breakdowns and plan.step_ns is None
