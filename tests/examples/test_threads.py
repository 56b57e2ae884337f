"""Exactly the steps of the threaded block overlap, after the switch and not before."""

import pytest

from tests.examples.conftest import Examples

pytestmark = pytest.mark.system
BLOCK = [("index", "notify"), ("index", "resize"), ("notify", "resize")]


def test_the_page_is_right(examples: Examples) -> None:
    examples.run("threads/workers.py", "--jobs", "200", "--version", "7", "--lock")
    examples.run("threads/workers.py", "--jobs", "40", "--version", "8")
    examples.wait_for("workers", 240 * 6)
    flow = ("flow", 'WHERE service.version = "8" LAST 1h', "--dataset", "workers")
    answer = examples.ask(*flow, "--against", 'WHERE service.version = "7"')
    changed = answer["against"]["overlaps"]
    assert sorted((one["first"], one["second"]) for one in changed) == BLOCK
    assert all(one["instances_against"] == 0 for one in changed)
    assert answer["instances"] == 40
    assert answer["against"]["instances"] == 200
    alone = examples.ask("flow", 'WHERE service.version = "7" LAST 1h', "--dataset", "workers")
    assert alone["overlaps"] == []
