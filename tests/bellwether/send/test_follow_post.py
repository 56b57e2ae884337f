"""Posting of a followed log: until it is answered, in requests that the store takes."""

import random
from collections.abc import Iterator

import orjson
import pytest

from bellwether.client import ClientError
from bellwether.send.deliver.batches import BatchLimits
from bellwether.send.follow.post import Poster, requests_of
from bellwether.send.prepare.prepare import Ready


class Answers:
    """Stands for a caller: gives one answer after another."""

    def __init__(self, *answers: object) -> None:
        self.answers: Iterator[object] = iter(answers)
        self.ids: list[str] = []

    def request(self, method: str, path: str, data: bytes, headers: dict[str, str]) -> bytes:
        self.ids.append(headers["X-Bellwether-Batch-Id"])
        answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        return orjson.dumps(answer)


def post(answers: Answers) -> tuple[list[tuple[Ready, str]], list[str], list[float]]:
    told: list[str] = []
    waits: list[float] = []
    events = [Ready(1, 9, part=b'{"data":{"n":1}}'), Ready(2, 18, part=b'{"data":{"n":2}}')]
    poster = Poster(answers, "d", waits.append, told.append, random.Random(1))  # type: ignore[arg-type]
    return poster.post(events, "id-1"), told, waits


def test_a_store_that_is_away_is_waited_for_under_the_same_id() -> None:
    good = [{"status": 202}, {"status": 400, "error": "no"}]
    away = ClientError("cannot reach it", 0)
    answers = Answers(
        *([away] * 40), ClientError("401: unknown key", 401), [{"status": 503}] * 2, "odd", good
    )
    refused, told, waits = post(answers)
    assert [(event.line, why) for event, why in refused] == [(2, "no")]
    assert set(answers.ids) == {"id-1"}
    assert max(waits) <= 15.0
    assert "answers again" in told[-1]
    assert len(told) < 8


def test_more_events_than_one_request_takes_go_in_several_each_with_its_own_id() -> None:
    limits = BatchLimits(bytes_max=100, events_max=10)
    small = [Ready(n, n, part=b'{"data":{"n":%d}}' % (n % 10)) for n in range(13)]
    large = [Ready(20 + n, 20 + n, part=b'{"data":{"text":"%b"}}' % (b"x" * 90)) for n in range(2)]

    def send(*answers: object) -> tuple[list[int], list[str]]:
        answered = Answers(*answers)
        poster = Poster(
            answered, "d", lambda _: None, lambda _: None,  # type: ignore[arg-type]
            random.Random(1), limits,
        )  # fmt: skip
        refused = poster.post([*small, *large], "id")
        return [event.line for event, _ in refused], answered.ids

    def good(count: int) -> list[dict[str, object]]:
        return [{"status": 202}] * count

    sizes = [len(some) for some in requests_of([*small, *large], limits)]
    assert sizes == [5, 5, 3, 1, 1]
    answers = [good(size) for size in sizes[:-1]]
    lines, ids = send(*answers, [{"status": 400, "error": "no"}])
    assert lines == [21]
    assert ids == ["id", "id-1", "id-2", "id-3", "id-4"]
    again = send(ClientError("away", 0), *(good(size) for size in sizes))
    assert again == ([], ["id", *ids])


def test_an_answer_that_stays_ends_it() -> None:
    with pytest.raises(ClientError, match="404"):
        post(Answers(ClientError("404: no such route", 404)))
