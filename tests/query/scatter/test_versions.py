"""A plan is sent in the oldest version among the indexers that may answer it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from common.process import versions
from common.process.members import Member, encode_member
from common.process.versions import PLAN_JOINED, PLAN_QUESTIONS, Understands
from query.config import QueryConfig
from query.plan.parts.spans import KeyJoin, Kin
from query.plan.plan import DifferencesWanted, InstancesWanted, Plan, version_needed
from query.share.view.rerouted import UndecidedBatch
from tests.query.harness import TIMES, QueryHarness, query_harness

OLD, NEW = Understands(plan=1), Understands(plan=2)
UNHEDGED = QueryConfig(hedge_ms=0)


@pytest.fixture(autouse=True)
def every_claim_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims of the moment, and a program that knows plans of version 2."""
    monkeypatch.setattr(versions, "OWN", NEW)
    monkeypatch.setattr("query.scatter.replicas._FRESH_NS", 0)


@asynccontextmanager
async def pair(
    folder: Path, first: Understands, twin: Understands, config: QueryConfig = UNHEDGED
) -> AsyncIterator[QueryHarness]:
    async with query_harness(folder, ("a", "b"), config) as running:
        running.indexers["a"].announce(first)
        running.indexers["b"].announce(twin)
        yield running


async def count(running: QueryHarness) -> object:
    answer = await running.ask({**TIMES}, disable_series=True)
    assert answer["coverage"]["complete"] is True
    return answer["data"]["results"]


async def test_the_newest_version_is_sent_where_all_know_it(tmp_path: Path) -> None:
    async with pair(tmp_path, NEW, NEW) as running:
        assert await count(running) == [{"data": {"COUNT": 100}}]
        assert running.indexers["a"].versions == [2]


@pytest.mark.parametrize(("first", "twin"), [(NEW, OLD), (OLD, NEW), (OLD, OLD)])
async def test_the_older_of_two_twins_decides(
    tmp_path: Path, first: Understands, twin: Understands
) -> None:
    async with pair(tmp_path, first, twin) as running:
        assert await count(running) == [{"data": {"COUNT": 100}}]
        assert running.indexers["a"].versions == [1]
        assert running.indexers["b"].versions == []


async def test_the_older_twin_that_answers_instead_is_asked_in_its_version(tmp_path: Path) -> None:
    async with pair(tmp_path, NEW, OLD, QueryConfig(hedge_ms=50)) as running:
        running.indexers["a"].delay_s = 30
        assert await count(running) == [{"data": {"COUNT": 100}}]
        assert running.indexers["b"].versions == [1]


async def test_an_older_indexer_that_takes_over_meanwhile_is_asked_in_its_version(
    tmp_path: Path,
) -> None:
    async with pair(tmp_path, NEW, NEW) as running:
        first, twin = running.indexers["a"], running.indexers["b"]
        first.refuse = True
        first.before_share = lambda: twin.announce(OLD)
        assert await count(running) == [{"data": {"COUNT": 100}}]
        assert first.versions[0] == 2
        assert twin.versions == [1]


async def test_an_older_one_that_holds_none_of_the_partitions_does_not_decide(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path, ("a",)) as running:
        running.indexers["a"].announce(NEW)
        idle = Member("indexer", "ix-old", "http://127.0.0.1:1", "b", 1, 1, "1")
        assert running.context.backends.locks.acquire("roles/indexer/ix-old", encode_member(idle))
        assert await count(running) == [{"data": {"COUNT": 100}}]
        assert running.indexers["a"].versions == [2]


async def test_one_that_ignores_the_version_is_asked_again_in_its_own(tmp_path: Path) -> None:
    """An earlier program may have started at the address of a newer one, unseen by the locks."""
    async with pair(tmp_path, NEW, NEW) as running:
        first = running.indexers["a"]
        first.ignores_versions = True
        assert await count(running) == [{"data": {"COUNT": 100}}]
        assert first.versions == [2, 1]
        assert running.indexers["b"].versions == []


async def test_rows_that_are_fetched_afterwards_are_of_the_version_of_the_totals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Versions 2 and 3 hash distinct values differently: a value must not count once as each."""
    monkeypatch.setattr(versions, "OWN", Understands(plan=3))
    async with query_harness(tmp_path, ("a", "b"), UNHEDGED) as running:
        first, twin = running.indexers["a"], running.indexers["b"]
        first.announce(Understands(plan=3))
        twin.announce(NEW)
        twin.claims[0].release()  # it holds partition 1 alone
        undecided = UndecidedBatch("00" * 16, (1, 5), 0, (7,))  # nobody holds 7: it counts here
        first.views.held[0] = replace(first.views.held[0], undecided=(undecided,))
        calculation = {"op": "COUNT_DISTINCT", "column": "service"}
        answer = await running.ask({"calculations": [calculation], **TIMES}, disable_series=True)
        assert answer["coverage"]["complete"] is True
        assert answer["data"]["results"] == [{"data": {"COUNT_DISTINCT(service)": 2}}]
        assert first.versions == [2, 2]


def test_instances_and_differences_with_other_spans_go_to_programs_that_join_them() -> None:
    apart = {
        "instances": InstancesWanted(field="user", rows_max=1, bytes_max=1),
        "differences": DifferencesWanted(fields=("user",)),
    }
    for name, one in apart.items():
        plan = Plan(dataset="d", start_ns=0, end_ns=1, needs=())
        alone = msgspec.structs.replace(plan, **{name: one})
        assert version_needed(alone) == PLAN_QUESTIONS
        joined = msgspec.structs.replace(alone, joins=(KeyJoin(Kin.TRACE),))
        assert version_needed(joined) == PLAN_JOINED
    totals = Plan(dataset="d", start_ns=0, end_ns=1, needs=(), joins=(KeyJoin(Kin.TRACE),))
    assert version_needed(totals) == PLAN_QUESTIONS
