"""SIGKILL in the middle of a state, with and without announcements, through OpenTelemetry's SDK."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.harness import ROOT, System, running

pytestmark = pytest.mark.system
WORKER = Path(__file__).with_name("worker.py")
WAIT_S = 120.0


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("announce")) as found:
        yield found


def killed_in_the_second_step(system: System, *options: str) -> tuple[str, str]:
    """Ids of the trace and of the machine's span."""
    command = [sys.executable, str(WORKER), system.url, system.key, *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as worker:
        assert worker.stdout is not None
        try:
            ids = worker.stdout.readline().split()
            assert [worker.stdout.readline() for _ in range(2)] == ["first\n", "second\n"]
        finally:
            worker.kill()
    return ids[0], ids[1]


def resume(system: System, trace_id: str, span_id: str) -> None:
    command = [sys.executable, str(WORKER), system.url, system.key, "--resume", trace_id, span_id]
    subprocess.run(command, check=True, timeout=WAIT_S, capture_output=True)


def trace(system: System, trace_id: str, spans: int, **given: object) -> Any:
    """The trace once it has so many spans."""
    found: Any = None
    query = "&".join(f"{name}={value}" for name, value in given.items())

    def there() -> bool:
        nonlocal found
        answer = system.http("GET", f"/bw/1/traces/{trace_id}?{query}")
        found = answer.json()
        return answer.status == 200 and found["spans"] == spans

    system.wait_until(there, f"{spans} spans of {trace_id}", WAIT_S)
    return found


def known(found: Any) -> list[tuple[int, str, str | None]]:
    """Depth, name (or kind) and how an unfinished one is known, by line."""
    return [
        (line["depth"], line.get("name", line["kind"]), line.get("open", {}).get("how"))
        for line in found["lines"]
    ]


def test_without_announcement_the_killed_state_is_not_there_and_its_machine_is_inferred(
    system: System,
) -> None:
    trace_id, span_id = killed_in_the_second_step(system)
    found = trace(system, trace_id, 1)
    assert known(found) == [(0, "missing", "inferred"), (1, "first", None)]
    assert found["lines"][0]["span_id"] == span_id
    assert found["lines"][0]["open"]["since"] == found["lines"][1]["start"]
    quiet = trace(system, trace_id, 1, silent_s=0)["lines"][0]["open"]
    assert (quiet["how"], quiet["known_by"]) == ("interrupted", "inferred")


def test_an_announced_state_that_is_killed_is_there_until_another_process_goes_on(
    system: System,
) -> None:
    trace_id, span_id = killed_in_the_second_step(system, "--announce")
    found = trace(system, trace_id, 3)
    assert known(found) == [
        (0, "replace node", "announced"), (1, "first", None), (1, "second", "announced"),
    ]  # fmt: skip
    assert found["lines"][0]["span_id"] == span_id
    assert found["missing"] == 0
    resume(system, trace_id, span_id)
    found = trace(system, trace_id, 4, skew_ms=0)
    assert known(found) == [
        (0, "replace node", "announced"), (1, "first", None), (1, "second", "interrupted"),
        (1, "second", None),
    ]  # fmt: skip
    killed, again = found["lines"][2:]
    assert killed["open"]["known_by"] == "announced"
    assert "another process went on" in killed["open"]["why"]
    assert killed["process"] != again["process"]
    shown = system.run("trace", trace_id, "--skew", "0ms").stdout
    assert "second  [fleet]  interrupted (announced), has not ended" in shown


def test_announcements_are_no_spans_of_other_questions(system: System) -> None:
    trace_id, _ = killed_in_the_second_step(system, "--announce")
    found = trace(system, trace_id, 3)
    assert found["lines_in_all"] == 3, "the finished span takes the place of its announcement"
    assert found["datasets"] == {"fleet": 3}
    spec = {
        "calculations": [{"op": "COUNT"}],
        "filters": [
            {"column": "trace.trace_id", "op": "=", "value": trace_id},
            {"column": "meta.annotation_type", "op": "=", "value": "span_start"},
        ],
    }
    assert system.ask("fleet", spec)["data"]["results"][0]["data"]["COUNT"] == 3


def test_the_two_lines_for_libhoney_announce_a_span_that_is_killed_a_moment_later(
    system: System,
) -> None:
    page = (ROOT / "docs" / "traces.md").read_text("utf-8")
    [lines] = re.findall(r"^```python\n(libhoney.*?)^```", page, re.MULTILINE | re.DOTALL)
    trace_id = "11" * 16
    ids = {"trace.trace_id": trace_id, "trace.span_id": "2a", "service.name": "honey"}
    program = f"""
import libhoney, os, signal
libhoney.init(writekey={system.key!r}, dataset="honey", api_host={system.url!r})
ids = {ids!r}
{lines}
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], timeout=WAIT_S, check=False)
    assert done.returncode == -signal.SIGKILL
    assert known(trace(system, trace_id, 1)) == [(0, "launch", "announced")]
