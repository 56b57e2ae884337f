"""The front end's log line leads to the trace, whose comparison first names the missing call."""

import pytest

from tests.examples.conftest import Examples

pytestmark = pytest.mark.system


def test_the_page_is_right(examples: Examples) -> None:
    log = str(examples.system.folder / "frontend.ndjson")
    examples.run("planner/planner.py", "--requests", "201", "--break-at", "137", "--log", log)
    sent = examples.system.run("send", "frontend", log)
    assert sent.returncode == 0, sent.stderr
    examples.wait_for("frontend", 201)
    examples.wait_for("planner", 201 * 11)
    (line,) = examples.rows("frontend", "WHERE request = 137 LAST 1d")
    trace_id = line["data"]["trace_id"]
    drawn = examples.system.run("trace", trace_id)
    assert "create_cluster" in drawn.stdout
    assert "cluster created" in drawn.stdout  # the line of the front end's log is in its trace
    conditions = 'WHERE none.error = true AND root.name = "create_cluster" LAST 1d'
    answer = examples.ask("trace", "compare", trace_id, "--against", conditions)
    assert answer["reference"]["traces"] == 30
    first, second = answer["differences"][:2]
    assert (first["what"], first["name"]) == ("missing", "call balancer internal")
    assert (second["what"], second["name"]) == ("failed", "call balancer public")
    printed = examples.system.run("trace", "compare", trace_id, "--against", conditions)
    assert "missing   planner: call balancer internal" in printed.stdout.splitlines()[1]
    good = examples.rows("frontend", "WHERE request < 2 LAST 1d")
    pair = [one["data"]["trace_id"] for one in good]
    counts = examples.ask("trace", "compare", *pair)["counts"]
    assert counts.keys() <= {"slower"}  # how long steps take is the machine's business
