"""Every answer names its trace; a question and its event have the caller's."""

import http.client
from collections.abc import Iterator
from typing import Any

import pytest

from tests.system.harness import System, running

pytestmark = pytest.mark.system
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("trace-ids")) as found:
        yield found


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/1/batch/d", [{"data": {"a": 1}}], 200),
        ("POST", "/1/batch/d", {"no": "array"}, 400),
        ("POST", "/v1/traces", {"resourceSpans": []}, 200),
        ("POST", "/v1/traces/", {"resourceSpans": 5}, 400),
        ("GET", "/1/auth", None, 200),
        ("GET", "/1/batch/d", None, 405),
        ("GET", "/1/datasets", None, 200),
        ("POST", "/bw/1/rows", {"dataset": "nowhere"}, 404),
        ("GET", "/x/alive", None, 200),
        ("GET", "/nothing/here", None, 404),
    ],
)
def test_every_answer_names_its_trace(
    system: System, method: str, path: str, body: Any, status: int
) -> None:
    answer = system.http(method, path, body, PARENT)
    assert answer.status == status
    assert named(answer.headers) == TRACE
    own = named(system.http(method, path, body).headers)
    assert len(own) == 32
    assert own != TRACE


def named(headers: dict[str, str]) -> str:
    (found,) = (value for name, value in headers.items() if name.lower() == "x-trace-id")
    return found


def test_what_is_refused_before_it_is_read_names_a_trace_too(system: System) -> None:
    connection = http.client.HTTPConnection(system.url.removeprefix("http://"), timeout=60)
    connection.putrequest("POST", "/1/batch/d")
    connection.putheader("Expect", "something")
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 417
    assert len(answer.getheader("X-Trace-Id", "")) == 32
    connection.close()


def test_the_event_about_a_question_has_the_callers_trace(system: System) -> None:
    spec = {"query": {"calculations": [{"op": "COUNT"}]}, "wait_s": 30}
    asked = system.http("POST", "/1/query_results/d", spec, PARENT)
    assert asked.status == 201, asked.body

    def recorded() -> bool:
        done = system.run("trace", TRACE, "--json")  # own events are in the usual environment
        return done.returncode == 0 and '"query"' in done.stdout

    system.wait_until(recorded, "the event about the question")
