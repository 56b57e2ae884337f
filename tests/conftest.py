"""What every test shares: how property tests choose their examples, and the scenarios' counts.

On a developer's machine they are new in every run; in continuous integration (`CI` is set) they
are the same in every run, so that a change is judged by what it changed.
"""

import os

import pytest
from hypothesis import settings

from tests.system import counts

pytest_plugins = ["tests.servers"]

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("local", deadline=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what the scenarios counted."""
    if counts.LINES:
        terminalreporter.section("what the scenarios counted")
        for line in counts.LINES:
            terminalreporter.write_line(line)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--scenarios`."""
    parser.addoption(
        "--scenarios", action="store_true", help="run only what breaks a whole cluster, for minutes"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Scenarios run on demand alone, and then nothing else does."""
    asked = bool(config.getoption("--scenarios"))
    left = [item for item in items if (item.get_closest_marker("scenario") is None) == asked]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]
