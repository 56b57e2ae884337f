"""The time of the newest event of a dataset, which an answer without events states."""

from functools import partial

from common.process.fair.requester import Requester
from query.http.environment import NO_DATASETS, NamedDatasets
from query.plan.read.spec import TIME_S_MAX, TIME_S_MIN
from query.results.notes.coverage import CoverageRequirement
from query.results.runner import QueryRunner
from query.rows.page import make_page
from query.rows.request import read_rows_request


async def newest_time_ns(
    runner: QueryRunner,
    dataset: str,
    requester: Requester,
    datasets: NamedDatasets = NO_DATASETS,
) -> int | None:
    """Unix ns of the newest event, also if it is in the future; None without events.

    Reads few segments. Raises as `QueryRunner.run` does.
    """
    body = {"start_time": TIME_S_MIN, "end_time": TIME_S_MAX, "limit": 1, "fields": []}
    wanted = read_rows_request(body, dataset, 0, requester, datasets)
    merging = partial(make_page, wanted)
    found = await runner.run_plan(
        wanted.plan, merging, CoverageRequirement(mode="accept"), requester
    )
    return found.result.rows[0].position.time_ns if found.result.rows else None
