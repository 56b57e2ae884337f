"""Runs queries in the background; their results are kept in memory for their callers."""

import asyncio
import logging
import random
from dataclasses import dataclass

from common.clock import Clock
from common.error_text import describe_error
from common.errors import BellwetherError, without_frames
from common.logs import log_event
from common.metadata import ApiKey
from common.process.fair.requester import Requester
from common.process.fair.slots import SlotRequest
from query.api.results.asked import Asked
from query.api.results.document import encode_answer
from query.api.results.ids import new_id
from query.api.results.memory import ResultStore, StoredResult
from query.api.results.shared import SharedResults
from query.asking.events import HUNG_UP, QuestionEvents
from query.asking.question import Question, present_question
from query.plan.planner import QueryRequest
from query.results.answer import Answer
from query.results.notes.coverage import CoverageRequirement
from query.results.notes.unknown_fields import UnknownFieldNotes
from query.results.relations.stored import StoredNames
from query.results.runner import QueryRunner

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunParts:
    """The parts that running a query takes. instance: of this role, which ids name."""

    runner: QueryRunner
    results: ResultStore
    shared: SharedResults
    unknown_fields: UnknownFieldNotes
    stored_names: StoredNames
    clock: Clock
    questions: QuestionEvents
    random: random.Random
    instance: str


class ResultRuns:
    """Starts queries. Use it from one event loop."""

    def __init__(self, parts: RunParts) -> None:
        self._parts = parts

    def start(
        self, key: ApiKey, query: QueryRequest, coverage: CoverageRequirement, asked: Asked
    ) -> StoredResult:
        """Run the query, or queue it. Raises TooManyRequests or Unavailable if it cannot wait."""
        parts = self._parts
        place = parts.runner.admit(query)
        now_ns = parts.clock.now_ns()
        result = StoredResult(
            id=str(new_id(now_ns, parts.instance, parts.random.getrandbits(64))),
            env_id=key.environment.id,
            key_id=key.id,
            dataset=query.dataset,
            query=asked.json,
            created_ns=now_ns,
            polled_ns=parts.clock.monotonic_ns(),
            series_form=query.series_form,
        )
        question = present_question()
        question.asked, question.in_background = asked.json.decode(), True
        result.task = asyncio.create_task(self._run(result, query, coverage, place, question))
        result.task.add_done_callback(lambda _: place.leave())  # also if the task never began
        parts.results.add(result)
        return result

    async def _run(
        self,
        result: StoredResult,
        query: QueryRequest,
        coverage: CoverageRequirement,
        place: SlotRequest,
        question: Question,
    ) -> None:
        parts = self._parts
        answer: Answer | None = None
        try:
            query = await parts.stored_names.resolved(query)
            answer = await parts.runner.run(query, coverage, place)
            requester = Requester(query.env, query.key)
            missing = await parts.unknown_fields.missing(query.dataset, answer.types, requester)
            result.body = encode_answer(query, answer, missing)
        except BellwetherError as error:
            result.error = without_frames(error)  # it is kept for a day
        except Exception as error:  # noqa: BLE001 - the outermost frame of this task
            log_event(
                _logger,
                logging.ERROR,
                "query failed",
                error=describe_error(error),
                result=result.id,
            )
            result.error = BellwetherError("the query failed; the log of the query role says why")
        finally:
            result.task = None
            self._tell(result, query, answer, question)
        parts.results.trim(result)
        parts.shared.keep(result)

    def _tell(
        self, result: StoredResult, query: QueryRequest, answer: Answer | None, question: Question
    ) -> None:
        question.more |= {
            "result": result.id,
            "groups": 0 if answer is None else len(answer.data["results"]),
            "series_rows": 0 if answer is None else answer.data["series"].count,
            "result_bytes": len(result.body or b""),
            "calculations": len(query.spec.calculations),
            "filters": len(query.spec.filters),
            "breakdowns": len(query.spec.breakdowns),
        }
        if result.error is not None:
            self._parts.questions.tell(question, result.error.status, str(result.error))
        elif result.body is None:
            self._parts.questions.tell(question, HUNG_UP)
        else:
            self._parts.questions.tell(question, 200)
