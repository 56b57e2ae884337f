"""When the newest event of a dataset is dated: what an empty answer is told with."""

from functools import partial

from query.plan.read_spec import TIME_S_MAX, TIME_S_MIN
from query.results.runner import CoverageRequirement, QueryRunner, Requester
from query.rows.page import make_page
from query.rows.request import read_rows_request


async def newest_time_ns(runner: QueryRunner, dataset: str, requester: Requester) -> int | None:
    """Unix ns of the newest event, also of one dated ahead; None without any. Few segments are
    read. Raises as `QueryRunner.run` does.
    """
    body = {"start_time": TIME_S_MIN, "end_time": TIME_S_MAX, "limit": 1, "fields": []}
    question = read_rows_request(body, dataset, 0, requester)
    merging = partial(make_page, question)
    told = await runner.run_plan(
        question.plan, merging, CoverageRequirement(mode="accept"), requester
    )
    return told.result.rows[0].position.time_ns if told.result.rows else None
