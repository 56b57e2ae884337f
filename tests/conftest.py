"""What every test shares: how property tests choose their examples, and the scenarios' counts.

On a developer's machine they are new in every run; in continuous integration (`CI` is set) they
are the same in every run, so that a change is judged by what it changed.
"""

import os

import pytest
from hypothesis import settings

from tests.system import counts

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("local", deadline=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what the scenarios counted."""
    if counts.LINES:
        terminalreporter.section("what the scenarios counted")
        for line in counts.LINES:
            terminalreporter.write_line(line)
