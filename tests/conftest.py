"""What every test shares: how property tests choose their examples, which tests a run has, and what
is printed at its end.

On a developer's machine examples are new in every run: so rare ones are found by somebody who can
look into them, prints how to run them again, and keeps them in `.hypothesis`. In continuous
integration (`CI` is set) they are the same in every run, so that a change is judged by what it
changed, and not by an example that no one before it happened to meet. A rare one that was found
becomes an `@example` of its test. Neither has a deadline, nor a limit to how long examples take to
be drawn: that a machine is slow or busy is no fault of the code.
"""

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings

from tests.system import counts

pytest_plugins = ["tests.servers"]

settings.register_profile(
    "local", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


SLOWEST_FILES = 15
_SERVERS = {"kafka", "mysql", "s3", "zookeeper"}  # parameters of tests that need one of them
# Left out by `--quick`, besides what needs a server: real processes, real clients, long work.
_NOT_QUICK = ("system", "slow")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show which files took longest, and what the scenarios counted."""
    seconds: Counter[str] = Counter()
    tests: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                file = report.nodeid.partition("::")[0]
                seconds[file] += report.duration
                tests[file] += report.when == "call"
    if seconds:
        terminalreporter.section("slowest files")
        terminalreporter.write_line(f"{'seconds':>8} {'tests':>6}  file")
        for file, took in seconds.most_common(SLOWEST_FILES):
            terminalreporter.write_line(f"{took:8.1f} {tests[file]:6}  {file}")
        terminalreporter.write_line(f"{seconds.total():8.1f} {tests.total():6}  all")
    if counts.LINES:
        terminalreporter.section("what the scenarios counted")
        for line in counts.LINES:
            terminalreporter.write_line(line)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--scenarios`, `--quick` and `--not-quick`."""
    parser.addoption(
        "--scenarios", action="store_true", help="run only what breaks a whole cluster, for minutes"
    )
    parser.addoption(
        "--quick",
        action="store_true",
        help="run units and contracts alone: no servers, no processes of Bellwether, nothing long",
    )
    parser.addoption(
        "--not-quick", action="store_true", help="run what --quick leaves out, but for scenarios"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Scenarios run on demand alone, and then nothing else does."""
    scenarios, quick = bool(config.getoption("--scenarios")), bool(config.getoption("--quick"))
    slow = bool(config.getoption("--not-quick"))
    left = {
        item
        for item in items
        if (item.get_closest_marker("scenario") is None) == scenarios
        or (quick and not _is_quick(item))
        or (slow and _is_quick(item))
    }
    config.hook.pytest_deselected(items=list(left))
    items[:] = [item for item in items if item not in left]


def _is_quick(item: pytest.Item) -> bool:
    if any(item.get_closest_marker(name) for name in _NOT_QUICK):
        return False
    if "servers" in getattr(item, "fixturenames", ()):
        return False
    call = getattr(item, "callspec", None)
    return call is None or not _SERVERS & {p for p in call.params.values() if isinstance(p, str)}
