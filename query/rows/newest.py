"""When the newest event of a dataset is dated: what an empty answer is told with."""

from functools import partial

from query.plan.read_spec import TIME_S_MAX, TIME_S_MIN
from query.results.runner import Asker, CoverageRequirement, Runner
from query.rows.page import make_page
from query.rows.question import read_rows_question


async def newest_time_ns(runner: Runner, dataset: str, asker: Asker) -> int | None:
    """Unix ns of the newest event, also of one dated ahead; None without any. Few segments are
    read. Raises as `Runner.run` does.
    """
    body = {"start_time": TIME_S_MIN, "end_time": TIME_S_MAX, "limit": 1, "fields": []}
    question = read_rows_question(body, dataset, 0, asker)
    merging = partial(make_page, question)
    told = await runner.tell(question.plan, merging, CoverageRequirement(mode="accept"), asker)
    return told.result.rows[0].position.time_ns if told.result.rows else None
