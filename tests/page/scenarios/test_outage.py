"""The page while things fail: it says what is wrong in words, keeps the question and the last
answer, and goes on by itself, without a reload, once there is something to go on with.
"""

import os
import re
import signal
import time
from typing import Any

import pytest

from tests.page import data
from tests.page.driven import drive_script
from tests.page.running import page_setting
from tests.page.scenarios.conftest import send
from tests.system.harness import System, running

pytestmark = [pytest.mark.system, pytest.mark.scenario]
ASKED = "COUNT GROUP BY build.id LAST 2h"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the page showed at each point."""
    with running(tmp_path_factory.mktemp("outage"), *page_setting()) as system:
        send(system, "shop", data.requests(time.time()))
        made = system.run("keys", "create", "guest", "--data", str(system.data))
        assert made.returncode == 0, made.stderr
        key = made.stdout.split()[0]
        deeds = {
            "stop": system.kill_everything,
            "start": system.start,
            "hang": lambda: _signal(system, signal.SIGSTOP),
            "wake": lambda: _signal(system, signal.SIGCONT),
            "revoke": lambda: _revoke(system),
        }
        folder = os.environ.get("BELLWETHER_SCREENSHOTS", "")
        try:
            seen: dict[str, Any] = drive_script(
                "scenarios/outage.mjs", deeds, system.url, key, folder
            )
        finally:
            _signal(system, signal.SIGCONT)
    return seen


def _signal(system: System, what: signal.Signals) -> None:
    for member in system.members("indexer"):
        os.kill(member.pid, what)


def _revoke(system: System) -> None:
    listed = system.run("keys", "list", "--data", str(system.data)).stdout
    guest = next(line for line in listed.splitlines() if "guest" in line)
    found = re.search(r"\b[0-9a-f]{24}\b", guest)
    assert found is not None, listed
    done = system.run("keys", "revoke", found[0], "--data", str(system.data))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("when", ["offline", "stopped"])
def test_a_server_that_is_away_is_told_beside_the_last_answer(
    found: dict[str, Any], when: str
) -> None:
    assert "cannot be reached" in found[when]["text"]
    assert found[when]["ask"] == ASKED
    assert found[when]["rows"] >= 4


@pytest.mark.parametrize("when", ["online", "back"])
def test_the_page_goes_on_by_itself_with_the_same_question(
    found: dict[str, Any], when: str
) -> None:
    assert found[when]["same"] is True
    assert found[when]["ask"] == ASKED
    assert found[when]["rows"] >= 4
    assert "cannot be reached" not in found[when]["text"]


def test_what_is_not_covered_is_told_in_words(found: dict[str, Any]) -> None:
    assert "partitions did not answer" in found["hanging"]["text"]
    assert "did not answer" in found["hanging"]["hatch"]
    assert found["hanging"]["ask"] == ASKED


def test_a_revoked_key_ends_the_session_within_a_minute(found: dict[str, Any]) -> None:
    assert found["revoked"]["shown"] is True
    assert found["revoked"]["late"] in (None, 401)  # of what began after the minute
    assert "/ui/query/shop" in found["revoked"]["address"]


def test_no_error_is_thrown_meanwhile(found: dict[str, Any]) -> None:
    assert found["errors"] == []
    assert found["foreign"] == []
